local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local errors = require "spec.support.errors"
local frame = require "strobe.tectonic.frame"
local gpio = require "strobe.core.gpio"
local http = require "strobe.http"
local json = require "strobe.json"
local net = require "strobe.net"
local shell = require "spec.support.shell"
local tectonic = require "strobe.tectonic"
local testing = require "strobe.testing"
local ws = require "strobe.ws"

local mock = testing.mock

-- Of two who talk, one goes for want of memory, and the other meets this.
local met_by_the_other = {
  "broken pipe", "ended after", "no answer", "hung up", "closed", "timed out", "internal error",
  "select/poll returned error", "Empty reply", "Recv failure", "Failure when receiving", -- libcurl
}

-- At least so many allocations of f fail one by one, and each alone.
local function sweep(least, f)
  local count = testing.allocation_failures(f, { allow = met_by_the_other })
  assert.is_true(count >= least, ("%d allocations failed, at least %d were expected"):format(count, least))
end

describe("testing.allocation_failures", function()
  it("fails one allocation after the other, until a call is through", function()
    local calls, failed = 0, 0
    local count = testing.allocation_failures(function()
      calls = calls + 1
      local ok = pcall(function()
        return { {}, {} }
      end)
      failed = failed + (ok and 0 or 1)
    end)
    assert.is_true(count >= 3)
    assert.equal(count + 2, calls) -- before them as it is, and behind them
    assert.is_true(failed >= 3)
  end)

  it("tells an error that is about something else, with the allocation's number", function()
    local e = errors.raised_by(testing.allocation_failures, function()
      if not pcall(string.rep, "x", 1000) then
        error("lost my head", 0)
      end
    end)
    assert.matches("^without memory:\n  allocation %d+: an error about something else: lost my head\n", e .. "\n")
    assert.is_true(testing.allocation_failures(function()
      if not pcall(string.rep, "x", 1000) then
        error("lost my head", 0)
      end
    end, { allow = { "my head$" } }) > 0)
  end)

  it("tells what is left over, and what does not end", function()
    local kept = {}
    local e = errors.raised_by(testing.allocation_failures, function()
      if not pcall(string.rep, "x", 1000) then
        kept[#kept + 1] = async.create_task(async.sleep, 100000)
        kept[#kept]:set_name "forgotten"
      end
    end)
    assert.matches("allocation %d+: left over: task forgotten, which waits for sleep", e)
    e = errors.raised_by(testing.allocation_failures, function()
      if not pcall(string.rep, "x", 1000) then
        async.Future():await()
      end
    end)
    assert.matches("allocation %d+: it did not end within 100 s", e)
  end)

  it("raises what f raises with all its memory", function()
    assert.equal("wrong", errors.raised_by(testing.allocation_failures, function()
      error("wrong", 0)
    end))
  end)

  it("needs a function, and a virtual clock", function()
    assert.matches("a function expected, got nil", errors.raised_by(testing.allocation_failures))
    assert.matches("in_a_row: a whole number above 0 expected, got 0",
      errors.raised_by(testing.allocation_failures, print, { in_a_row = 0 }))
    local output = shell.lua('require("strobe.testing").allocation_failures(print)', "live")
    assert.matches("testing.allocation_failures: a virtual clock expected", output)
  end)
end)

describe("without memory", function()
  it("tasks and gather fail alone", function()
    sweep(20, function()
      async.gather(async.create_task(async.sleep, 1, "a"), async.fn(function()
        async.sleep(2)
        return 1, 2, 3
      end)())
    end)
  end)

  it("a task group waits for its children still", function()
    sweep(20, function()
      local group <close> = async.TaskGroup()
      group:create_task(async.sleep, 1)
      group:create_task(function()
        async.sleep(2)
        return {}
      end)
    end)
  end)

  it("futures and their callbacks fail alone", function()
    sweep(10, function()
      local future, waiter = async.Future(), nil
      future:add_done_callback(function() end)
      local _ <close> = cleanup(function()
        if waiter then
          waiter:cancel()
        end
      end)
      waiter = async.create_task(future.await, future)
      future:set_result(1, 2)
      assert(waiter:await() == 1)
    end)
  end)

  it("queues and generators end", function()
    sweep(40, function()
      local queue = async.Queue(2)
      local group <close> = async.TaskGroup()
      group:create_task(function()
        local _ <close> = cleanup(function()
          queue:shutdown()
        end)
        for i in async.generator(function(yield)
          for i = 1, 3 do
            async.sleep(1)
            yield(i)
          end
        end)() do
          queue:put(i)
        end
      end)
      for item in queue:iter() do
        assert(item)
      end
    end)
  end)

  it("pipes and streams close", function()
    sweep(20, function()
      local near, far = net.pipe()
      local open <close>, reader = near, async.StreamReader(far) -- luacheck: ignore
      local peer <close> = far -- luacheck: ignore
      local writer = async.StreamWriter(near)
      writer:write "line\n"
      writer:write(("x"):rep(2000))
      writer:write_eof()
      writer:drain()
      reader:readline()
      reader:read()
    end)
  end)

  -- Not decode: lua-cjson loses its buffer when it has no memory for what is read.
  it("JSON is not made", function()
    sweep(5, function()
      assert(json.encode { a = { 1, 2, 3 }, b = "text" })
    end)
  end)

  it("an HTTP server closes the connection, or answers 500", function()
    sweep(80, function()
      local near, far = net.pipe()
      local open <close> = near -- luacheck: ignore
      local peer <close> = far -- luacheck: ignore
      local group <close> = async.TaskGroup()
      group:create_task(http.serve_stream, function(request)
        return 200, { ["x-size"] = tostring(#request:read()) }, { name = request.query.name }
      end, far)
      near:set_timeout(5)
      near:write "POST /?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
      repeat
        local bytes = near:read()
      until not bytes or bytes == ""
    end)
  end)

  it("WebSockets close", function()
    sweep(200, function()
      local feed <close> = mock.ws({ -- luacheck: ignore
        ["/echo"] = function(connection)
          for message in connection:messages() do
            assert(connection:send(message))
          end
        end,
      }, { compression = true })
      local connection <close> = assert(ws.connect("ws://x/echo", { compression = true }))
      assert(connection:send(("hello "):rep(500)))
      assert(connection:recv())
    end)
    assert.not_matches("mock", select(2, ws.connect "ws://127.0.0.1:1/")) -- none was left
  end)

  it("a TectonicDB client hangs up", function()
    sweep(100, function()
      local lab <close> = mock.net { -- luacheck: ignore
        ["*:9001"] = function(stream)
          stream:read()
          stream:write(frame.encode_reply(true, "PONG"))
          stream:read()
        end,
      }
      local db = assert(tectonic.connect { timeout = 5 })
      local _ <close> = cleanup(function()
        db:close()
      end)
      assert(db:ping())
    end)
    assert.not_matches("mock", select(2, net.connect("127.0.0.1", 1))) -- none was left
  end)

  it("a circuit board stays whole", function()
    sweep(30, function()
      local board <close> = gpio.board { name = "lab" } -- luacheck: ignore
      local out, input = assert(board:component("u", "out")), assert(board:component("v", "in"))
      assert(out:configure { direction = "output" })
      local wire = assert(out:connect(input))
      local edges = assert(board:subscribe({ input }, "rising"))
      assert(out:pwm(1000, 500))
      edges:wait(2000)
      wire:cut()
      edges:close()
      board:pause()
      board:step(100)
    end)
  end)

  it("an HTTP client fails, and its server serves the next one", function()
    local server <close> = assert(http.serve(function()
      return 200, nil, "hello"
    end, "127.0.0.1", 0))
    local url = ("http://127.0.0.1:%d/"):format(server:port())
    sweep(50, function()
      local session <close> = http.Session { timeout = 5 }
      assert(session:get(url))
    end)
    assert.equal("hello", assert(http.get(url)).body)
  end)
end)
