local Barrier = require "spec.support.barrier"
local async = require "strobe.async"
local errors = require "spec.support.errors"

local raised_by = errors.raised_by

local function double(n)
  return 2 * n
end

local function numbers(n)
  local list = {}
  for i = 1, n do
    list[i] = i
  end
  return list
end

local function collect(...)
  local list = {}
  for value in ... do
    list[#list + 1] = value
  end
  return list
end

describe("executor:map", function()
  local ex

  before_each(function()
    ex = async.ThreadPoolExecutor { max_workers = 2 }
  end)

  after_each(function()
    ex:shutdown()
  end)

  it("iterates over results in order, however long each takes", function()
    local list = collect(ex:map(function(n)
      local _ = ("x"):rep(n % 7 * 10000)
      return n
    end, numbers(200)))
    assert.same(numbers(200), list)
  end)

  it("takes several lists, up to the end of the shortest, and results may be several", function()
    local list = {}
    for sum, product in ex:map(function(a, b)
      return a + b, a * b
    end, { 1, 2, 3 }, { 4, 5 }) do
      list[#list + 1] = { sum, product }
    end
    assert.same({ { 5, 4 }, { 7, 10 } }, list)
  end)

  it("of nothing is nothing", function()
    assert.same({}, collect(ex:map(double, {})))
  end)

  it("takes iterators and generators, and closes these", function()
    local closed = false
    local source = async.generator(function(yield)
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      for i = 1, 100 do
        yield(i)
      end
    end)
    local list = {}
    for n in ex:map(double, source()) do
      list[#list + 1] = n
      if #list == 3 then
        break
      end
    end
    async.sleep(0)
    assert.same({ 2, 4, 6 }, list)
    assert.is_true(closed)
    assert.same({ 2, 4 }, collect(ex:map(double, ("1 2"):gmatch "%d")))
  end)

  it("goes ahead of who asks by its buffersize, and no further", function()
    local given = 0
    local function source()
      given = given + 1
      return given <= 100 and given or nil
    end
    local map = ex:map(double, source, { buffersize = 5 })
    assert.equal(5, given)
    assert.equal(2, map())
    assert.equal(6, given)
    map:close()
    assert.is_nil(map())
  end)

  it("puts chunksize calls into a job", function()
    local function f(n)
      count = (count or 0) + 1 -- luacheck: ignore
      return n
    end
    for _, size in ipairs { 1, 3, 7, 10, 1000 } do
      assert.same(numbers(10), collect(ex:map(f, numbers(10), { chunksize = size })))
    end
    assert.same(numbers(1000), collect(ex:map(f, numbers(1000), { chunksize = 100, buffersize = 2 })))
  end)

  it("takes a list that looks like options at the first place, or is empty, as a list", function()
    assert.same({}, collect(ex:map(double, { chunksize = 1 })))
    assert.same({}, collect(ex:map(double, { 1 }, {})))
  end)

  it("raises an error where its result would be, and ends", function()
    local map = ex:map(function(n)
      if n == 3 then
        error "three"
      end
      return n
    end, numbers(10))
    assert.equal(1, map())
    assert.equal(2, map())
    assert.matches("three\n", raised_by(map))
    assert.is_nil(map())
  end)

  it("refuses a result that is nil, as it would end the iteration", function()
    local map = ex:map(function(n)
      return n ~= 2 and n or nil
    end, numbers(3))
    assert.equal(1, map())
    assert.matches("map: call 2 returned nil", raised_by(map))
  end)

  it("names the call whose argument cannot be copied", function()
    assert.matches("map: argument 1 of call 3%.cb is a function", raised_by(ex.map, ex, double,
      { 1, 2, { cb = print } }, { chunksize = 2 }))
    assert.matches("map: argument 2 of call 2 is a function", raised_by(ex.map, ex, double, { 1, 2 }, { 1, print }))
  end)

  it("refuses what is no list, no function, no size", function()
    assert.matches("map: source 2: a list or an iterator expected, got number", raised_by(ex.map, ex, double, {}, 1))
    assert.matches("map: a list or an iterator expected", raised_by(ex.map, ex, double))
    assert.matches("map: a function expected, got table", raised_by(ex.map, ex, {}, {}))
    assert.matches("map: chunksize: a whole number from 1 to 100000 expected, got 0",
      raised_by(ex.map, ex, double, { 1 }, { chunksize = 0 }))
  end)

  it("cancels what is left when the loop is left", function()
    local barrier <close> = Barrier.new()
    for n in ex:map(function(n)
      if n > 1 then
        Barrier.pass(barrier.path) -- luacheck: ignore
      end
      return n
    end, numbers(100), { buffersize = 50 }) do
      if n == 1 then
        break
      end
    end
    async.sleep(0)
    assert.equal(0, ex:statistics().queued)
  end)

  it("can be cancelled where it waits", function()
    local barrier <close> = Barrier.new()
    local t = async.create_task(function()
      for _ in ex:map(Barrier.pass, { barrier.path, barrier.path, barrier.path, barrier.path }) do
        error "not reached"
      end
    end)
    barrier:reached()
    t:cancel()
    async.wait { t }
    assert.is_true(t:cancelled())
    async.sleep(0)
    assert.equal(0, ex:statistics().queued)
  end)
end)
