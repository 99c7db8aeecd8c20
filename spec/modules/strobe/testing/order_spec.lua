local async = require "strobe.async"
local errors = require "spec.support.errors"
local testing = require "strobe.testing"

-- The order in which tasks run that were made one after the other.
local function order_of(count)
  local log = {}
  for i = 1, count do
    async.create_task(table.insert, log, i)
  end
  async.sleep(0)
  return table.concat(log, " ")
end

local function shuffled_order(seed, count)
  local shuffled <close> = testing.shuffle(seed) -- luacheck: ignore
  return order_of(count)
end

describe("testing.shuffle", function()
  it("draws the order of tasks that are ready by its seed", function()
    testing.fifo()
    assert.equal(shuffled_order(7, 20), shuffled_order(7, 20))
    assert.not_equal(shuffled_order(7, 20), shuffled_order(8, 20))
    assert.equal("1 2 3 4 5", order_of(5))
  end)

  it("draws every order there is", function()
    testing.fifo()
    local seen, count = {}, 0
    for seed = 1, 200 do
      local order = shuffled_order(seed, 4)
      count = count + (seen[order] and 0 or 1)
      seen[order] = true
    end
    assert.equal(24, count)
  end)

  it("loses and doubles no task, however many are ready", function()
    local shuffled <close> = testing.shuffle(1) -- luacheck: ignore
    local seen, count = {}, 0
    for i = 1, 5000 do
      async.create_task(function()
        count = count + 1
        seen[i] = true
      end)
    end
    async.sleep(0)
    assert.equal(5000, count)
    assert.equal(5000, #seen)
  end)

  it("keeps the promise of sleep(0): what was ready runs before it returns", function()
    for seed = 1, 50 do
      local shuffled <close> = testing.shuffle(seed) -- luacheck: ignore
      local log = {}
      for i = 1, 3 do
        async.create_task(function()
          log[i] = true
          async.sleep(0)
          log[-i] = log[1] and log[2] and log[3]
        end)
      end
      async.sleep(0)
      assert.same({ true, true, true }, log)
      async.sleep(0)
      assert.is_true(log[-1] and log[-2] and log[-3])
    end
  end)

  it("keeps callbacks in their order, and tasks behind those that were ready before", function()
    local loop = async.get_running_loop()
    for seed = 1, 50 do
      local shuffled <close> = testing.shuffle(seed) -- luacheck: ignore
      local log = {}
      for i = 1, 6 do
        loop:call_soon(table.insert, log, i)
        async.create_task(function()
          assert.is_true(#log >= i)
        end)
      end
      async.sleep(0)
      assert.same({ 1, 2, 3, 4, 5, 6 }, log)
    end
  end)

  it("runs done callbacks before who awaits the same", function()
    for seed = 1, 50 do
      local shuffled <close> = testing.shuffle(seed) -- luacheck: ignore
      local task, told = async.create_task(async.sleep, 1), false
      task:add_done_callback(function()
        told = true
      end)
      task:await()
      assert.is_true(told)
    end
  end)

  it("shuffles what one deadline wakes", function()
    local seen = {}
    for seed = 1, 20 do
      local shuffled <close> = testing.shuffle(seed) -- luacheck: ignore
      local first
      for i = 1, 2 do
        async.create_task(function()
          async.sleep(1)
          first = first or i
        end)
      end
      async.sleep(2)
      seen[first] = true
    end
    assert.same({ true, true }, seen)
  end)

  it("may stand within another one, which goes on behind it", function()
    testing.fifo()
    local outer <close> = testing.shuffle(3)
    local inner = testing.shuffle(4)
    inner:close()
    inner:close()
    assert.equal(shuffled_order(3, 8), order_of(8))
    outer:close()
    assert.equal("1 2 3 4", order_of(4))
  end)

  it("takes a whole number", function()
    assert.matches("testing.shuffle: a whole number expected, got 1.5", errors.raised_by(testing.shuffle, 1.5))
  end)
end)

describe("testing.fifo", function()
  it("has tasks run in the order in which they became ready", function()
    local shuffled <close> = testing.shuffle(1) -- luacheck: ignore
    testing.fifo()
    assert.equal("1 2 3 4 5 6 7 8", order_of(8))
  end)
end)
