local async = require "strobe.async"
local conversation = require "strobe.tectonic.conversation"
local errors = require "spec.support.errors"
local http = require "strobe.http"
local json = require "strobe.json"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"
local testing = require "strobe.testing"
local upgrade = require "strobe.ws"

local TEXT = ("0123456789abcdef"):rep(64)

-- The program's stream, the other end of what it stands on, and the line.
local function faulty(options)
  local left, right = net.pipe()
  local stream, line = testing.faulty(left, options)
  return stream, right, line
end

local function read_all(stream)
  local parts = {}
  while true do
    local bytes, _, code = stream:read()
    if not bytes or bytes == "" then
      return table.concat(parts), code, #parts
    end
    parts[#parts + 1] = bytes
  end
end

-- What of TEXT comes out of a line with these faults, by what it ends, in how many reads.
local function carried(options)
  local stream, other, line = faulty(options)
  local sender = async.create_task(function()
    other:write(TEXT)
    other:shutdown()
  end)
  local text, code, reads = read_all(stream)
  sender:await()
  stream:close()
  other:close()
  async.sleep(0)
  return text, code, reads, line
end

local function differences(a, b)
  local count = 0
  for i = 1, math.max(#a, #b) do
    count = count + (a:byte(i) == b:byte(i) and 0 or 1)
  end
  return count
end

describe("testing.faulty", function()
  it("without faults carries everything, both ways, to the end", function()
    local stream, other, line = faulty()
    stream:write "ask"
    assert.equal("ask", other:read())
    other:write "answer"
    other:shutdown()
    assert.equal("answer", (read_all(stream)))
    stream:shutdown()
    assert.equal("", other:read())
    assert.same({ 3, 6 }, { line.send.bytes, line.receive.bytes })
    stream:close()
    other:close()
  end)

  it("splits what comes into small pieces", function()
    local text, _, reads = carried { split = 3 }
    assert.equal(TEXT, text)
    assert.is_true(reads > #TEXT / 4)
  end)

  it("delays each piece", function()
    assert.equal(TEXT, (carried { delay = 2 }))
    assert.equal(2, async.time())
    local _, _, _, line = carried { split = 64, delay = { 1, 2 } }
    local pieces = line.receive.pieces
    assert.is_true(line.receive.delayed >= pieces and line.receive.delayed <= 2 * pieces)
    assert.near(2 + line.receive.delayed, async.time(), 1e-3)
  end)

  it("loses and doubles pieces", function()
    local text, _, _, line = carried { split = 1, drop = 0.5 }
    assert.equal(#TEXT - line.receive.dropped, #text)
    assert.is_true(line.receive.dropped > 400 and line.receive.dropped < 600)
    text, _, _, line = carried { split = 1, duplicate = 0.25 }
    assert.equal(#TEXT + line.receive.duplicated, #text)
    assert.is_true(line.receive.duplicated > 150 and line.receive.duplicated < 350)
  end)

  it("flips bits", function()
    local text, _, _, line = carried { split = 16, corrupt = 0.5 }
    assert.equal(#TEXT, #text)
    assert.equal(line.receive.corrupted, differences(TEXT, text))
    assert.is_true(line.receive.corrupted > 20)
    assert.equal(1, differences(TEXT, (carried { corrupt = 1 })))
  end)

  it("does the same damage with the same seed", function()
    local faults = { seed = 5, split = 4, drop = 0.1, corrupt = 0.1, duplicate = 0.1 }
    local text = carried(faults)
    assert.equal(text, (carried(faults)))
    faults.seed = 6
    assert.not_equal(text, (carried(faults)))
  end)

  it("cuts after so many bytes, in good order or with a failure", function()
    for _, code in ipairs { "none", "ECONNRESET", "ETIMEDOUT" } do
      local expected = code ~= "none" and code or nil
      local text, got = carried { receive = { cut = 100, code = expected } }
      assert.same({ TEXT:sub(1, 100), expected }, { text, got })
    end
    local text, code = carried { receive = { cut = 0, code = "ECONNRESET" } }
    assert.same({ "", "ECONNRESET" }, { text, code })
  end)

  it("cuts what is sent, too, for both sides", function()
    local stream, other = faulty { send = { cut = 4, code = "ECONNRESET" } }
    stream:write "12345678"
    local text, code = read_all(other)
    assert.same({ "1234", "ECONNRESET" }, { text, code })
    assert.equal("ECONNRESET", select(3, stream:read()))
    stream:close()
    other:close()
  end)

  it("stalls until it is told to go on", function()
    local stream, other, line = faulty { receive = { stall = 4 } }
    other:write "12345678"
    assert.equal("1234", stream:read_exactly(4))
    stream:set_timeout(5)
    assert.equal("ETIMEDOUT", select(3, stream:read()))
    line:resume()
    assert.equal("5678", stream:read_exactly(4))
    line:stall()
    other:write "9"
    assert.equal("ETIMEDOUT", select(3, stream:read()))
    line:resume()
    assert.equal("9", stream:read())
    stream:close()
    other:close()
  end)

  it("is cut by hand", function()
    local stream, other, line = faulty()
    local reader = async.create_task(stream.read, stream)
    async.sleep(1)
    line:cut "ECONNRESET"
    line:cut()
    assert.is_nil((reader:await()))
    assert.equal("ECONNRESET", select(3, other:read()))
    stream:close()
    other:close()
  end)

  it("passes on that the other side has gone", function()
    local stream, other = faulty()
    other:close()
    assert.equal("", stream:read())
    stream:write "x"
    async.sleep(0)
    async.sleep(0)
    assert.is_nil((stream:write "y"))
    stream:close()
  end)

  it("closes what it stands on with the stream, after what was written", function()
    local stream, other = faulty { delay = 1, split = 400 }
    stream:write(TEXT)
    stream:close()
    assert.equal(TEXT, (read_all(other)))
    assert.is_true(async.time() >= 3)
    other:close()
  end)

  it("is gone with a stream that is dropped, stalled or not", function()
    for _, options in ipairs { {}, { stall = 0 } } do
      local other
      do
        local stream
        stream, other = faulty(options)
        stream:write "x"
      end
      async.sleep(0)
      collectgarbage()
      collectgarbage()
      read_all(other)
      other:close()
    end
  end)

  it("ends well when its task is cancelled", function()
    local stream, other, line = faulty()
    line.task:cancel()
    async.sleep(0)
    async.sleep(0)
    assert.equal("", stream:read())
    assert.equal("", other:read())
    stream:close()
  end)

  it("says what is wrong with a fault", function()
    for _, case in ipairs {
      { { split = 0 }, "testing.faulty: split: a number of bytes above 0 expected, got 0" },
      { { drop = 2 }, "testing.faulty: drop: a probability from 0 to 1 expected, got 2" },
      { { delay = { 2, 1 } }, "testing.faulty: delay: a number of seconds, or two in a list, expected" },
      { { receive = { cut = -1 } }, "testing.faulty: receive.cut: a number of bytes expected, got %-1" },
      { { receive = { seed = 1 } }, "testing.faulty: there is no fault 'seed'" },
      { { burn = 1 }, "testing.faulty: there is no fault 'burn'" },
    } do
      assert.matches(case[2], errors.raised_by(testing.faulty, net.pipe(), case[1]))
    end
    assert.matches("testing.faulty: a stream expected, got nil", errors.raised_by(testing.faulty))
  end)
end)

describe("a bad line", function()
  -- A server of HTTP and WebSocket behind it; returns the client's stream.
  local function serve(options)
    local left, right = net.pipe()
    local task = async.create_task(http.serve_stream, function(request)
      if request.path == "/ws" then
        return upgrade.upgrade(request, function(connection)
          for message in connection:messages() do
            connection:send(message:upper())
          end
        end)
      end
      return 200, nil, { got = request:read() }
    end, right)
    return testing.faulty(left, options), task
  end

  local POST = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"

  it("does not hinder an HTTP server that gets a request byte by byte", function()
    local stream, task = serve { split = 1 }
    stream:write(POST)
    local answer = read_all(stream)
    assert.matches("^HTTP/1.1 200 OK\r\n", answer)
    assert.same({ got = "hello" }, json.decode(answer:match "\r\n\r\n(.*)$"))
    task:await()
    stream:close()
  end)

  it("that is cut inside of a request leaves nothing behind in an HTTP server", function()
    for cut = 0, #POST - 1, 7 do
      for _, code in ipairs { "", "ECONNRESET" } do
        local stream, task = serve { send = { cut = cut, code = code ~= "" and code or nil } }
        stream:write(POST)
        read_all(stream)
        task:await()
        stream:close()
      end
    end
  end)

  it("with flipped bits makes an HTTP server answer, or hang up, in time", function()
    for seed = 1, 10 do
      local stream, task = serve { seed = seed, send = { split = 8, corrupt = 0.2 } }
      stream:write(POST)
      read_all(stream)
      stream:close()
      task:await()
    end
  end)

  it("does not hinder a WebSocket that is slow and torn", function()
    local stream, task = serve { split = 2, delay = { 0, 0.01 } }
    do
      local ws <close> = assert(upgrade.connect("ws://x/ws", { stream = stream }))
      for _, text in ipairs { "a", ("long "):rep(100) } do
        ws:send(text)
        assert.equal(text:upper(), (ws:recv()))
      end
    end
    task:await()
  end)

  it("that is reset closes a WebSocket with 1006", function()
    local stream, task = serve { receive = { cut = 200, code = "ECONNRESET" } }
    local ws = assert(upgrade.connect("ws://x/ws", { stream = stream }))
    ws:send(("x"):rep(1000))
    local none, why, code = ws:recv()
    assert.same({ nil, 1006, "ECONNRESET" }, { none, why.code, code })
    ws:abort()
    ws:wait_closed()
    task:await()
  end)

  it("that is stalled ends a WebSocket's handshake in time", function()
    local stream, task = serve { stall = 20 }
    local none, _, code = upgrade.connect("ws://x/ws", { stream = stream, open_timeout = 5 })
    assert.same({ nil, "ETIMEDOUT" }, { none, code })
    task:cancel()
    async.wait { task }
  end)

  describe("to a TectonicDB server", function()
    -- Calls f with the options of a client, whose line to a server has faults.
    local function with_server(options, f)
      local server <close> = assert(tectonic.serve { port = 0 })
      local lab <close> = testing.mock.net({
        ["feed:9001"] = function(stream)
          conversation.hold(server, stream)
        end,
      }, { faults = options })
      f({ host = "feed", port = 9001, timeout = 5 }, lab)
    end

    it("that is torn and slow lets all through", function()
      with_server({ split = 2, delay = { 0, 0.001 } }, function(options)
        local db = assert(tectonic.connect(options))
        assert.same({ true, "PONG" }, { db:ping() })
        assert.is_true((db:create "book"))
        db:close()
      end)
    end)

    it("that is reset is told, and the client may connect again", function()
      with_server({ receive = { cut = 15, code = "ECONNRESET" } }, function(options, lab)
        local db = assert(tectonic.connect(options))
        assert.same({ true, "PONG" }, { db:ping() })
        local none, _, code = db:ping()
        assert.same({ nil, "ECONNRESET" }, { none, code })
        assert.is_true(db:reconnect())
        assert.is_true((db:ping()))
        db:close()
        assert.equal(2, #lab.connected)
      end)
    end)

    it("that is stalled makes a request late", function()
      with_server({ receive = { stall = 3 } }, function(options)
        local db = assert(tectonic.connect(options))
        local none, _, code = db:ping()
        assert.same({ nil, "ETIMEDOUT" }, { none, code })
        db:close()
      end)
    end)
  end)
end)

describe("testing.faulty_port", function()
  it("leads an HTTP client to its server by a bad line", function()
    local server <close> = assert(http.serve(function(request)
      return 200, nil, request:read():upper()
    end, "127.0.0.1", 0))
    local bad <close> = testing.faulty_port(server:port(), { split = 100 })
    local response = assert(http.post(("http://127.0.0.1:%d/"):format(bad:port()), { body = TEXT }))
    assert.equal(TEXT:upper(), response.body)
    assert.is_true(bad.lines[1].send.pieces > 10)
  end)

  it("resets connections as a network does", function()
    local server <close> = assert(http.serve(function()
      return 200, nil, TEXT
    end, "127.0.0.1", 0))
    local bad <close> = testing.faulty_port(server:port(), { receive = { cut = 50, code = "ECONNRESET" } })
    local none, _, code = http.get(("http://127.0.0.1:%d/"):format(bad:port()))
    assert.same({ nil, "ECONNRESET" }, { none, code })
  end)

  it("that leads nowhere resets", function()
    local gone = assert(net.listen(nil, 0))
    local port = gone:port()
    gone:close()
    local bad <close> = testing.faulty_port(port)
    local stream <close> = assert(net.connect("127.0.0.1", bad:port()))
    assert.equal("ECONNRESET", select(3, stream:read()))
  end)
end)
