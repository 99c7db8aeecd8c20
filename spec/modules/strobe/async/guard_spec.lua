local Guard = require "strobe.async.guard"
local async = require "strobe.async"
local errors = require "spec.support.errors"

describe("a guard", function()
  local released

  before_each(function()
    released = 0
  end)

  -- Something that counts its releases; `release` does what it is told besides.
  local function resource(release)
    return setmetatable({
      release = function()
        released = released + 1
        if release then
          release()
        end
      end,
    }, {
      __tostring = function()
        return "the resource"
      end,
    })
  end

  describe("at the end of its block", function()
    it("releases what it holds", function()
      do
        local held <close> = Guard.new(resource()) -- luacheck: ignore
        assert.equal(0, released)
      end
      assert.equal(1, released)
    end)

    it("releases when the block is left by an error, which passes", function()
      local e = errors.raised_by(function()
        local held <close> = Guard.new(resource()) -- luacheck: ignore
        error("mine", 0)
      end)
      assert.equal("mine", e)
      assert.equal(1, released)
    end)

    it("releases when the task is cancelled where it waits in the block", function()
      local task = async.create_task(function()
        local held <close> = Guard.new(resource()) -- luacheck: ignore
        async.sleep(10)
      end)
      async.sleep(1)
      assert.equal(0, released)
      task:cancel()
      errors.raised(async.CancelledError, task.await, task)
      assert.equal(1, released)
    end)

    it("passes the results of the block", function()
      local function block()
        local held <close> = Guard.new(resource()) -- luacheck: ignore
        return "a", nil, "c"
      end
      assert.same({ n = 3, "a", nil, "c" }, table.pack(block()))
    end)

    it("releases several in the reverse order", function()
      local log = {}
      local function note(name)
        return function()
          table.insert(log, name)
        end
      end
      do
        local outer <close> = Guard.new(resource(note "outer")) -- luacheck: ignore
        local inner <close> = Guard.new(resource(note "inner")) -- luacheck: ignore
      end
      assert.same({ "inner", "outer" }, log)
    end)

    it("waits for a release that waits, and lets a cancellation reach it", function()
      local reached
      local task = async.create_task(function()
        local held <close> = Guard.new(resource(function() -- luacheck: ignore
          async.sleep(5)
          reached = true
        end))
      end)
      async.sleep(1)
      assert.is_false(task:done())
      task:cancel()
      errors.raised(async.CancelledError, task.await, task)
      assert.is_nil(reached)
      assert.equal(1, async.time())
    end)
  end)

  describe("release", function()
    it("releases before the end of the block, which then does nothing", function()
      do
        local held <close> = Guard.new(resource())
        held:release()
        assert.equal(1, released)
      end
      assert.equal(1, released)
    end)

    it("twice releases once", function()
      local held = Guard.new(resource())
      held:release()
      held:release()
      assert.equal(1, released)
    end)

    it("that fails raises, and is not tried again", function()
      local held = Guard.new(resource(function()
        error("cannot release", 0)
      end))
      assert.equal("cannot release", errors.raised_by(held.release, held))
      held:release()
      assert.equal(1, released)
    end)
  end)

  it("says what it holds, and that it was released", function()
    local held = Guard.new(resource())
    assert.equal("<guard of the resource>", tostring(held))
    held:release()
    assert.equal("<guard of nothing: it was released>", tostring(held))
  end)

  for name, make in pairs {
    Lock = async.Lock,
    Semaphore = async.Semaphore,
    BoundedSemaphore = async.BoundedSemaphore,
    Condition = async.Condition,
  } do
    it("is what acquire of a " .. name .. " returns", function()
      local object = make()
      do
        local held <close> = object:acquire() -- luacheck: ignore
        assert.is_true(object:locked())
        assert.matches("^<guard of <", tostring(held))
      end
      assert.is_false(object:locked())
    end)
  end
end)
