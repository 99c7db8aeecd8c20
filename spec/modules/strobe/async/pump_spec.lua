local Pump = require "strobe.async.pump"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"
local counter = require "spec.support.counter"
local errors = require "spec.support.errors"
local start = require("spec.support.tasks").start
local turn = require("spec.support.tasks").turn

describe("a pump", function()
  -- A pump of sources as async.iter takes them.
  local function pump_of(...)
    local sources = {}
    for i, source in ipairs { ... } do
      sources[i] = async.iter(source)
    end
    return Pump.new(sources)
  end

  -- A source that runs the body, which gets `yield`.
  local function source(body)
    return async.generator(body)()
  end

  -- Whole numbers without end, and without waiting; `read` says how many were read.
  local function endless()
    local read = 0
    return function()
      read = read + 1
      return read
    end, function()
      return read
    end
  end

  -- 1, 2, 3, …, n, and then an error.
  local function failing(e, n)
    return source(function(yield)
      for i = 1, n do
        yield(i)
      end
      error(e, 0)
    end)
  end

  -- A source whose cleanup takes `seconds`, and is noted when it comes to its end.
  local function tidy(log, seconds)
    return source(function(yield)
      local _ <close> = cleanup(function()
        async.sleep(seconds)
        table.insert(log, "clean")
      end)
      yield(1)
      async.sleep(100)
    end)
  end

  -- The task of a pump's last source.
  local function newest_task()
    local tasks = async.all_tasks()
    return tasks[#tasks]
  end

  local function rest(pump)
    local values = {}
    for value in pump.next, pump do
      values[#values + 1] = value
    end
    return values
  end

  describe("next", function()
    it("gives the values of all sources as they come, and nil when all have ended", function()
      local pump, seen = pump_of(counter(2, 2), counter(2, 1.5)), {}
      for value in pump.next, pump do
        seen[#seen + 1] = { async.time(), value }
      end
      assert.same({ { 1.5, 1 }, { 2, 1 }, { 3, 2 }, { 4, 2 } }, seen)
      assert.is_nil(pump:next())
    end)

    it("gives false as any other value", function()
      assert.same({ false, 1 }, rest(pump_of { false, 1 }))
    end)

    it("begins to read when it is first asked", function()
      local numbers, read = endless()
      local pump = pump_of(numbers)
      async.sleep(1)
      assert.equal(0, read())
      assert.equal(1, pump:next())
      assert.is_true(read() > 0)
      pump:close()
    end)

    it("lets each source be only a little ahead", function()
      local numbers, read = endless()
      local pump = pump_of(numbers)
      for i = 1, 100 do
        assert.equal(i, pump:next())
      end
      async.sleep(1)
      assert.is_true(read() < 100 + 20)
      pump:close()
    end)

    it("raises the error of a source after what came before it; the others go on", function()
      local pump = pump_of(failing("feed lost", 2), counter(1, 1))
      assert.same({ 1, 2 }, { pump:next(), pump:next() })
      assert.equal("feed lost", errors.raised_by(pump.next, pump))
      assert.equal(1, pump:next())
      assert.is_nil(pump:next())
    end)

    it("raises the error of a source that was far ahead", function()
      local pump = pump_of(failing("feed lost", 40))
      for i = 1, 40 do
        assert.equal(i, pump:next())
      end
      assert.equal("feed lost", errors.raised_by(pump.next, pump))
    end)

    it("raises the cancellation that a source met: that is no end of the values", function()
      local gone = async.create_task(async.sleep, 10)
      gone:cancel "link down"
      local pump = pump_of(source(function(yield)
        yield "a"
        gone:await()
        yield "b"
      end))
      assert.equal("a", pump:next())
      assert.equal("link down", errors.raised(async.CancelledError, pump.next, pump).message)
      assert.equal(0, async.current_task():cancelling())
      assert.is_nil(pump:next())
    end)

    it("may be called by several tasks, which share the values", function()
      local pump = pump_of(counter(4, 1))
      local a, b = async.create_task(rest, pump), async.create_task(rest, pump)
      local seen = a:await()
      table.move(b:await(), 1, 4, #seen + 1, seen)
      table.sort(seen)
      assert.same({ 1, 2, 3, 4 }, seen)
    end)
  end)

  describe("batch", function()
    it("gives lists by number and by time, and nil when all sources have ended", function()
      local pump = pump_of(counter(5, 1))
      assert.same({ 1, 2 }, pump:batch { max = 2 })
      assert.same({ 3, 4 }, pump:batch { max = 9, within = 1.5 })
      assert.same({ 5 }, pump:batch { max = 9, within = 1.5 })
      assert.is_nil(pump:batch { max = 9 })
    end)

    it("gives what came before an error, and then raises it, again and again", function()
      local pump = pump_of(failing("feed lost", 3))
      assert.same({ 1, 2, 3 }, pump:batch { max = 9 })
      for _ = 1, 2 do
        assert.equal("feed lost", errors.raised_by(pump.batch, pump, { max = 9 }))
      end
    end)

    it("and next may take turns", function()
      local pump = pump_of { 1, 2, 3 }
      assert.same({ 1, 2 }, pump:batch { max = 2 })
      assert.equal(3, pump:next())
      assert.is_nil(pump:batch { max = 2 })
    end)
  end)

  describe("close", function()
    it("ends the sources, and waits for their cleanup", function()
      local log, living = {}, #async.all_tasks()
      local pump = pump_of(tidy(log, 1), tidy(log, 2))
      assert.same({ 1, 1 }, { pump:next(), pump:next() })
      pump:close()
      assert.same({ "clean", "clean" }, log)
      assert.equal(2, async.time())
      assert.equal(living, #async.all_tasks())
    end)

    it("is the end of the values, also of those that were read ahead", function()
      local pump = pump_of((endless()))
      assert.equal(1, pump:next())
      pump:close()
      assert.is_nil(pump:next())
      assert.is_nil(pump:batch { max = 2 })
    end)

    it("before the beginning reads nothing", function()
      local numbers, read = endless()
      local pump = pump_of(numbers)
      pump:close()
      assert.is_nil(pump:next())
      assert.equal(0, read())
    end)

    it("lets go a task that waits for a value, even when the sources did not begin yet", function()
      for turns = 0, 2 do
        local pump = pump_of(counter(9, 10))
        local waiting = async.create_task(pump.next, pump)
        turn()
        for _ = 1, turns do
          turn()
        end
        pump:close()
        assert.is_nil(waiting:await())
      end
    end)

    it("twice is harmless, also while the first is under way", function()
      local log = {}
      local pump = pump_of(tidy(log, 2))
      pump:next()
      local first, second = start(pump.close, pump), start(pump.close, pump)
      async.gather(first, second)
      pump:close()
      assert.same({ "clean" }, log)
      assert.equal(2, async.time())
    end)

    it("raises once what goes wrong in the cleanup of a source", function()
      local pump = pump_of(source(function(yield)
        local _ <close> = cleanup(function()
          error("cannot close", 0)
        end)
        yield(1)
        async.sleep(100)
      end))
      pump:next()
      assert.equal("cannot close", errors.raised_by(pump.close, pump))
      pump:close()
    end)

    it("where nobody may wait says so, and can be done again", function()
      local log, message = {}, nil
      local pump = pump_of(tidy(log, 1))
      pump:next()
      async.get_running_loop():call_soon(function()
        message = select(2, pcall(pump.close, pump))
      end)
      turn()
      assert.matches("no task is running", tostring(message))
      pump:close()
      assert.same({ "clean" }, log)
    end)

    it("raises an error for which there was no room any more", function()
      local pump = pump_of(failing("feed lost", 17))
      pump:next()
      async.sleep(1) -- sixteen values wait to be read, and the error for its place
      assert.equal("feed lost", errors.raised_by(pump.close, pump))
    end)
  end)

  describe("being cancelled", function()
    it("in next loses no value, and the pump goes on", function()
      local pump = pump_of(counter(3, 2))
      errors.raised(async.TimeoutError, async.wait_for, pump.next, 1, pump)
      assert.same({ 1, 2, 3 }, rest(pump))
      assert.equal(6, async.time())
    end)

    it("in next just as a value comes leaves it for the next one", function()
      local pump = pump_of(counter(1, 1))
      local first, second = start(pump.next, pump), start(pump.next, pump)
      async.sleep(1) -- the source was a turn earlier: the first one has been woken
      first:cancel()
      assert.equal(1, second:await())
      assert.is_true(first:cancelled())
    end)

    it("in a batch puts its values back", function()
      local pump = pump_of(counter(3, 1))
      errors.raised(async.TimeoutError, async.wait_for, pump.batch, 2.5, pump, { max = 9 })
      assert.same({ 1, 2, 3 }, pump:batch { max = 9 })
    end)

    it("in close waits still for the cleanup of the sources, and is raised then", function()
      local log = {}
      local pump = pump_of(tidy(log, 5))
      pump:next()
      local closing = start(pump.close, pump)
      for _, message in ipairs { "first", "second" } do
        async.sleep(1)
        closing:cancel(message)
      end
      assert.equal("second", errors.raised(async.CancelledError, closing.await, closing).message)
      assert.same({ "clean" }, log)
      assert.equal(5, async.time())
    end)
  end)

  describe("a source that is cancelled", function()
    it("where it waits for room ends, and its cleanup runs", function()
      local log = {}
      local pump = pump_of(counter(100, nil, log))
      pump:next()
      async.sleep(1)
      pump:close()
      assert.same({ "closed" }, log)
    end)

    it("by somebody else tells the consumer", function()
      local pump = pump_of(counter(9, 1))
      assert.equal(1, pump:next())
      newest_task():cancel "ended from outside"
      assert.equal("ended from outside", errors.raised(async.CancelledError, pump.next, pump).message)
      assert.is_nil(pump:next())
    end)

    it("by somebody else while nobody reads ends all the same", function()
      local pump = pump_of((endless()))
      pump:next()
      async.sleep(1)
      local reading = newest_task()
      reading:cancel()
      async.wait({ reading }, { timeout = 1 })
      assert.is_true(reading:cancelled())
    end)
  end)

  describe("dropped", function()
    it("ends its sources when it is collected", function()
      local log = {}
      assert.equal(1, pump_of(counter(9, 1, log), counter(9, 50, log)):next())
      collector.collect()
      assert.same({ "closed", "closed" }, log)
    end)
  end)
end)
