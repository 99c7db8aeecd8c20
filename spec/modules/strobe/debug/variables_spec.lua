local protocol = require "strobe.debug.protocol"
local variables = require "strobe.debug.variables"

local OWNER = { task = {} }
-- What may be sent in one message.
local MOST = 1024 * 1024

-- What a value is told to have inside.
local function inside(value, page)
  local list = variables.new()
  local told = list:tell(value, OWNER, "v")
  local container = list:container(told.variablesReference)
  page = { filter = page and page.filter, start = page and page.start or 0, count = page and page.count or 0 }
  return list:list(container, page), told, container
end

local function size_of(list)
  return #assert(protocol.encode { variables = list })
end

describe("a value with much inside", function()
  it("is told in a message that can be sent, the more the shorter", function()
    local value = {}
    for i = 1, 3000 do
      value[i] = ("é\"\\"):rep(2000)
      value[("\xff"):rep(3000) .. i] = ("\0\1"):rep(2000)
    end
    local list = inside(value)
    assert.equal(2000, #list)
    assert.is_true(size_of(list) < MOST)
    local few = inside(value, { filter = "indexed", start = 5, count = 2 })
    assert.equal(2, #few)
    assert.is_true(#few[1].value > #list[1].value)
  end)

  it("is told by its keys, but those that are longer than a text may be", function()
    local list = inside { [("k"):rep(1e7)] = 1, short = 2 }
    assert.is_true(size_of(list) < 10000)
    assert.same({ "v.short" }, { list[1].evaluateName or list[2].evaluateName })
  end)

  it("is counted as far as that is quick", function()
    local value = {}
    for i = 1, 50000 do
      value["k" .. i] = i
    end
    local list, told = inside(value, { start = 49999 })
    assert.equal(1, #list)
    assert.equal(10001, told.namedVariables)
    local few, counted = inside(setmetatable({ 1, 2, x = 3 }, {}))
    assert.same({ 2, 2, 4 }, { counted.indexedVariables, counted.namedVariables, #few })
  end)

  it("calls nothing of what it finds there", function()
    local all = { __tostring = error, __index = error, __len = error, __pairs = error, __lt = error }
    local hostile = setmetatable({}, all)
    local list = inside { [hostile] = 1, [setmetatable({}, all)] = 2, [true] = 3, [2.5] = 4, x = 5 }
    assert.equal(5, #list)
    assert.is_table(inside(hostile))
  end)
end)

describe("a variable that is set", function()
  it("is the one of that name, also when that was cut", function()
    local long = ("k"):rep(3000)
    local value = { 1, 2, x = 3, [long] = 4 }
    local _, _, container = inside(value)
    local list = variables.new()
    assert.is_true(list:set(container, "[2]", "two"))
    assert.is_true(list:set(container, "x", "three"))
    assert.same({ 1, "two" }, { value[1], value[2] })
    assert.equal("three", value.x)
    assert.is_nil((list:set(container, "[3]", 1)))
    assert.is_true(list:set(container, ("k"):rep(50) .. "…", "four"))
    assert.equal("four", value[long])
    value[long .. "2"] = 5
    container.keys = nil
    local done, message = list:set(container, ("k"):rep(50) .. "…", "five")
    assert.is_nil(done)
    assert.matches("there are several", message)
    value["- " .. long] = 6
    container.keys = nil
    assert.is_true(list:set(container, '["- ' .. ("k"):rep(50) .. "…]", "six"))
    assert.equal("six", value["- " .. long])
  end)
end)

describe("a text that is cut", function()
  it("ends with a whole character", function()
    assert.equal("short", variables.cut("short", 5))
    assert.equal("sho…", variables.cut("short", 3))
    assert.equal("a…", variables.cut("a€€", 3))
    assert.equal("a€…", variables.cut("a€€", 5))
    assert.is_true(#variables.cut(("\x80"):rep(100), 10) < 20)
  end)
end)
