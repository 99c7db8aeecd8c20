local locals = require "strobe.live.locals"
local sources = require "strobe.live.source"

-- Executes a text: what it returns, and a function that tells the names and lines of what has changed since.
local function load_module(text, ignored)
  local source = sources.new("/mm.lua", text)
  local value = sources.chunk(source, { setmetatable = setmetatable })()
  local list = locals.of(source, value, ignored or {})
  return value, function()
    local said = {}
    for i, variable in ipairs(locals.changed(list)) do
      said[i] = ("%s:%d"):format(variable.name, variable.line)
    end
    return said
  end
end

describe("the locals of a module", function()
  it("have changed when an entry was put into a table, changed, or taken out", function()
    local unit, changed = load_module [[
      local cache, list, same = {}, { 1, 2 }, { x = { y = {} } }
      local
        deep
      deep = { a = { b = { c = 1 } } }
      return {
        put = function(k) cache[k] = true end, take = function() list[2] = nil end,
        look = function() return same.x.y end, change = function() deep.a.b.c = 2 end,
      }]]
    assert.same({}, changed())
    unit.look()
    assert.same({}, changed())
    unit.put "btc"
    assert.same({ "cache:1" }, changed())
    unit.take()
    unit.change()
    assert.same({ "cache:1", "list:1", "deep:7" }, changed())
  end)

  it("have changed when another table took the place of one, or of nothing, but not if it is equal", function()
    local unit, changed = load_module [[
      local one, two, three = { 1 }, nil, { 1 }
      return { set = function() one, two, three = { 2 }, {5}, { 1 } end }]]
    unit.set()
    assert.same({ "one:1", "two:1" }, changed())
  end)

  it("are found behind functions, and in tables of functions", function()
    local unit, changed = load_module [[
      local hidden = {}
      local function put() hidden[1] = 1 end
      local M = { put = function() put() end }
      return setmetatable({ go = function() M.put() end }, {})]]
    unit.go()
    assert.same({ "hidden:1" }, changed())
    local f, f_changed = load_module "local n = {}\nreturn function() n[1] = 1 end"
    f()
    assert.same({ "n:1" }, f_changed())
  end)

  it("are not those of others, nor objects", function()
    local other = { n = 0 }
    local unit, changed = load_module([[
      local other, object = ..., setmetatable({}, {})
      return { go = function() object.x = 1 if other then other.n = 1 end end }]], { [other] = true })
    unit.go()
    assert.same({}, changed())
    assert.same({}, locals.of(sources.new("/mm.lua", "return 1"), 5, {}))
    assert.same({}, locals.of(sources.new("/mm.lua", "return 1"), { print = print, say = io.write }, {}))
  end)

  it("are looked at up to an end", function()
    local unit, changed = load_module [[
      local large, ring = {}, {}
      ring.ring = ring
      for i = 1, 100000 do large[i] = { i } end
      return { go = function() ring.x = 1 large[1] = 0 end }]]
    unit.go()
    assert.same({ "large:1", "ring:1" }, changed())
  end)
end)
