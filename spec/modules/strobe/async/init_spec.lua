local async = require "strobe.async"
local strobe = require("spec.support.shell").lua

-- What one calls; in the order of the reference.
local functions = {
  "fn", "await", "is_awaitable", "run", "create_task", "ensure_future", "gather", "wait", "as_completed",
  "wait_for", "timeout", "timeout_at", "move_on_after", "TaskGroup", "shield", "sleep", "sleep_until",
  "time", "wall_time", "Future", "Lock", "Event", "Condition", "Semaphore", "BoundedSemaphore",
  "Barrier", "Queue", "LifoQueue", "PriorityQueue", "generator", "iter", "timer", "every",
  "current_task", "all_tasks", "get_running_loop", "ContextVar", "Context", "copy_context",
  "open_connection", "start_server", "open_unix_connection", "start_unix_server", "StreamReader",
  "StreamWriter", "is", "get_debug", "set_debug", "capture_call_graph", "format_call_graph",
  "print_call_graph", "format_task_tree", "print_task_tree", "ended_tasks", "create_subprocess_exec",
  "create_subprocess_shell", "connect_read_pipe", "connect_write_pipe", "ThreadPoolExecutor", "to_thread",
}

local error_classes = {
  "BrokenBarrierError", "BrokenThreadPool", "CancelledError", "ConnectionError", "DeadlockError", "EOFError", "Error",
  "ExceptionGroup", "GeneratorExit", "IncompleteReadError", "Interrupted", "InvalidStateError",
  "LimitOverrunError", "QueueEmpty", "QueueFull", "QueueShutDown", "TimeoutError", "UnicodeDecodeError",
}

describe("strobe.async", function()
  for _, name in ipairs(functions) do
    it("has the function " .. name, function()
      assert.is_function(async[name])
    end)
  end

  for _, name in ipairs(error_classes) do
    it("has the error class " .. name, function()
      local e = async[name] "why"
      assert.equal(name, e.name)
      assert.is_true(async.is(e, async[name]))
      assert.is_true(async.is(e, async.Error))
    end)
  end

  it("has the kinds of channels", function()
    for _, kind in ipairs { "latest", "drop_oldest", "broadcast" } do
      assert.is_function(async.Channel[kind])
    end
  end)

  it("has the functions for files", function()
    assert.equal(require "strobe.async.fs", async.fs)
    assert.is_function(async.fs.open)
  end)

  it("has the functions of a recording", function()
    assert.equal(require "strobe.async.trace", async.trace)
    assert.is_function(async.trace.save)
  end)

  it("has the words for processes", function()
    assert.equal(require "strobe.async.subprocess", async.subprocess)
    for _, word in ipairs { "PIPE", "DEVNULL", "STDOUT" } do
      assert.equal("async.subprocess." .. word, tostring(async.subprocess[word]))
    end
  end)

  it("has the standard streams", function()
    for _, name in ipairs { "stdin", "stdout", "stderr" } do
      assert.equal(require("strobe.async.standard")[name], async[name])
    end
  end)

  it("has the words for when wait returns", function()
    for _, word in ipairs { "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED" } do
      assert.equal(word, async[word])
    end
  end)

  it("gives nil for a name that it has not", function()
    for _, name in ipairs { "Gather", "sleep_for", "coroutine", "init", "waitlist", "", 1, {} } do
      assert.is_nil(async[name])
    end
  end)

  it("is one table, which requiring it again gives", function()
    assert.equal(async, require "strobe.async")
  end)

  describe("a name", function()
    it("is the same each time", function()
      assert.equal(async.sleep, async.sleep)
      assert.equal(async.TimeoutError, require("strobe.async.error").TimeoutError)
    end)

    it("loads its module when it is first used, and no other", function()
      local output = strobe [[
        local function loaded()
          return package.loaded["strobe.async.semaphore"], package.loaded["strobe.async.barrier"]
        end
        print(loaded())
        async.Semaphore()
        local used, other = loaded()
        print(used ~= nil, other)]]
      assert.equal("nil\tnil\ntrue\tnil\n", output)
    end)

    it("that one has given something else keeps it when its module is loaded", function()
      local output = strobe [[
        async.BoundedSemaphore = "mine"
        print(type(async.Semaphore), async.BoundedSemaphore)]]
      assert.equal("function\tmine\n", output)
    end)
  end)

  describe("pairs", function()
    it("goes through all names, also those that were not used yet", function()
      local output = strobe [[
        local count, kinds = 0, {}
        for name, value in pairs(async) do
          count, kinds[name] = count + 1, type(value)
        end
        print(count, kinds.sleep, kinds.Barrier, kinds.Channel, kinds.FIRST_COMPLETED)]]
      local count = #functions + #error_classes + 10
      assert.equal(("%d\tfunction\tfunction\ttable\tstring\n"):format(count), output)
    end)
  end)
end)
