local source = require "strobe.reference.source"

-- The entries of a text, each as "owner|name|arguments", and more for methods and classes.
local function entries(text)
  local file = source.parse("modules/strobe/x.lua", text)
  local found = {}
  for i, entry in ipairs(file.entries) do
    local arguments = entry.arguments and table.concat(entry.arguments, ",") or "-"
    found[i] = ("%s|%s|%s%s%s"):format(entry.owner or "", entry.name or "", arguments, entry.method and "|method" or "",
      entry.of and "|" .. entry.of.name or "")
  end
  return found, file
end

describe("what a source says", function()
  it("begins with its head comment", function()
    local _, file = entries "--- A thing: what it does.\n--\n-- More of it.\n\nlocal x = 1\n"
    assert.equal("A thing: what it does.\n\nMore of it.", file.head)
    _, file = entries "---@meta strobe.X\n-- What is in C.\n-- luacheck: ignore 212\n\nlocal x = 1\n"
    assert.equal("What is in C.", file.head)
    assert.equal(0, #file.entries)
  end)

  it("is about functions in any form", function()
    for definition, expected in pairs {
      ["function m.go(a, b)"] = "m|go|a,b",
      ["function m.inner.go(...)"] = "m.inner|go|...",
      ["local function go()"] = "|go|",
      ["m.go = function(a)"] = "m|go|a",
      ["local go = function(a)"] = "|go|a",
      ["  go = function(self, a)"] = "|go|a|method",
      ["function M:go(a)"] = "M|go|a|method",
      ["function M.go(_, a)"] = "M|go|a|method",
      ["-- function M:go(a)"] = "M|go|a|method",
    } do
      assert.same({ expected }, (entries("local m = {}\n\n--- Goes.\n" .. definition .. "\nend\n")), definition)
    end
  end)

  it("is about values", function()
    for definition, expected in pairs {
      ["m.go = core.go"] = "m|go|-",
      ["  Future = core.new,"] = "|Future|-",
      ["local x = 1"] = "|x|-",
      ['define "TimeoutError"'] = "|TimeoutError|-",
      ['define("EOFError", Error)'] = "|EOFError|-",
    } do
      assert.same({ expected }, (entries("local m = {}\n\n--- Is.\n" .. definition .. "\n")), definition)
    end
  end)

  it("joins methods to the class above their variable, or above the table that is returned", function()
    local found = entries [[
--- A head.

---@class strobe.Queue
local Queue = {}

--- Puts.
function Queue:put(item)
end

---@class strobe.Led
return part.kind {
  --- Is it lit?
  is_lit = function(self)
  end,
}
]]
    assert.same({ "|Queue|-", "Queue|put|item|method|strobe.Queue", "||-", "|is_lit||method|strobe.Led" }, found)
  end)

  it("knows the line of each definition", function()
    local _, file = entries "local m = {}\n\n--- Goes.\n---@async\nfunction m.go()\nend\n"
    assert.equal(5, file.entries[1].line)
    assert.is_true(file.entries[1].async)
  end)

  it("is nothing where an annotation is about nothing", function()
    assert.same({ "||-" }, (entries "local m = {}\n\n---@alias strobe.X string\n\nlocal y = 1\n"))
    assert.same({}, (entries "local m = {}\n-- no annotation\nfunction m.go() end\n"))
  end)
end)
