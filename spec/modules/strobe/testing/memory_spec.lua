local async = require "strobe.async"
local errors = require "spec.support.errors"
local http = require "strobe.http"
local testing = require "strobe.testing"

describe("testing.memory_stream", function()
  it("carries what the peer sends, and shows it what the program sends", function()
    local stream, peer <close> = testing.memory_stream()
    peer:send "PING\r\n"
    assert.equal("PING\r\n", stream:read_until())
    stream:write "PONG\r\n"
    stream:write "more"
    assert.equal("PONG\r\nmore", peer:received())
    assert.equal("", peer:received())
    stream:close()
    assert.is_true(peer:is_closed())
  end)

  it("is a stream like any other", function()
    local stream, peer <close> = testing.memory_stream()
    local serving = async.create_task(http.serve_stream, function(request)
      return 200, nil, "hello " .. request.query.name
    end, stream)
    peer:send "GET /?name=Ada HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    peer:expect "HTTP/1.1 200 OK\r\n"
    serving:await()
    assert.matches("\r\n\r\nhello Ada$", peer:received())
    peer:expect_end()
  end)

  it("has asyncio's faces", function()
    local stream, peer <close> = testing.memory_stream()
    local reader, writer = async.StreamReader(stream), async.StreamWriter(stream)
    peer:send "one\ntwo\n":finish()
    local lines = {}
    for line in reader:lines() do
      lines[#lines + 1] = line
    end
    assert.same({ "one", "two" }, lines)
    writer:writelines { "three", "four" }
    writer:drain()
    peer:expect "threefour"
    writer:close()
    peer:expect_end()
  end)

  it("holds a writer back until the peer reads, when it has a limit", function()
    local stream, peer <close> = testing.memory_stream { limit = 4 }
    local written = false
    local writer = async.create_task(function()
      stream:write "12345678"
      written = true
    end)
    testing.clock.run_until_idle()
    assert.is_false(written)
    assert.equal("1234", peer.stream:read(4))
    testing.clock.run_until_idle()
    assert.is_true(written)
    writer:await()
    stream:close()
    peer:expect "5678"
  end)

  it("tells what is sent as it comes", function()
    local seen = {}
    local stream = testing.memory_stream {
      on_send = function(bytes, other)
        seen[#seen + 1] = bytes
        other:send(bytes:upper())
      end,
    }
    stream:write "a"
    assert.equal("A", stream:read())
    stream:write "b"
    assert.equal("B", stream:read())
    assert.same({ "a", "b" }, seen)
    stream:close()
  end)

  it("fails as a network would", function()
    for _, code in ipairs { "ECONNRESET", "ETIMEDOUT" } do
      local stream, peer <close> = testing.memory_stream()
      local reader = async.create_task(stream.read, stream)
      async.sleep(0)
      peer:fail(code)
      assert.is_nil((reader:await()))
      for _, call in ipairs { stream.read, stream.write } do
        local done, _, got = call(stream, call == stream.write and "x" or 1)
        assert.same({ nil, code }, { done, got })
      end
    end
  end)

  it("waits until the program has closed", function()
    local stream, peer = testing.memory_stream()
    async.get_running_loop():call_later(5, stream.close, stream)
    peer:wait_closed()
    assert.equal(5, async.time())
    peer:wait_closed()
    peer:close()
    local open, other <close> = testing.memory_stream()
    assert.matches("peer:wait_closed: the stream is still open", errors.raised_by(other.wait_closed, other, 1))
    open:close()
  end)

  describe("expect", function()
    it("tells what came instead", function()
      for sent, message in pairs {
        XYZ = '"ABC" was expected, and "XYZ" came$',
        A = '"ABC" was expected, and "A" came: .*timed out',
      } do
        local stream, peer <close> = testing.memory_stream()
        stream:write(sent)
        assert.matches(message, errors.raised_by(peer.expect, peer, "ABC", 1))
      end
      local stream, peer <close> = testing.memory_stream()
      stream:write "AB"
      stream:close()
      assert.matches('"ABC" was expected, and "AB" came: read_exactly: the stream ended',
        errors.raised_by(peer.expect, peer, "ABC"))
    end)

    it("of an end tells what came before, and that none came", function()
      local stream, peer <close> = testing.memory_stream()
      assert.matches("peer:expect_end: .*timed out", errors.raised_by(peer.expect_end, peer, 1))
      stream:write "x"
      assert.matches('peer:expect_end: "x" came', errors.raised_by(peer.expect_end, peer))
    end)
  end)

  it("takes a limit above 0, and a function", function()
    assert.matches("limit: a number of bytes above 0 expected, got 0",
      errors.raised_by(testing.memory_stream, { limit = 0 }))
    assert.matches("on_send: a function expected, got string",
      errors.raised_by(testing.memory_stream, { on_send = "x" }))
  end)
end)
