local Folder = require "spec.support.folder"
local cleanup = require "spec.support.cleanup"
local native = require "strobe.live.native"
local refusals = require "strobe.live.refusal"

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

describe("a module of the process", function()
  it("is what it was when it was required; that its file is another one by now is refused", function()
    local library <close> = Folder.new { ["native_of_a_spec.lua"] = "return 1" }
    local file, path = library.path .. "/native_of_a_spec.lua", package.path
    package.path = library.path .. "/?.lua"
    local _ <close> = cleanup(function()
      package.path, package.loaded.native_of_a_spec = path, nil
    end)
    assert.equal(1, native.require "native_of_a_spec")
    native.check "native_of_a_spec"
    write(file, "return 200")
    assert.equal(1, native.require "native_of_a_spec")
    local ok, e = pcall(native.check, "native_of_a_spec")
    assert.same({ false, true, "native", file .. ":1" }, { ok, refusals.is(e), e.code, e.place })
    os.remove(file)
    assert.is_false((pcall(native.check, "native_of_a_spec")))
  end)

  it("may be in C, or in the program itself", function()
    assert.equal(require "cjson", native.require "cjson")
    assert.equal(string, native.require "string")
    native.check "cjson"
    native.check "string"
    native.check "never required"
  end)

  it("raises when it is not there", function()
    assert.error_matches(function()
      native.require "nowhere"
    end, "module 'nowhere' not found")
  end)
end)
