local async = require "strobe.async"
local net = require "strobe.net"
local testing = require "strobe.testing"

local MIB = 1024 * 1024

-- Two connected streams: what one writes the other reads.
local kinds = {
  pipe = function()
    return net.pipe()
  end,
  ["TCP connection"] = function()
    local server <close> = assert(net.listen(nil, 0))
    local left = assert(net.connect("127.0.0.1", server:port()))
    return left, assert(server:accept_one())
  end,
  ["unix socket"] = function()
    local path = os.tmpname()
    os.remove(path)
    local server <close> = assert(net.listen_unix(path))
    local left = assert(net.connect_unix(path))
    return left, assert(server:accept_one())
  end,
}

-- The failure of a call: its code.
local function code_of(value, _, code)
  assert.is_nil(value)
  return code
end

-- A task that writes `text` in pieces of `size` bytes, each read before the next comes.
local function dribble(stream, text, size)
  return async.create_task(function()
    for i = 1, #text, size do
      assert(stream:write(text:sub(i, i + size - 1)))
      async.sleep(0)
    end
  end)
end

for kind, connect in pairs(kinds) do
  describe("a stream over a " .. kind, function()
    local left, right

    before_each(function()
      left, right = connect()
    end)

    after_each(function()
      left:abort()
      right:abort()
      left:wait_closed()
      right:wait_closed()
    end)

    describe("read", function()
      it("returns what is there, at most what was asked for", function()
        left:write "hello, world"
        assert.equal("hello", right:read(5))
        assert.equal(", world", right:read())
      end)

      it("waits for the first byte", function()
        local t = async.create_task(right.read, right)
        async.sleep(1)
        assert.equal("read", t:state())
        left:write "x"
        assert.equal("x", t:await())
      end)

      it("of 0 bytes does not wait", function()
        assert.equal("", right:read(0))
      end)

      it("at the end returns the empty string, as often as it is asked", function()
        left:write "last"
        left:close()
        assert.equal("last", right:read())
        assert.equal("", right:read())
        assert.equal("", right:read())
        assert.is_true(right:at_eof())
      end)
    end)

    describe("read_exactly", function()
      it("puts the pieces together", function()
        for size = 1, 6 do
          local t = dribble(left, "abcdef", size)
          assert.equal("abcdef", right:read_exactly(6))
          t:await()
        end
      end)

      it("of 0 bytes does not wait", function()
        assert.equal("", right:read_exactly(0))
      end)

      it("takes more than a buffer holds", function()
        local text = ("0123456789abcdef"):rep(MIB // 16)
        local t = async.create_task(left.write, left, text)
        assert.is_true(text == right:read_exactly(MIB))
        assert.is_true(t:await())
      end)

      it("at the end returns nil, EOF and the bytes that were there", function()
        left:write "abc"
        left:close()
        local data, message, code, rest = right:read_exactly(5)
        assert.is_nil(data)
        assert.equal("read_exactly: the stream ended after 3 bytes", message)
        assert.equal("EOF", code)
        assert.equal("abc", rest)
        assert.equal("", right:read())
      end)
    end)

    describe("read_until", function()
      it("returns line after line, however the bytes come", function()
        for size = 1, 8 do
          local t = dribble(left, "one\ntwo\n", size)
          assert.equal("one\n", right:read_until())
          assert.equal("two\n", right:read_until "\n")
          t:await()
        end
      end)

      it("finds a separator that comes in two parts", function()
        local t = dribble(left, "a\r\r\nb", 3)
        assert.equal("a\r\r\n", right:read_until "\r\n")
        t:await()
        assert.equal("b", right:read())
      end)

      it("beyond the limit fails with EMSGSIZE; the bytes stay", function()
        left:write "0123456789"
        local data, message, code, clear = right:read_until("\r\n", 8)
        assert.is_nil(data)
        assert.equal("read_until: no separator within the limit of 8 bytes", message)
        assert.equal("EMSGSIZE", code)
        assert.equal(9, clear)
        assert.equal("0123456789", right:read())
      end)

      it("beyond the limit tells where the separator is when it is there", function()
        left:write "0123456789\r\nabc"
        local data, _, code, before = right:read_until("\r\n", 8)
        assert.is_nil(data)
        assert.equal("EMSGSIZE", code)
        assert.equal(10, before)
      end)

      it("counts the separator to the limit", function()
        left:write "1234567\n"
        assert.equal("1234567\n", right:read_until("\n", 8))
      end)

      it("takes a line that is longer than a buffer, when the limit is", function()
        local line = ("x"):rep(300000) .. "\n"
        local t = async.create_task(left.write, left, line)
        assert.is_true(line == right:read_until("\n", MIB))
        t:await()
      end)

      it("at the end returns nil, EOF and the bytes that were there", function()
        left:write "no newline"
        left:close()
        local data, _, code, rest = right:read_until()
        assert.is_nil(data)
        assert.equal("EOF", code)
        assert.equal("no newline", rest)
      end)

      it("refuses an empty separator and a limit of 0", function()
        assert.has_error(function()
          right:read_until ""
        end, "bad argument #1 to 'read_until' (the separator is empty)")
        assert.has_error(function()
          right:read_until("\n", 0)
        end, "bad argument #2 to 'read_until' (a limit above 0 expected)")
      end)
    end)

    describe("a second reader", function()
      it("is refused, and takes no bytes from the first", function()
        local t = async.create_task(right.read_exactly, right, 4)
        left:write "ab"
        async.sleep(0.1)
        for _, read in ipairs { right.read, right.read_until } do
          local ok, message = pcall(read, right)
          assert.is_false(ok)
          assert.matches("another task is reading this stream already", message)
        end
        left:write "cd"
        assert.equal("abcd", t:await())
      end)
    end)

    describe("write", function()
      it("waits for a peer that does not read, keeps little, and goes on", function()
        local total, written = 64 * MIB, 0
        local writer = async.create_task(function()
          local block = ("x"):rep(256 * 1024)
          while written < total do
            assert(left:write(block))
            written = written + #block
          end
          left:shutdown()
        end)
        async.sleep(1)
        assert.equal("drain", writer:state())
        assert.is_true(written < 16 * MIB)
        local _, queued = left:buffered()
        assert.is_true(queued <= 512 * 1024)
        local count = 0
        repeat
          local data = right:read()
          count = count + #data
        until data == ""
        writer:await()
        assert.equal(total, count)
      end)

      it("of nothing does nothing", function()
        assert.is_true(left:write "")
      end)

      it("after shutdown or close fails with EPIPE", function()
        left:shutdown()
        assert.equal("EPIPE", code_of(left:write "x"))
        right:close()
        assert.equal("EPIPE", code_of(right:write "x"))
        assert.equal("EPIPE", code_of(right:send "x"))
      end)

      it("to a peer that has gone fails sooner or later", function()
        right:abort()
        local ok, code
        for _ = 1, 100 do
          ok, _, code = left:write(("x"):rep(1000))
          if not ok then
            break
          end
          async.sleep(0.01)
        end
        assert.is_nil(ok)
        assert.is_true(code == "EPIPE" or code == "ECONNRESET")
      end)

      it("by two tasks at once loses nothing, but only one may wait", function()
        local block = ("x"):rep(16 * MIB)
        local first = async.create_task(left.write, left, block)
        async.sleep(0.1)
        local ok, message = pcall(left.write, left, "y")
        assert.is_false(ok)
        assert.matches("another task is draining this stream already", message)
        assert.is_true(left:send "z")
        local data = right:read_exactly(#block + 2)
        assert.equal("xyz", data:sub(-3))
        first:await()
      end)
    end)

    describe("shutdown", function()
      it("ends one direction; the other goes on", function()
        left:write "question"
        assert.is_true(left:shutdown())
        assert.equal("question", right:read_exactly(8))
        assert.equal("", right:read())
        assert.is_true(right:write "answer")
        right:close()
        assert.equal("answer", left:read())
        assert.equal("", left:read())
      end)

      it("comes after what is queued", function()
        left:send(("x"):rep(4 * MIB))
        left:shutdown()
        assert.equal(4 * MIB, #right:read_exactly(4 * MIB))
        assert.equal("", right:read())
      end)

      it("twice is harmless", function()
        assert.is_true(left:shutdown())
        assert.is_true(left:shutdown())
      end)
    end)

    describe("close", function()
      it("lets what is queued out first, even when the stream is dropped", function()
        left:send(("x"):rep(4 * MIB))
        left:close()
        assert.equal("<", tostring(left):sub(1, 1))
        local peer = right
        left, right = net.pipe()
        collectgarbage()
        collectgarbage()
        assert.equal(4 * MIB, #peer:read_exactly(4 * MIB))
        assert.equal("", peer:read())
        peer:close()
        peer:wait_closed()
      end)

      it("ends the read of another task with ECANCELED", function()
        local t = async.create_task(right.read, right)
        async.sleep(0)
        right:close()
        local data, message, code = t:await()
        assert.is_nil(data)
        assert.matches("the stream was closed", message)
        assert.equal("ECANCELED", code)
      end)

      it("twice is harmless, and wait_closed returns at once afterwards", function()
        left:close()
        left:close()
        left:wait_closed()
        left:wait_closed()
        left:abort()
        assert.is_true(left:is_closing())
      end)

      it("happens at the end of a scope", function()
        do
          local stream <close> = left
          stream:write "x"
        end
        assert.equal("x", right:read())
        assert.equal("", right:read())
      end)

      it("wakes all that wait for it", function()
        local waiters = {}
        for i = 1, 3 do
          waiters[i] = async.create_task(left.wait_closed, left)
        end
        async.sleep(0)
        waiters[2]:cancel()
        left:close()
        async.wait(waiters)
        assert.is_true(waiters[2]:cancelled())
        assert.is_false(waiters[1]:cancelled() or waiters[3]:cancelled())
      end)
    end)

    describe("abort", function()
      it("loses what is queued, and says so to the task that waits to send it", function()
        local t = async.create_task(left.write, left, ("x"):rep(16 * MIB))
        async.sleep(0.1)
        assert.equal("drain", t:state())
        left:abort()
        local ok, message, code = t:await()
        assert.is_nil(ok)
        assert.matches("the stream was closed", message)
        assert.equal("ECANCELED", code)
      end)

      it("ends a close that waits for a peer which does not read", function()
        left:send(("x"):rep(16 * MIB))
        left:close()
        assert.is_false(async.move_on_after(1, left.wait_closed, left))
        left:abort()
        left:wait_closed()
      end)
    end)

    describe("a timeout", function()
      it("ends a read with ETIMEDOUT; the stream is as before", function()
        right:set_timeout(2)
        assert.equal("ETIMEDOUT", code_of(right:read()))
        assert.equal(2, async.time())
        left:write "late"
        assert.equal("late", right:read_exactly(4))
      end)

      it("is for the whole of read_exactly and read_until, not for each byte", function()
        right:set_timeout(2)
        for _, read in ipairs { right.read_exactly, right.read_until } do
          local began = async.time()
          local slow = async.create_task(function()
            while left:write "x" do
              async.sleep(1.5)
            end
          end)
          assert.equal("ETIMEDOUT", code_of(read(right, read == right.read_exactly and 9 or "\n")))
          assert.equal(2, async.time() - began)
          slow:cancel()
          pcall(slow.await, slow)
          right:read()
        end
      end)

      it("ends a write to a peer that does not read", function()
        left:set_timeout(3)
        local ok, message, code = left:write(("x"):rep(16 * MIB))
        assert.is_nil(ok)
        assert.matches("^write: ", message)
        assert.equal("ETIMEDOUT", code)
      end)

      it("of nil is none; of 0, or of no number, is refused", function()
        right:set_timeout(1)
        right:set_timeout(nil)
        local t = async.create_task(right.read, right)
        async.sleep(100)
        assert.is_false(t:done())
        left:write "x"
        t:await()
        for _, wrong in ipairs { 0, -1, 0 / 0, "x" } do
          assert.is_false(pcall(right.set_timeout, right, wrong))
        end
      end)

      it("at the same moment as a cancellation: the cancellation wins", function()
        testing.fifo()
        right:set_timeout(2)
        local t = async.create_task(right.read, right)
        async.sleep(2)
        t:cancel()
        assert.is_false(pcall(t.await, t))
        assert.is_true(t:cancelled())
        left:write "x"
        assert.equal("x", right:read())
      end)
    end)

    describe("a cancelled task", function()
      it("that reads leaves the bytes to the next", function()
        for _, read in ipairs { right.read, right.read_until, right.read_exactly } do
          local t = async.create_task(read, right, read == right.read_exactly and 5 or nil)
          async.sleep(0)
          t:cancel()
          async.wait { t }
          assert.is_true(t:cancelled())
        end
        left:write "hello"
        assert.equal("hello", right:read_exactly(5))
      end)

      it("in the turn in which its bytes come leaves them to the next", function()
        local t = async.create_task(right.read, right)
        async.sleep(0)
        left:write "x"
        t:cancel()
        async.wait { t }
        assert.is_true(t:cancelled())
        assert.equal("x", right:read())
      end)

      it("that drains leaves its bytes queued", function()
        local t = async.create_task(left.write, left, ("x"):rep(8 * MIB))
        async.sleep(0.1)
        t:cancel()
        async.wait { t }
        assert.is_true(t:cancelled())
        assert.equal(8 * MIB, #right:read_exactly(8 * MIB))
      end)

      it("that waits for the close does not stop it", function()
        left:send(("x"):rep(8 * MIB))
        left:close()
        local t = async.create_task(left.wait_closed, left)
        async.sleep(0)
        t:cancel()
        async.wait { t }
        assert.equal(8 * MIB, #right:read_exactly(8 * MIB))
        left:wait_closed()
      end)
    end)

    describe("collected while it is open", function()
      it("closes, and its peer sees the end", function()
        left = nil
        collectgarbage()
        collectgarbage()
        left = net.pipe()
        local data, _, code = right:read()
        assert.is_true(data == "" or code == "ECONNRESET")
      end)
    end)

    describe("used from a finalizer after it was collected", function()
      it("raises, and does not crash", function()
        local message
        local stream = left
        stream:abort()
        stream:wait_closed()
        getmetatable(stream).__gc(stream)
        getmetatable(stream).__gc(stream)
        for _, name in ipairs { "read", "write", "close", "abort", "is_closing", "wait_closed", "drain", "buffered" } do
          local ok
          ok, message = pcall(stream[name], stream, "x")
          assert.is_false(ok)
        end
        assert.matches("was collected", message)
        left = net.pipe()
      end)
    end)
  end)
end

describe("a stream in any state", function()
  local methods = {
    function(s)
      return s:read(math.random(0, 9))
    end,
    function(s)
      return s:read_exactly(math.random(0, 9))
    end,
    function(s)
      return s:read_until("\n", math.random(9))
    end,
    function(s)
      return s:write(("x\n"):rep(math.random(0, 9) ^ 6 // 1))
    end,
    function(s)
      return s:send "abc\n"
    end,
    function(s)
      return s:drain()
    end,
    function(s)
      return s:at_eof(), s:buffered(), s:is_closing(), tostring(s)
    end,
    function(s)
      return s:set_timeout(math.random() > 0.5 and math.random() / 10 or nil)
    end,
    function(s)
      return s:wait_closed()
    end,
    function()
      collectgarbage "step"
    end,
    function(s)
      return s:shutdown()
    end,
    function(s)
      return s:close()
    end,
    function(s)
      return s:abort()
    end,
  }

  -- The last three end the stream: they come seldom.
  local function random_method()
    return methods[math.random() < 0.9 and math.random(#methods - 3) or math.random(#methods)]
  end

  for kind, connect in pairs(kinds) do
    it("survives any calls by any tasks: a " .. kind, function()
      math.randomseed(20240607)
      for _ = 1, 60 do
        local ends = { connect() }
        local tasks = {}
        for i = 1, 6 do
          tasks[i] = async.create_task(function()
            for _ = 1, 20 do
              pcall(random_method(), ends[math.random(2)])
              if math.random() < 0.2 then
                async.sleep(math.random() / 100)
              end
            end
          end)
        end
        async.sleep(math.random(5) / 100)
        for _, t in ipairs(tasks) do
          t:cancel()
        end
        local closer = async.create_task(function()
          while async.sleep(0.1, true) do
            ends[1]:abort()
            ends[2]:abort()
          end
        end)
        async.wait(tasks)
        closer:cancel()
        ends[1]:abort()
        ends[2]:abort()
        ends[1]:wait_closed()
        ends[2]:wait_closed()
      end
    end)
  end
end)
