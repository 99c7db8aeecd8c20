local refusals = require "strobe.live.refusal"
local state = require "strobe.live.state"

local function refused(value, ...)
  local ok, e = pcall(state.copy, value, ...)
  assert.is_false(ok)
  assert.is_true(refusals.is(e), tostring(e))
  return e.code, e.message
end

describe("a state's copy", function()
  it("is equal and apart, with integers and floats as they were", function()
    local value = { 1, 2.0, "x", true, nested = { [1.5] = "half", [false] = 0 } }
    local copy, tables = state.copy(value)
    assert.same(value, copy)
    assert.equal(2, tables)
    assert.equal("integer", math.type(copy[1]))
    assert.equal("float", math.type(copy[2]))
    copy.nested[1.5] = "changed"
    assert.equal("half", value.nested[1.5])
  end)

  it("keeps what is shared shared, and cycles", function()
    local shared = {}
    local value = { a = shared, b = { c = shared } }
    value.self = value
    local copy, tables = state.copy(value)
    assert.equal(copy.a, copy.b.c)
    assert.equal(copy, copy.self)
    assert.not_equal(shared, copy.a)
    assert.equal(3, tables)
  end)

  it("follows a list of 200,000 to its end, and refuses a longer one", function()
    local list, last = nil, nil
    for i = 1, 199999 do
      list = { next = list, i = i }
    end
    local copy = state.copy { list = list }
    local length, node = 0, copy.list
    while node do
      length, last, node = length + 1, node, node.next
    end
    assert.equal(199999, length)
    assert.equal(1, last.i)
    assert.equal("state_size", (refused { list = { next = list } }))
  end)

  it("refuses what is no data, and names its path", function()
    local cases = {
      { { book = { cb = print } }, "st.book.cb is a function" },
      { { list = { 1, { ["a b"] = coroutine.create(print) } } }, 'st.list[2]["a b"] is a coroutine' },
      { { io = io.stderr }, "st.io is a userdata" },
      { { by = { [{}] = 1 } }, "st.by is a table with a table as a key" },
      { { p = setmetatable({}, {}) }, "st.p is a table with a metatable; declare it with live.type(name, metatable)" },
    }
    for _, case in ipairs(cases) do
      assert.same({ "state_type", case[2] }, { refused(case[1]) })
    end
  end)

  it("gets the metatable which the new code has declared under the old one's name", function()
    local old, new = { __name = "old" }, { __name = "new" }
    local from, to = state.types(), state.types()
    from.names[old], from.metatables.Price = "Price", old
    to.names[new], to.metatables.Price = "Price", new
    local value = { last = setmetatable({ 5 }, old) }
    assert.equal(old, getmetatable(state.copy(value, from).last))
    assert.equal(new, getmetatable(state.copy(value, from, to).last))
    assert.same({ "state_type", "st.last is of type 'Price', which the new code does not declare with live.type" },
      { refused(value, from, state.types()) })
  end)

  it("gets a metatable that is protected, too", function()
    local old, new = { __metatable = "Price" }, { __metatable = "Price" }
    local from, to = state.types(), state.types()
    state.declare(from, "Price", old)
    state.declare(to, "Price", new)
    local copy = state.copy({ setmetatable({ 5 }, old) }, from, to)
    assert.equal(new, debug.getmetatable(copy[1]))
    assert.equal("state_type", (refused { setmetatable({}, { __metatable = false }) }))
  end)

  it("asks no metamethods", function()
    local trap = setmetatable({ 1 }, { __pairs = error, __index = error, __len = error })
    local types = state.types()
    types.names[getmetatable(trap)], types.metatables.Trap = "Trap", {}
    assert.same({ 1 }, state.copy({ trap }, types)[1])
  end)
end)

describe("a state's check", function()
  local function refused_by_check(value, ...)
    local ok, e = pcall(state.check, value, ...)
    assert.is_false(ok)
    assert.is_true(refusals.is(e), tostring(e))
    return e.code, e.message
  end

  it("lets pass what can be copied, however deep, shared and around it goes", function()
    local value = { 1, 2.5, "x", true, [false] = {}, deep = {} }
    value.again, value.self = value.deep, value
    local node = value.deep
    for _ = 1, 199900 do
      node.next = {}
      node = node.next
    end
    state.check(value)
  end)

  it("refuses what the copy does, with the same words", function()
    local types = state.types()
    local Price = {}
    state.declare(types, "Price", Price, "/mm.lua")
    state.check({ setmetatable({ 1 }, Price) }, types)
    for _, value in ipairs {
      { a = { b = print } }, { [{}] = 1 }, { x = io.stdout }, { t = coroutine.create(print) },
      { m = setmetatable({}, {}) }, { p = setmetatable({ f = print }, Price) },
    } do
      assert.same({ refused(value, types) }, { refused_by_check(value, types) })
    end
    local many = {}
    for i = 1, 200000 do
      many[i] = {}
    end
    assert.same({ refused(many) }, { refused_by_check(many) })
  end)
end)
