local Barrier = require "spec.support.barrier"
local async = require "strobe.async"
local errors = require "spec.support.errors"
local json = require "strobe.json"
local reports = require "spec.support.reports"
local strobe = require("spec.support.shell").lua

local raised_by = errors.raised_by

local function identity(...)
  return ...
end

describe("async.to_thread", function()
  it("runs a function in a thread of its own, and returns all its results", function()
    assert.same({ n = 3, 1, nil, "three" }, table.pack(async.to_thread(identity, 1, nil, "three")))
    assert.equal(0, select("#", async.to_thread(function() end)))
  end)

  it("leaves the loop to others meanwhile", function()
    local barrier <close> = Barrier.new()
    local t = async.create_task(async.to_thread, Barrier.pass, barrier.path)
    barrier:reached()
    assert.is_false(t:done())
    barrier:open()
    t:await()
  end)

  it("takes upvalues, which the job gets copies of", function()
    local count, list = 1, { 1, 2 }
    local function job()
      count = count + 1
      list[#list + 1] = count
      return count, list
    end
    local got_count, got_list = async.to_thread(job)
    assert.equal(2, got_count)
    assert.same({ 1, 2, 2 }, got_list)
    assert.equal(1, count)
    assert.same({ 1, 2 }, list)
  end)

  it("keeps what is shared between arguments and upvalues shared", function()
    local shared = {}
    assert.is_true(async.to_thread(function(a, b)
      return rawequal(a, shared) and rawequal(b.inner, shared)
    end, shared, { inner = shared }))
  end)

  it("takes local functions which it calls, also those that call each other or themselves", function()
    local even
    local function odd(n)
      return n > 0 and even(n - 1)
    end
    function even(n)
      return n == 0 or odd(n - 1)
    end
    local function fib(n)
      return n < 2 and n or fib(n - 1) + fib(n - 2)
    end
    assert.is_true(async.to_thread(even, 10))
    assert.is_false(async.to_thread(even, 7))
    assert.equal(55, async.to_thread(fib, 10))
  end)

  it("lets two functions share a variable, as they did", function()
    local count = 0
    local function add()
      count = count + 1
    end
    local function get()
      return count
    end
    assert.equal(2, async.to_thread(function()
      add()
      add()
      return get()
    end))
    assert.equal(0, count)
  end)

  it("gives a function the globals of its own state", function()
    some_global = "ours" -- luacheck: ignore
    local theirs = async.to_thread(function()
      return some_global, type(print), type(require) -- luacheck: ignore
    end)
    some_global = nil -- luacheck: ignore
    assert.is_nil(theirs)
    assert.equal("string", async.to_thread(function()
      return type(_VERSION)
    end))
  end)

  it("passes modules, and what they have, by their names", function()
    local insert, encode = table.insert, json.encode
    assert.equal('[1,2]{"a":true}', async.to_thread(function()
      local list = { 1 }
      insert(list, 2)
      return json.encode(list) .. encode { a = true }
    end))
    assert.equal(json.null, async.to_thread(json.decode, "[null]")[1])
    assert.equal(3, async.to_thread(math.max, 1, 3, 2))
  end)

  describe("refuses, and names it,", function()
    local function refused(message, ...)
      local e = raised_by(async.to_thread, ...)
      assert.equal("to_thread: " .. message, (e:gsub("^[^:]*:%d+: ", ""):gsub(", which no other.*", "")))
    end

    it("an argument", function()
      refused("argument 1 is a function", identity, print)
      refused("argument 2.book.cb is a function", identity, 1, { book = { cb = function() end } })
      refused("argument 3[2] is userdata (Future)", identity, 1, 2, { 1, async.Future() })
    end)

    it("an upvalue, also of a helper", function()
      local socket, nothing = io.stdout, setmetatable({}, {})
      local book = { deep = { socket } }
      local function helper()
        return socket
      end
      refused("upvalue 'socket' is userdata (FILE*)", function()
        return socket
      end)
      refused("upvalue 'book'.deep[1] is userdata (FILE*)", function()
        return book
      end)
      refused("upvalue 'socket' of upvalue 'helper' is userdata (FILE*)", function()
        return helper()
      end)
      refused("upvalue 'nothing' is a table with a metatable", function()
        return nothing
      end)
    end)

    it("a result", function()
      local e = raised_by(async.to_thread, function()
        return 1, { cb = print }
      end)
      assert.matches("^result 2%.cb is a function", e)
    end)

    it("what is no function, where it is called", function()
      local e = raised_by(async.to_thread, 7)
      assert.equal("to_thread: a function expected, got number", (e:gsub("^[^:]*:%d+: ", "")))
    end)

    it("more bytes than the executor allows", function()
      local ex <close> = async.ThreadPoolExecutor { max_workers = 1, limit = 1000 }
      assert.matches("submit: argument 1: more than 1000 bytes would have to be copied",
        raised_by(ex.submit, ex, identity, ("x"):rep(1000)))
      assert.matches("submit: argument 2%[3%]: more than 1000 bytes",
        raised_by(ex.submit, ex, identity, 1, { 1, 2, ("x"):rep(1000) }))
      local result = ex:submit(function()
        return ("x"):rep(2000)
      end)
      assert.matches("^result 1: more than 1000 bytes", raised_by(result.await, result))
      assert.equal(1, ex:submit(identity, 1):await())
    end)
  end)

  describe("raises what the function raises:", function()
    it("a text, with the traceback of its thread", function()
      local function inner()
        error "boom"
      end
      local e = raised_by(async.to_thread, function()
        inner()
      end)
      assert.matches("^[^\n]*executor_spec.lua:%d+: boom\nstack traceback of the worker thread:\n", e)
      assert.matches("executor_spec.lua:%d+: in upvalue 'inner'\n", e)
    end)

    it("an error of a class, with its fields and that traceback", function()
      local e = errors.raised(async.QueueFull, async.to_thread, function()
        local e = require("strobe.async").QueueFull "no room"
        e.code = { 7 }
        error(e)
      end)
      assert.equal("no room", e.message)
      assert.same({ 7 }, e.code)
      assert.matches("executor_spec.lua:%d+: in", e.traceback)
    end)

    it("a table, as a copy", function()
      assert.same({ code = 5 }, raised_by(async.to_thread, function()
        error { code = 5 }
      end))
    end)

    it("what cannot be copied, as a text", function()
      local e = raised_by(async.to_thread, function()
        error(setmetatable({ cb = print }, { __tostring = function()
          return "odd"
        end }))
      end)
      assert.matches("^odd %(as a text, because value 1 is a table with a metatable", e)
    end)

    it("nil, as Lua names it", function()
      assert.matches("^<no error object>", raised_by(async.to_thread, function()
        error(nil)
      end))
    end)

    it("and what was reported tells where, and who awaited", function()
      local output, status = strobe [[
        local function inner() error "boom" end
        local function job() inner() end
        local function waits() async.to_thread(job) end
        async.create_task(waits):await()]]
      assert.equal(1, status)
      assert.matches("boom.*in strobe_0:.*in upvalue 'inner'.*awaited by Task%-%d+:.*awaited by main:", output)
      local table_output = strobe 'async.to_thread(function() error(require("strobe.async").EOFError "x") end)'
      assert.matches("EOFError: x\nin strobe_0:\n%s+%(command line%):1: in function.*awaited by main:", table_output)
    end)
  end)

  it("may wait in its thread, on a clock that goes on from ours", function()
    async.sleep(100)
    local before, after = async.to_thread(function()
      local began = async.time()
      async.sleep(3600)
      return began, async.time()
    end)
    assert.equal(100, before)
    assert.equal(3700, after)
    assert.equal(100, async.time())
  end)

  it("holds virtual time while it runs", function()
    local barrier <close> = Barrier.new()
    local t = async.create_task(async.to_thread, Barrier.pass, barrier.path)
    local slept = async.create_task(async.sleep, 1)
    barrier:reached()
    assert.equal(0, async.time())
    barrier:open()
    t:await()
    assert.equal(0, async.time())
    slept:await()
    assert.equal(1, async.time())
  end)

  it("10,000 times at once gives 10,000 results", function()
    local jobs, sum = {}, 0
    for i = 1, 10000 do
      jobs[i] = async.get_running_loop():run_in_executor(nil, function(n)
        return { n = n }
      end, i)
    end
    for i = 1, 10000 do
      local result = jobs[i]:await()
      assert(result.n == i)
      sum = sum + result.n
    end
    assert.equal(50005000, sum)
  end)
end)

describe("loop", function()
  local loop = async.get_running_loop()

  it("run_in_executor returns a future at once", function()
    local ex <close> = async.ThreadPoolExecutor(1)
    local barrier <close> = Barrier.new()
    local future = loop:run_in_executor(ex, Barrier.pass, barrier.path)
    assert.is_false(future:done())
    barrier:open()
    future:await()
    assert.equal(2, loop:run_in_executor(nil, identity, 2):await())
  end)

  it("run_in_executor refuses what is no executor, or no function", function()
    assert.matches("run_in_executor: a ThreadPoolExecutor or nil expected",
      raised_by(loop.run_in_executor, loop, {}, print))
    assert.matches("executor_spec.lua:%d+: run_in_executor: a function expected, got nil", raised_by(function()
      loop:run_in_executor(nil)
    end))
  end)

  it("set_default_executor says where to_thread runs", function()
    do
      local ex <close> = async.ThreadPoolExecutor { max_workers = 1, thread_name_prefix = "mine" }
      loop:set_default_executor(ex)
      assert.equal("mine_0", async.to_thread(function()
        return async.current_task():get_name()
      end))
    end
    assert.matches("cannot schedule new futures after shutdown", raised_by(async.to_thread, identity))
    loop:set_default_executor(nil)
    assert.equal(1, async.to_thread(identity, 1))
    assert.matches("set_default_executor: a ThreadPoolExecutor or nil expected",
      raised_by(loop.set_default_executor, loop, {}))
  end)

  it("shutdown_default_executor waits for its jobs; more are refused", function()
    local barrier <close> = Barrier.new()
    local future = loop:run_in_executor(nil, Barrier.pass, barrier.path)
    local shutdown = async.create_task(loop.shutdown_default_executor, loop)
    barrier:reached()
    assert.is_false(shutdown:done())
    barrier:open()
    shutdown:await()
    assert.is_true(future:done())
    assert.matches("Executor shutdown has been called", raised_by(async.to_thread, identity))
    loop:shutdown_default_executor()
    loop:set_default_executor(nil)
  end)

  it("shutdown_default_executor gives up after its timeout, and says so", function()
    local barrier <close> = Barrier.new()
    local future = loop:run_in_executor(nil, Barrier.pass, barrier.path)
    barrier:reached()
    future:cancel() -- else time would stand still
    local contexts = reports.of(function()
      loop:shutdown_default_executor(5)
    end)
    assert.equal("the default executor did not end within 5 s", contexts[1].message)
    assert.equal(5, async.time())
    loop:set_default_executor(nil)
  end)
end)
