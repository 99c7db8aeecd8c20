local Barrier = require "spec.support.barrier"
local async = require "strobe.async"
local collector = require "spec.support.collector"
local descriptors = require "spec.support.descriptors"
local errors = require "spec.support.errors"
local strobe = require("spec.support.shell").lua
local uv = require "luv"

local raised_by = errors.raised_by

local function identity(...)
  return ...
end

-- Lines of Lua in which the main task may take its time.
local function patient(code, clock)
  return strobe("async.get_running_loop().slow_callback_duration = 10 " .. code, clock)
end

-- Lets the loop go on, in real time, until a condition holds.
local function eventually(condition)
  for _ = 1, 5000 do
    if condition() then
      return
    end
    uv.sleep(1)
    async.sleep(0)
  end
  error("it never came to be", 2)
end

describe("an executor", function()
  it("starts no thread before there is a job, and no more than it needs", function()
    local ex <close> = async.ThreadPoolExecutor { max_workers = 3 }
    assert.equal(0, ex:statistics().threads)
    for i = 1, 20 do
      ex:submit(identity, i):await()
      eventually(function()
        return ex:statistics().idle > 0
      end)
    end
    assert.equal(1, ex:statistics().started)
  end)

  it("starts threads up to max_workers", function()
    local ex <close> = async.ThreadPoolExecutor { max_workers = 3 }
    local barrier <close> = Barrier.new()
    for _ = 1, 10 do
      ex:submit(Barrier.pass, barrier.path)
    end
    assert.equal(3, ex:statistics().started)
    assert.matches("^<ThreadPoolExecutor of 3, 3 thread%(s%), %d+ job%(s%) queued>$", tostring(ex))
  end)

  it("refuses options that are none", function()
    for message, options in pairs {
      ["max_workers: a whole number from 1 to 1024 expected, got 0"] = { max_workers = 0 },
      ["max_workers: a whole number from 1 to 1024 expected, got 1.5"] = { max_workers = 1.5 },
      ["memory_limit: a whole number of 4194304 or more expected, got 1"] = { memory_limit = 1 },
      ["initializer: a function expected, got number"] = { initializer = 1 },
      ["options expected, got string"] = "x",
      ["initializer: upvalue 'barrier' is userdata"] = { initializer = (function()
        local barrier = io.stdout
        return function()
          return barrier
        end
      end)() },
      ["initializer: initargs 2 is a function"] = { initializer = identity, initargs = { 1, print } },
    } do
      assert.matches(message, raised_by(async.ThreadPoolExecutor, options), 1, true)
    end
  end)

  describe("'s job", function()
    it("that waits in the queue is taken off it when it is cancelled", function()
      local ex <close> = async.ThreadPoolExecutor(1)
      local barrier <close> = Barrier.new()
      local first = ex:submit(Barrier.pass, barrier.path)
      local second, third = ex:submit(error, "not to run"), ex:submit(identity, 3)
      barrier:reached()
      assert.equal(2, ex:statistics().queued)
      assert.is_true(second:cancel())
      async.sleep(0)
      assert.equal(1, ex:statistics().queued)
      barrier:open()
      first:await()
      assert.equal(3, third:await())
      assert.is_true(second:cancelled())
      assert.is_false(second:cancel())
    end)

    it("that runs is abandoned when it is cancelled, and its thread returns", function()
      local ex <close> = async.ThreadPoolExecutor(1)
      local barrier <close> = Barrier.new()
      local running = ex:submit(Barrier.pass, barrier.path)
      barrier:reached()
      assert.is_true(running:cancel())
      errors.raised(async.CancelledError, running.await, running)
      local next_one = ex:submit(identity, "next")
      barrier:open()
      assert.equal("next", next_one:await())
      assert.equal(1, ex:statistics().started)
    end)

    it("that waits in its thread is cancelled there, and may clean up", function()
      local ex <close> = async.ThreadPoolExecutor(1)
      local barrier <close> = Barrier.new()
      local path = barrier.path
      local job = ex:submit(function()
        local _ <close> = setmetatable({}, { __close = function()
          io.open(path .. "/cleaned", "w"):close()
        end })
        io.open(path .. "/here", "w"):close()
        require("strobe.async").Event():wait()
      end)
      local sleeper = ex:submit(function()
        require("luv").new_timer():start(1000000, 0, print) -- something may come
        require("strobe.async").Event():wait()
      end)
      barrier:reached()
      job:cancel()
      eventually(function()
        return uv.fs_stat(path .. "/cleaned")
      end)
      os.remove(path .. "/cleaned")
      async.sleep(0)
      sleeper:cancel()
      assert.equal(7, ex:submit(identity, 7):await())
    end)

    it("can be cancelled after any number of turns", function()
      local ex <close> = async.ThreadPoolExecutor(2)
      local ended = { [true] = 0, [false] = 0 }
      for turns = 0, 60 do
        local t = async.create_task(function()
          return ex:submit(identity, { turns }):await()
        end)
        for _ = 1, turns % 12 do
          async.sleep(0)
        end
        if turns % 3 == 0 then
          uv.sleep(1)
        end
        t:cancel()
        async.wait { t }
        ended[t:cancelled()] = ended[t:cancelled()] + 1
        if not t:cancelled() then
          assert.same({ turns }, t:result())
        end
      end
      assert.is_true(ended[true] > 0)
      assert.equal("after", ex:submit(identity, "after"):await())
    end)

    it("that waits for ever is an error", function()
      local ex <close> = async.ThreadPoolExecutor(1)
      local e = errors.raised(async.DeadlockError, function()
        ex:submit(function()
          require("strobe.async").Event():wait()
        end):await()
      end)
      assert.matches("it waits for ever", e.message)
      assert.equal(1, ex:submit(identity, 1):await())
    end)

    it("that waits for ever and will not be cancelled costs its thread, and the next gets another", function()
      local ex <close> = async.ThreadPoolExecutor(1)
      local stubborn = ex:submit(function()
        while true do
          pcall(function()
            require("strobe.async").Event():wait()
          end)
        end
      end)
      local behind = ex:submit(identity, "behind")
      errors.raised(async.DeadlockError, stubborn.await, stubborn)
      assert.equal("behind", behind:await())
      assert.equal(2, ex:statistics().started)
    end)
  end)

  describe("shutdown", function()
    it("waits until all jobs have ended, and lets no more come", function()
      local barrier <close> = Barrier.new()
      local ex = async.ThreadPoolExecutor(1)
      local running, queued = ex:submit(Barrier.pass, barrier.path), ex:submit(identity, "queued")
      local shutdown = async.create_task(ex.shutdown, ex)
      barrier:reached()
      assert.matches("executor_end_spec.lua:%d+: submit: .*cannot schedule new futures after shutdown",
        raised_by(function()
          ex:submit(identity)
        end))
      assert.is_false(shutdown:done())
      barrier:open()
      shutdown:await()
      assert.is_true(running:done())
      assert.equal("queued", queued:result())
      assert.equal(0, ex:statistics().threads)
      ex:shutdown()
      ex:shutdown(false)
      assert.matches(", shut down>$", tostring(ex))
    end)

    it("with wait=false returns at once, and jobs go on to their end", function()
      local barrier <close> = Barrier.new()
      local ex = async.ThreadPoolExecutor(1)
      local running, queued = ex:submit(Barrier.pass, barrier.path), ex:submit(identity, "queued")
      ex:shutdown { wait = false }
      barrier:open()
      assert.equal("queued", queued:await())
      assert.is_true(running:done())
    end)

    it("with cancel_futures cancels what has not begun", function()
      local barrier <close> = Barrier.new()
      local ex = async.ThreadPoolExecutor(1)
      local running = ex:submit(Barrier.pass, barrier.path)
      barrier:reached()
      local queued = { ex:submit(identity), ex:submit(identity) }
      ex:shutdown { wait = false, cancel_futures = true }
      assert.is_true(queued[1]:cancelled() and queued[2]:cancelled())
      assert.is_false(running:done())
      barrier:open()
      ex:shutdown()
      running:await()
    end)

    it("of one that was never used does nothing", function()
      local ex = async.ThreadPoolExecutor()
      ex:shutdown()
      assert.matches("cannot schedule new futures after shutdown", raised_by(ex.submit, ex, identity))
    end)

    it("can be cancelled while it waits", function()
      local barrier <close> = Barrier.new()
      local ex = async.ThreadPoolExecutor(1)
      local running = ex:submit(Barrier.pass, barrier.path)
      local shutdown = async.create_task(ex.shutdown, ex)
      barrier:reached()
      shutdown:cancel()
      async.wait { shutdown }
      assert.is_true(shutdown:cancelled())
      barrier:open()
      running:await()
      ex:shutdown()
    end)

    it("at the end of a block waits; after an error it cancels what has not begun", function()
      local barrier <close> = Barrier.new()
      local running, queued
      local t = async.create_task(function()
        local ex <close> = async.ThreadPoolExecutor(1)
        running = ex:submit(Barrier.pass, barrier.path)
        queued = ex:submit(identity)
        barrier:reached()
        error "left"
      end)
      barrier:reached()
      async.sleep(0)
      eventually(function()
        return queued:done()
      end)
      assert.is_false(t:done())
      barrier:open()
      assert.matches("left", raised_by(t.await, t))
      assert.is_true(running:done())
    end)
  end)

  it("that is dropped ends by itself, and its jobs before", function()
    local before = descriptors()
    local futures = {}
    do
      local ex = async.ThreadPoolExecutor(2)
      for i = 1, 20 do
        futures[i] = ex:submit(identity, i)
      end
    end
    collector.collect()
    for i = 1, 20 do
      assert.equal(i, futures[i]:await())
    end
    for _ = 1, 10 do
      async.ThreadPoolExecutor(1):submit(identity):await()
    end
    collector.collect()
    eventually(function()
      return descriptors() <= before
    end)
  end)

  it("takes an error that nobody awaits for news", function()
    local output = strobe [[
      local ex <close> = async.ThreadPoolExecutor(1)
      ex:submit(error, "unheard")
      ex:shutdown()
      collectgarbage()]]
    assert.matches("exception was never retrieved\nunheard", output)
  end)

  describe("when the script ends", function()
    it("has code that does not wait interrupted, also when that catches errors", function()
      if os.getenv "TSAN_OPTIONS" then
        pending "the thread sanitizer keeps signals back until a thread calls the C library"
        return
      end
      local output, status = patient [[
        local function job()
          local _ <close> = setmetatable({}, {__close = function() print "cleaned up" end})
          while true do end
        end
        async.create_task(async.to_thread, job)
        async.create_task(async.to_thread, function()
          while true do pcall(function() while true do end end) end
        end)
        require "luv".sleep(100)
        async.sleep(0)
        require "luv".sleep(100)
        print "the end"]]
      assert.equal("the end\ncleaned up\n", output)
      assert.equal(0, status)
    end)

    it("cancels what waits, and drops what has not begun", function()
      local output, status = patient([[
        local ex = async.ThreadPoolExecutor(1)
        ex:submit(function()
          local _ <close> = setmetatable({}, {__close = function() print "cleaned up" end})
          print "begun"
          require "strobe.async".sleep(1000)
        end)
        ex:submit(print, "not to be seen")
        require "luv".sleep(300)]], "live")
      assert.equal("begun\ncleaned up\n", output)
      assert.equal(0, status)
    end)

    it("leaves a thread behind that a library blocks, and says so", function()
      local began = uv.hrtime()
      local output, status = patient [[
        async.create_task(async.to_thread, function() os.execute "exec sleep 8 >/dev/null 2>&1" end)
        async.sleep(0)
        require "luv".sleep(200)]]
      assert.equal("strobe: 1 thread(s) of strobe would not end and were left behind\n", output)
      assert.equal(0, status)
      assert.is_true(uv.hrtime() - began < 7e9)
    end)
  end)
end)
