local Folder = require "spec.support.folder"
local sources = require "strobe.debug.source"

-- The lines from 1 to `last` that have code.
local function lines_of(text, last)
  local folder <close> = Folder.new { ["a.lua"] = text }
  local next_line = assert(sources.lines(folder.path .. "/a.lua"))
  local list = {}
  for line = 1, last do
    list[#list + 1] = next_line(line) == line and line or nil
  end
  return list
end

describe("the lines of a file", function()
  it("that have code are those of all functions in it", function()
    assert.same({ 1, 5, 6, 9, 10, 11, 12 }, lines_of([[
local a = 1
-- nothing

local function f(x)
  return function(y) return x + y end
end


for i = 1, 2 do
  f(i)(
    a)
end
]], 13))
  end)

  it("are those that a hook is told", function()
    local text = [[
local t = {
  a = 1,
  b = function()
    if true then return 1 end
    return 2
  end,
}
local n = 0
while n < 3 do
  n = n + 1
  if n == 2 then goto skip end
  t.b()
  ::skip::
end
repeat
  n = n - 1
until n == 0
return n,
  t]] .. ("\n"):rep(400) .. "\n"
    local told, chunk = {}, assert(load(text, "=told"))
    local thread = coroutine.create(chunk)
    debug.sethook(thread, function(_, line)
      told[line] = debug.getinfo(2, "S").source == "=told" or told[line]
    end, "l")
    assert(coroutine.resume(thread))
    local known = {}
    for _, line in ipairs(lines_of(text, 20)) do
      known[line] = true
    end
    for line in pairs(told) do
      assert.is_true(known[line], "line " .. line)
    end
  end)

  it("behind a far jump, and of a file that is no Lua, are known too", function()
    assert.same({ 1, 502 }, lines_of("local a = 1" .. ("\n"):rep(501) .. "return a", 502))
    local folder <close> = Folder.new { ["bad.lua"] = "x = = 1", ["shell.lua"] = "#!/usr/bin/strobe\nreturn 1\n" }
    local next_line, message = sources.lines(folder.path .. "/bad.lua")
    assert.is_nil(next_line)
    assert.matches("bad.lua:1: unexpected symbol", message)
    assert.equal(2, sources.lines(folder.path .. "/shell.lua")(1))
    assert.matches("No such file", select(2, sources.lines(folder.path .. "/none.lua")))
  end)
end)

describe("the functions of a file", function()
  it("are found by name however they are written", function()
    local folder <close> = Folder.new { ["a.lua"] = [[
local M = {}
function M.on_tick(x)
  return x
end
local function helper()
  return 1
end
function M:method()
  return 2
end
M.late = function()
  return 3
end
local short = function() return 4 end
return { on_event = function(ctx)
  return ctx
end, M, helper, short }
]] }
    local path = folder.path .. "/a.lua"
    for name, line in pairs {
      on_tick = 3, ["M.on_tick"] = 3, helper = 6, method = 9, ["M:method"] = 9, late = 12, ["M.late"] = 12,
      short = 14, on_event = 16,
    } do
      assert.same({ line }, sources.functions(path, name), name)
    end
    assert.same({}, sources.functions(path, "tick"))
    assert.same({}, sources.functions(path, "none("))
    assert.same({}, sources.functions(folder.path .. "/none.lua", "helper"))
  end)
end)
