local Folder = require "spec.support.folder"
local folder = require "strobe.reference.folder"

local function text_of(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

describe("a folder of the reference", function()
  it("gets its files, and the folders these are in", function()
    local place <close> = Folder.new {}
    local path = place.path .. "/not/there"
    assert.equal(2, folder.write(path, { ["a.md"] = "one\n", ["deep/er/b.md"] = "" }))
    assert.equal("one\n", text_of(path .. "/a.md"))
    assert.equal("", text_of(path .. "/deep/er/b.md"))
  end)

  it("may be written again, over what was there", function()
    local place <close> = Folder.new { ["a.md"] = "a long text from before", ["own.txt"] = "mine" }
    assert.equal(1, folder.write(place.path, { ["a.md"] = "new" }))
    assert.equal("new", text_of(place.path .. "/a.md"))
    assert.equal("mine", text_of(place.path .. "/own.txt"))
  end)

  it("tells why it cannot be written", function()
    local place <close> = Folder.new { file = "" }
    local count, message, code = folder.write(place.path .. "/file", { ["a.md"] = "x" })
    assert.is_nil(count)
    assert.matches("file", message)
    assert.is_string(code)
  end)
end)
