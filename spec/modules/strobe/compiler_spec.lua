local compiler = require "strobe.compiler"
local Folder = require "spec.support.folder"
local sh = require("spec.support.shell").run

-- Loops whose variable is captured, and which are left by a break.
local PROGRAM = [[
local log = {}
local function closing(name)
  return setmetatable({}, { __close = function() log[#log + 1] = name end })
end
local function leave_two()
  local count = 0
  for v in function() return 1 end, nil, nil, closing "outer" do
    for w in function() return 2 end, nil, nil, closing "inner" do
      local _ = function() return v + w + count end
      count = count + 1
      if count == 3 then break end
    end
    local text = "a string with \77\1\2\3\54\9\0\0 in it, which looks like such a loop"
    log[#log + 1] = #text
    if count > 1 then break end
  end
  log[#log + 1] = "after"
  return table.concat(log, " ")
end
return leave_two()]]

local RIGHT = "inner 58 outer after"

describe("the compiler", function()
  it("closes a loop that is left by break, whatever captures its variable", function()
    assert.equal(RIGHT, load(PROGRAM)())
    assert.equal("x", load("return _ENV.x", "chunk", "t", { x = "x" })())
    assert.equal("x", load("for k in pairs {} do local _ = function() return k end break end return x", "chunk", "t",
      { x = "x", pairs = pairs })())
    local none, message = load "for"
    assert.is_nil(none)
    assert.matches("expected near", message)
  end)

  it("is right in scripts, in modules and in files that are loaded", function()
    local folder <close> = Folder.new { ["left.lua"] = PROGRAM, ["bad.lua"] = "x x" }
    local main = folder.path .. "/main.lua"
    local file = assert(io.open(main, "w"))
    file:write(('package.path = "%s/?.lua"\nprint((require "left"))\nprint(dofile "%s/left.lua")\n'):format(folder.path,
      folder.path), "print((function() ", PROGRAM, " end)())\nprint(pcall(require, 'bad'))\n")
    file:close()
    local output = sh("$S " .. main)
    assert.equal((RIGHT .. "\n"):rep(3), output:match "^(.-)false")
    assert.matches("error loading module 'bad' from file '.*bad.lua':\n\t.*syntax error near 'x'", output)
  end)

  it("leaves alone what is right, and strings that only look like it", function()
    assert.is_nil(compiler.mend(string.dump(load "for v in pairs {} do break end")))
    assert.is_nil(compiler.mend(string.dump(load 'return "\77\1\2\3\54\9\0\0"')))
    for _, constant in ipairs { "1", "1.5", "nil", "true", "false", '"' .. ("long"):rep(100) .. '"' } do
      assert.is_nil(compiler.mend(string.dump(load('local s = "\77\1\2\3\54\9\0\0" return s, ' .. constant))))
    end
  end)
end)
