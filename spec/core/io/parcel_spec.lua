local async = require "strobe.async"
local core = require "strobe.core.executor"
local dice = require "spec.support.dice"
local errors = require "spec.support.errors"
local json = require "strobe.json"

local copy = core.copy

-- Whether two values are the same as far as a copy can tell; `seen` pairs their tables.
local function same(a, b, seen)
  if type(a) ~= "table" or type(b) ~= "table" then
    return math.type(a) == math.type(b) and (a == b or a ~= a and b ~= b)
  elseif seen[a] then
    return seen[a] == b
  end
  seen[a] = b
  for key, value in next, a do
    if not same(value, rawget(b, key), seen) then
      return false
    end
  end
  for key in next, b do
    if rawget(a, key) == nil then
      return false
    end
  end
  return true
end

local function refused(message, ...)
  assert.equal(message, (errors.raised_by(copy, ...):gsub(", which no other thread can have$", "")))
end

describe("a parcel", function()
  describe("keeps", function()
    it("nothing, and values that are nil", function()
      assert.equal(0, select("#", copy()))
      assert.same({ n = 3, nil, false, nil }, table.pack(copy(nil, false, nil)))
    end)

    it("integers and floats apart, and all their bits", function()
      for _, n in ipairs { 0, -1, 1, 255, 256, math.maxinteger, math.mininteger } do
        local got = copy(n)
        assert.equal("integer", math.type(got))
        assert.equal(n, got)
      end
      for _, n in ipairs { 0.0, 1.0, -1.5, 1e308, 5e-324, math.huge, -math.huge, 2 ^ 53 } do
        local got = copy(n)
        assert.equal("float", math.type(got))
        assert.equal(n, got)
      end
      assert.equal("-0.0", tostring(copy(-0.0)))
      local nan = copy(0 / 0)
      assert.is_true(nan ~= nan)
    end)

    it("strings with any bytes, of any length", function()
      for _, size in ipairs { 0, 1, 127, 128, 129, 16383, 16384, 1000000 } do
        local text = ("a\0\xFFz"):rep(size // 4 + 1):sub(1, size)
        assert.equal(text, (copy(text)))
      end
    end)

    it("json.null", function()
      assert.equal(json.null, (copy(json.null)))
      assert.equal(json.null, copy({ a = json.null }).a)
    end)

    it("lists, holes in them, and keys of all kinds", function()
      for _, t in ipairs {
        {}, { 1, 2, 3 }, { 1, nil, 3, nil, 5 }, { a = 1, b = { c = 2 } }, { [1.5] = "float", [true] = "boolean" },
        { 1, 2, x = 3, [100] = 4, [-1] = 5, [0] = 6 }, { [math.mininteger] = 1, [""] = 2 },
      } do
        assert.is_true(same(t, copy(t), {}))
      end
    end)

    it("tables as keys", function()
      local key = { name = "key" }
      local got, got_key = copy({ [key] = "value", [{ 1 }] = { 2 }, after = 1 }, key)
      assert.equal("value", got[got_key])
      assert.equal("key", got_key.name)
      assert.equal(1, got.after)
    end)

    it("what is shared shared, and cycles, also between values", function()
      local shared = { 1 }
      local a = { shared, shared }
      a.me = a
      shared.back = a
      a[a] = shared
      local got, got_shared = copy(a, shared)
      assert.is_true(rawequal(got[1], got[2]) and rawequal(got[1], got_shared))
      assert.is_true(rawequal(got.me, got) and rawequal(got_shared.back, got) and rawequal(got[got], got_shared))
      assert.is_false(rawequal(got, a))
    end)

    it("a table that is a loaded module as what `require` gives", function()
      assert.equal(json, copy({ json })[1])
      assert.equal(async, (copy(async)))
      assert.equal(string, (copy(string)))
    end)

    it("the class of an error, and its fields", function()
      local e = async.TimeoutError "late"
      e.code = 7
      local got = copy(e)
      assert.is_true(async.is(got, async.TimeoutError))
      assert.equal("TimeoutError: late", tostring(got))
      assert.equal(7, got.code)
    end)

    it("deep tables, and long chains", function()
      local first = {}
      local last = first
      for i = 1, 90000 do
        last.next = { i }
        last = last.next
      end
      local got, count = copy(first), 0
      while got.next do
        got, count = got.next, count + 1
      end
      assert.equal(90000, count)
      assert.equal(90000, got[1])
    end)

    it("whatever is made up", function()
      local random = dice(4711)
      local tables = {}
      local make
      local function key()
        local kind = random(5)
        return kind == 1 and random(5) or kind == 2 and random(1000) / 8 or kind == 3 and random(2) == 1
          or ("k"):rep(random(4))
      end
      function make(depth)
        local kind = random(depth > 6 and 4 or 8)
        if kind == 1 then
          return random(1 << 20) - (1 << 19)
        elseif kind == 2 then
          return random(1000) / 7
        elseif kind == 3 then
          return ("s"):rep(random(300))
        elseif kind == 4 then
          return tables[random(#tables + 1)]
        end
        local t = {}
        tables[#tables + 1] = t
        for i = 1, random(6) do
          t[random(2) == 1 and i or key()] = make(depth + 1)
        end
        return t
      end
      for _ = 1, 300 do
        tables = {}
        local a, b = make(1), make(1)
        local got_a, got_b = copy(a, b)
        assert.is_true(same({ a, b }, { got_a, got_b }, {}))
      end
    end)
  end)

  describe("refuses", function()
    it("a function, userdata, a thread, by the place", function()
      refused("value 2 is a function", 1, function() end)
      refused("value 1 is a function of C", string.len)
      refused("value 1.book.cb is a function", { book = { cb = function() end } })
      refused("value 1[2][\"a b\"] is a thread", { 1, { ["a b"] = coroutine.create(print) } })
      refused("value 1[1.5][true] is userdata (FILE*)", { [1.5] = { [true] = io.stdout } })
      refused("value 3 is userdata (Future)", 1, 2, async.Future())
    end)

    it("such a key", function()
      refused("a key of value 1.x is a function of C", { x = { [string.len] = 1 } })
    end)

    it("a table with a metatable that has no name", function()
      refused("value 1.x is a table with a metatable", { x = setmetatable({}, {}) })
      refused("value 1 is a table with a metatable (account)", setmetatable({}, { __name = "account" }))
    end)

    it("to be too deep, and says where", function()
      local t = {}
      for _ = 1, 100001 do
        t = { t }
      end
      assert.matches("^value 1: tables lie more than 100000 deep in each other", errors.raised_by(copy, t))
    end)

    it("and can go on after that", function()
      for _ = 1, 100 do
        pcall(copy, { { {} }, { print } })
      end
      assert.same({ 1, { 2 } }, copy { 1, { 2 } })
    end)
  end)

  it("calls no metamethod", function()
    local class = { __index = error, __pairs = error, __len = error, __name = "class" }
    package.loaded["spec.parcel_class"] = class
    local got = copy(setmetatable({ 1, x = 2 }, class))
    package.loaded["spec.parcel_class"] = nil
    assert.equal(class, getmetatable(got))
    assert.equal(1, rawget(got, 1))
    assert.equal(2, rawget(got, "x"))
  end)
end)
