local async = require "strobe.async"
local report = require "strobe.report"
local collected = require "spec.support.reports"
local strobe = require("spec.support.shell").lua
local uv = require "luv"

describe("the loop", function()
  local loop = async.get_running_loop()

  it("is one, runs, and is not closed", function()
    assert.equal(loop, async.get_running_loop())
    assert.is_true(loop:is_running())
    assert.is_false(loop:is_closed())
    assert.equal("<Loop running>", tostring(loop))
  end)

  it("has the time of async.time", function()
    async.sleep(3)
    assert.equal(3, loop:time())
    assert.equal(async.time(), loop:time())
  end)

  describe("call_soon", function()
    it("calls in the next turn, in order, with the arguments", function()
      local log = {}
      for i = 1, 3 do
        loop:call_soon(function(...)
          table.insert(log, { i, ... })
        end, "a", nil, "b")
      end
      assert.same({}, log)
      async.sleep(0)
      assert.same({ { 1, "a", nil, "b" }, { 2, "a", nil, "b" }, { 3, "a", nil, "b" } }, log)
    end)

    it("may be cancelled; twice is harmless", function()
      local called
      local handle = loop:call_soon(function()
        called = true
      end)
      assert.is_false(handle:cancelled())
      handle:cancel()
      handle:cancel()
      assert.is_true(handle:cancelled())
      async.sleep(0)
      async.sleep(0)
      assert.is_nil(called)
    end)

    it("of what waits is refused, and reported", function()
      local reports = {}
      loop:set_exception_handler(function(_, context)
        table.insert(reports, context)
      end)
      loop:call_soon(async.sleep, 1)
      async.sleep(0)
      async.sleep(0)
      loop:set_exception_handler(nil)
      assert.equal(1, #reports)
      assert.matches("cannot wait here: no task is running", tostring(reports[1].failure.error))
    end)
  end)

  describe("call_later and call_at", function()
    it("call at their time; those of one time in the order they were made", function()
      local log = {}
      local function note(name)
        table.insert(log, ("%s %g"):format(name, loop:time()))
      end
      loop:call_later(2, note, "b")
      loop:call_at(1, note, "a")
      loop:call_at(2, note, "c")
      loop:call_later(0, note, "now")
      loop:call_later(-5, note, "past")
      async.sleep(3)
      assert.same({ "now 0", "past 0", "a 1", "b 2", "c 2" }, log)
    end)

    it("tell when, and may be cancelled, also by another callback of the same time", function()
      local called
      local handle
      loop:call_at(5, function()
        handle:cancel()
      end)
      handle = loop:call_later(5, function()
        called = true
      end)
      assert.equal(5, handle:when())
      async.sleep(6)
      assert.is_nil(called)
    end)
  end)

  describe("create_task and create_future", function()
    it("are those of async", function()
      local f = loop:create_future()
      local t = loop:create_task(function()
        return f:await()
      end)
      f:set_result "there"
      assert.equal("there", t:await())
    end)
  end)

  describe("an exception handler", function()
    after_each(function()
      loop:set_exception_handler(nil)
    end)

    it("gets what nobody handles: the loop and a context", function()
      local seen
      loop:set_exception_handler(function(l, context)
        assert.equal(loop, l)
        seen = context
      end)
      loop:call_soon(function()
        error("mine", 0)
      end)
      async.sleep(0)
      async.sleep(0)
      assert.equal("error in a callback", seen.message)
      assert.equal("mine", seen.failure.error)
      loop:call_exception_handler { message = "told" }
      assert.equal("told", seen.message)
      assert.is_function(loop:get_exception_handler())
    end)

    it("is a function or nil", function()
      assert.is_false(pcall(loop.set_exception_handler, loop, "x"))
      assert.is_nil(loop:get_exception_handler())
    end)
  end)

  describe("a signal handler", function()
    it("runs in a task, which may wait, for each signal", function()
      local count, last = 0, nil
      loop:add_signal_handler("SIGUSR1", function(word)
        async.sleep(1)
        count, last = count + 1, word
      end, "hello")
      for expected = 1, 2 do
        uv.kill(uv.os_getpid(), "sigusr1")
        async.sleep(10)
        assert.equal(expected, count)
      end
      assert.equal("hello", last)
      assert.is_true(loop:remove_signal_handler "sigusr1")
      assert.is_false(loop:remove_signal_handler "SIGUSR1")
    end)

    it("replaces the one before, by name or number", function()
      local log = {}
      loop:add_signal_handler("sigusr1", table.insert, log, "first")
      loop:add_signal_handler(uv.constants.SIGUSR1, table.insert, log, "second")
      uv.kill(uv.os_getpid(), "sigusr1")
      async.sleep(1)
      loop:remove_signal_handler "sigusr1"
      assert.same({ "second" }, log)
    end)

    it("of no signal is refused and named", function()
      for _, wrong in ipairs { "SIGNOTHING", {}, 1.5 } do
        local ok, message = pcall(loop.add_signal_handler, loop, wrong, print)
        assert.is_false(ok)
        assert.matches("add_signal_handler: a signal's name or number expected, got ", message)
      end
    end)

    it("for what cannot be handled is refused, and why", function()
      for _, name in ipairs { "SIGKILL", "SIGSTOP", 9 } do
        local ok, message = pcall(loop.add_signal_handler, loop, name, print)
        assert.is_false(ok)
        assert.matches("add_signal_handler: signal: SIG%u+ cannot be handled: the system lets nobody catch it", message)
      end
      local _, message = pcall(loop.add_signal_handler, loop, "SIGSEGV", print)
      assert.matches("SIGSEGV cannot be handled: what went wrong would go wrong again", message)
      assert.matches("a function expected, got nil", select(2, pcall(loop.add_signal_handler, loop, "SIGHUP")))
      assert.is_false(pcall(loop.add_signal_handler, loop, 33, print))
      assert.is_false(loop:remove_signal_handler "SIGKILL")
    end)

    it("may be removed by itself, and waits for nobody", function()
      local count = 0
      loop:add_signal_handler("SIGUSR2", function()
        count = count + 1
        loop:remove_signal_handler "SIGUSR2"
      end)
      uv.kill(uv.os_getpid(), "sigusr2")
      async.sleep(1)
      assert.equal(1, count)
    end)

    it("that fails is reported, and goes on", function()
      local seen = {}
      loop:set_exception_handler(function(_, context)
        table.insert(seen, context)
      end)
      loop:add_signal_handler("SIGUSR1", error, "mine")
      for _ = 1, 2 do
        uv.kill(uv.os_getpid(), "sigusr1")
        async.sleep(1)
        collectgarbage() -- a task that nobody awaits tells of its error then
      end
      async.sleep(1)
      loop:remove_signal_handler "SIGUSR1"
      loop:set_exception_handler(nil)
      assert.equal(2, #seen)
    end)

    it("of Ctrl-C replaces the script's end", function()
      local output, status = strobe([[
        local loop, uv = async.get_running_loop(), require "luv"
        local came = async.Event()
        loop:add_signal_handler("SIGINT", came.set, came)
        for _ = 1, 3 do -- the host's own would end it at the second
          uv.kill(uv.os_getpid(), "sigint")
          came:wait()
          came:clear()
        end
        print "still here"]], "live")
      assert.equal("still here\n", output)
      assert.equal(0, status)
    end)

    it("leaves those of other signals alone when it is removed", function()
      local output, status = strobe([[
        local loop, uv = async.get_running_loop(), require "luv"
        local came = async.Event()
        loop:add_signal_handler("SIGTERM", came.set, came)
        loop:add_signal_handler("SIGINT", print)
        loop:remove_signal_handler "SIGINT"
        uv.kill(uv.os_getpid(), "sigterm")
        came:wait()
        print "handled"]], "live")
      assert.equal("handled\n", output)
      assert.equal(0, status)
    end)

    it("of SIGPIPE leaves it ignored, as it was", function()
      local output, status = strobe([[
        local loop, net = async.get_running_loop(), require "strobe.net"
        loop:add_signal_handler("SIGPIPE", print)
        loop:remove_signal_handler "SIGPIPE"
        local ends = require("luv").pipe({}, {})
        require("luv").fs_close(ends.read)
        print(select(3, assert(net.open_fd(ends.write)):write "x"))]], "live")
      assert.equal("EPIPE\n", output)
      assert.equal(0, status)
    end)

    it("gives Ctrl-C back when it is removed", function()
      local output, status = strobe([[
        local loop, uv = async.get_running_loop(), require "luv"
        loop:add_signal_handler("sigint", print)
        loop:remove_signal_handler "sigint"
        local cleanup <close> = setmetatable({}, { __close = function() print "cleaned up" end })
        uv.kill(uv.os_getpid(), "sigint")
        async.sleep(10)]], "live")
      assert.equal("cleaned up\n", output)
      assert.equal(130, status)
    end)

    it("is something to wait for: no deadlock", function()
      local output, status = strobe([[
        local f = async.Future()
        async.get_running_loop():add_signal_handler("sigusr1", function() f:set_result "came" end)
        io.popen(("sleep 0.2; kill -USR1 %d"):format(require("luv").os_getpid()))
        print(f:await())]], "live")
      assert.equal("came\n", output)
      assert.equal(0, status)
    end)
  end)

  describe("slow_callback_duration", function()
    it("is how long a step may take before it is reported", function()
      local before, reports = loop.slow_callback_duration, {}
      loop:set_exception_handler(function(_, context)
        table.insert(reports, context)
      end)
      loop.slow_callback_duration = 0.02
      local measured = loop.slow_callback_duration
      async.sleep(0)
      local began = os.clock()
      while os.clock() - began < 0.06 do -- luacheck: ignore
      end
      async.sleep(0)
      loop.slow_callback_duration = before
      loop:set_exception_handler(nil)
      assert.equal(0.02, measured)
      assert.is_true(#reports >= 1)
      assert.equal("slow step", reports[1].message)
      assert.is_true(reports[1].seconds > 0.02)
    end)
  end)

  describe("a slow callback", function()
    it("is reported itself, with its place, and not the task behind it", function()
      local function spin()
        local began = os.clock()
        while os.clock() - began < 0.06 do -- luacheck: ignore
        end
      end
      local before = loop.slow_callback_duration
      loop.slow_callback_duration = 0.02
      local seen = collected.of(function()
        loop:call_soon(spin)
        async.create_task(function() end):await()
      end)
      loop.slow_callback_duration = before
      local slow, info = {}, debug.getinfo(spin, "S")
      local place = ("%s:%d"):format(info.short_src, info.linedefined)
      for _, context in ipairs(seen) do
        slow[#slow + 1] = context.where == place and report.text(context) or nil
      end
      assert.equal(1, #slow)
      assert.matches("^strobe: warning: a callback ran 0.%d+ s %(its function is at .*loop_spec.lua:%d+%)$", slow[1])
    end)
  end)

  describe("set_debug", function()
    after_each(function()
      loop:set_debug(false)
    end)

    local function made_here()
      return async.create_task(function()
        async.sleep(1)
        error "boom"
      end)
    end

    it("is told by get_debug", function()
      loop:set_debug(true)
      assert.is_true(loop:get_debug())
      assert.is_true(async.get_debug())
      async.set_debug(false)
      assert.is_false(loop:get_debug())
    end)

    it("has each task remember where it was made, which its reports, stacks and graphs tell", function()
      local line = debug.getinfo(made_here, "S").linedefined + 1
      local seen = collected.of(function()
        assert.is_nil(made_here():get_record().created_by)
        loop:set_debug(true)
        local t = made_here()
        assert.matches(("loop_spec.lua:%d: in"):format(line), t:get_record().created_by)
        async.sleep(0)
        assert.matches(("Created at:\n[^\n]*loop_spec.lua:%d"):format(line), async.format_call_graph(t))
        async.sleep(2)
      end)
      assert.equal(2, #seen)
      local with = {}
      for i, context in ipairs(seen) do
        local place = ("created at:\n[^\n]*loop_spec.lua:%d: in"):format(line)
        with[i] = report.text(context):match(place) and "yes" or "no"
      end
      table.sort(with)
      assert.same({ "no", "yes" }, with)
    end)

    it("tells of a coroutine that was never awaited who made it, and who called that", function()
      loop:set_debug(true)
      local seen = collected.of(function()
        local function maker()
          local object = async.fn(function() end)()
          return object ~= nil
        end
        assert.is_true(maker())
      end)
      assert.matches("was never awaited", seen[1].message)
      local _, lines = report.text(seen[1]):match("created at:\n(.*)$"):gsub("loop_spec.lua:%d+", "")
      assert.is_true(lines >= 2)
    end)

    it("warns of a task that was cancelled and returned as if nothing was", function()
      local function swallow()
        pcall(async.sleep, 9)
        return "all is well"
      end
      local function cancelled_tasks()
        for _, f in ipairs { swallow, async.sleep, function()
          local e = select(2, pcall(async.sleep, 9))
          async.current_task():uncancel()
          return e
        end } do
          local t = async.create_task(f, 9)
          t:set_name "patient"
          async.sleep(0)
          t:cancel()
          pcall(t.await, t)
        end
        async.move_on_after(1, async.sleep, 2)
        pcall(async.wait_for, async.sleep, 1, 2)
      end
      assert.same({}, collected.of(cancelled_tasks))
      loop:set_debug(true)
      local seen = collected.of(cancelled_tasks)
      assert.equal(1, #seen)
      assert.is_true(seen[1].warning)
      assert.matches("patient was cancelled, and returned as if it was not", report.text(seen[1]))
    end)

    it("warns of tasks that await each other, as soon as they do", function()
      local function ring()
        local list = {}
        for i = 1, 3 do
          list[i] = async.create_task(function()
            async.sleep(i)
            list[i % 3 + 1]:await()
          end)
          list[i]:set_name("t" .. i)
        end
        async.sleep(4)
        list[1]:cancel()
        pcall(list[1].await, list[1])
        pcall(list[2].await, list[2])
        pcall(list[3].await, list[3])
      end
      assert.same({}, collected.of(ring))
      loop:set_debug(true)
      local seen = collected.of(ring)
      assert.equal(1, #seen)
      assert.matches("t3 awaits t1, which waits for it: they wait for each other", report.text(seen[1]), 1, true)
    end)

    it("measures how long tasks run, as set_task_times does", function()
      local function busy()
        async.sleep(0)
        local began = os.clock()
        while os.clock() - began < 0.02 do -- luacheck: ignore
        end
        async.sleep(0)
      end
      local t = async.create_task(busy)
      t:await()
      assert.is_nil(t:get_record().run_time)
      loop:set_task_times(true)
      assert.is_true(loop:get_task_times())
      t = async.create_task(busy)
      t:await()
      local record = t:get_record()
      loop:set_task_times(false)
      assert.is_true(record.max_run_time >= 0.015)
      assert.is_true(record.run_time > record.max_run_time)
      assert.equal(record.run_time, async.ended_tasks()[1].run_time)
    end)
  end)

  describe("stop", function()
    it("ends the script", function()
      local output = strobe [[
        async.create_task(function() async.get_running_loop():stop() end)
        local _ <close> = setmetatable({}, { __close = function() print "clean" end })
        async.sleep(100)]]
      assert.matches("^clean\n", output)
    end)

    it("ends the main function of run", function()
      local output, status = strobe [[
        async.run(function()
          async.get_running_loop():call_later(1, async.get_running_loop().stop)
          async.sleep(100)
          print "not stopped"
        end)]]
      assert.equal("strobe: the script was cancelled\n", output)
      assert.equal(1, status)
    end)
  end)
end)
