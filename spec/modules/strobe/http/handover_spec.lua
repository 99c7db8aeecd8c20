local async = require "strobe.async"
local handover = require "strobe.http.handover"
local testing = require "strobe.testing"

-- What is read of an answer that comes whole, and byte by byte.
local function read(bytes)
  local answers = {}
  for i, pieces in ipairs { { bytes }, { bytes:match((bytes:gsub(".", "(.)"):sub(1, 3 * 30))) } } do
    local stream, peer <close> = testing.memory_stream()
    for _, piece in ipairs(pieces) do
      peer:send(piece)
    end
    peer:send(bytes:sub(#table.concat(pieces) + 1)):finish()
    answers[i] = table.pack(handover.read(stream))
    stream:close()
  end
  assert.same(answers[1], answers[2])
  return table.unpack(answers[1], 1, answers[1].n)
end

describe("the answer before a stream is handed over", function()
  it("is its head: status, reason, fields", function()
    local head = read "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-A: 1\r\nX-A: 2\r\n\r\nleft"
    assert.same({ 101, "Switching Protocols", "websocket", "1, 2" },
      { head.status, head.reason, head.headers.upgrade, head.headers["x-a"] })
  end)

  it("comes behind others that do not count, but not behind too many", function()
    local interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert.equal(200, read(interim:rep(16) .. "HTTP/1.1 200 OK\r\n\r\n").status)
    assert.same({ nil, "more than 16 answers with 1xx", "EPROTO" },
      { read(interim:rep(17) .. "HTTP/1.1 200 OK\r\n\r\n") })
  end)

  it("is refused when it is no HTTP, too long, or ends", function()
    local _, message, code = read "SSH-2.0-OpenSSH_9.2 and something more\r\n\r\n"
    assert.matches("^no HTTP answer: ", message)
    assert.equal("EPROTO", code)
    assert.same({ nil, "a head of more than 16384 bytes", "EMSGSIZE" },
      { read("HTTP/1.1 200 OK\r\nX: " .. ("x"):rep(20000) .. "\r\n\r\n") })
    assert.is_nil((read "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"))
  end)

  it("has the start of a refusal's body, if that comes soon", function()
    local stream, peer <close> = testing.memory_stream()
    peer:send("HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\n" .. ("no "):rep(500))
    local head = handover.read(stream)
    handover.read_body(stream, head)
    assert.equal(("no "):rep(500):sub(1, 1024), head.body)
    local slow, other <close> = testing.memory_stream()
    other:send "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno"
    head = handover.read(slow)
    handover.read_body(slow, head)
    assert.same({ nil, 1 }, { head.body, async.get_running_loop():time() })
    stream:close()
    slow:close()
  end)
end)
