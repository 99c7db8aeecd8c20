local async = require "strobe.async"
local frame = require "strobe.tectonic.frame"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"

describe("a server", function()
  local function row(seq)
    return { ts = 1505177459.685, seq = seq, is_trade = true, is_bid = false, price = 100, size = 1 }
  end

  local function serve(options)
    options = options or {}
    options.port = 0
    return assert(tectonic.serve(options))
  end

  local function dial(server)
    local connection = assert(net.connect("127.0.0.1", server:port()))
    connection:set_timeout(60)
    return connection
  end

  local function client(server, protocol)
    return assert(tectonic.connect { host = "127.0.0.1", port = server:port(), protocol = protocol })
  end

  -- All that comes until the server hangs up.
  local function read_all(connection)
    local parts = {}
    while true do
      local bytes, _, code = connection:read()
      if not bytes or bytes == "" then
        return table.concat(parts), code
      end
      table.insert(parts, bytes)
    end
  end

  local function alive(server)
    local db <close> = client(server, "poll")
    assert.same({ true, "PONG" }, { db:ping() })
    local other <close> = client(server, "push")
    assert.same({ true, "PONG" }, { other:ping() })
  end

  local function settle(server, connections)
    for _ = 1, 1000 do
      if server:stats().connections == (connections or 0) then
        return
      end
      async.sleep(0.01)
    end
    error(("%d connections are left"):format(server:stats().connections))
  end

  describe("with subscribers", function()
    it("gives every one of them every update in order, whatever it speaks", function()
      local server <close> = serve()
      local tasks = {}
      for i = 1, 10 do
        tasks[i] = async.create_task(function()
          local db <close> = client(server, i % 2 == 0 and "poll" or "push")
          local expected = 1
          for tick in db:ticks "btc_usd" do
            assert.equal(expected, tick.seq)
            if tick.seq == 500 then
              return tick.seq
            end
            expected = expected + 1
          end
        end)
      end
      server:wait_subscribers(10)
      for seq = 1, 500 do
        server:insert(row(seq), "btc_usd")
        if seq % 50 == 0 then
          async.sleep(0.05)
        end
      end
      for _, task in ipairs(tasks) do
        assert.equal(500, task:await())
      end
      settle(server)
      local s = server:stats()
      assert.equal(5000, s.published)
      assert.equal(5000, s.delivered)
      assert.equal(0, s.dropped + s.discarded + s.queued)
    end)

    it("publishes what clients insert, whatever they speak", function()
      local server <close> = serve()
      local db <close> = client(server, "poll")
      local other <close> = client(server, "push")
      db:subscribe "default"
      other:insert(row(1))
      other:bulk({ row(2), row(3) }, "default")
      for seq = 1, 3 do
        assert.equal(seq, db:next_tick().seq)
      end
      assert.equal("3", (select(2, other:count())))
    end)

    it("keeps so many updates for each, drops the oldest and counts them", function()
      local server <close> = serve { queue_limit = 10 }
      local db <close> = client(server, "poll")
      db:subscribe "btc_usd"
      for seq = 1, 25 do
        server:insert(row(seq), "btc_usd")
      end
      assert.equal(16, db:next_tick().seq)
      local s = server:stats()
      assert.equal(15, s.dropped)
      assert.equal(9, s.queued)
    end)

    it("counts what a client had not fetched when it went", function()
      local server <close> = serve()
      local db = client(server, "poll")
      db:subscribe "btc_usd"
      for seq = 1, 25 do
        server:insert(row(seq), "btc_usd")
      end
      db:close()
      settle(server)
      assert.equal(25, server:stats().discarded)
      assert.equal(0, server:stats().subscribers)
    end)

    it("loses nobody's updates to a client that never reads, and bounds its memory", function()
      local server <close> = serve { book_limit = 100 }
      local stuck = dial(server)
      stuck:write(frame.encode_request "SUBSCRIBE btc_usd")
      server:wait_subscribers(1)
      local db <close> = client(server, "poll")
      db:subscribe "btc_usd"
      collectgarbage()
      local before = collectgarbage "count"
      local seq = 0
      repeat
        for _ = 1, 1000 do
          seq = seq + 1
          server:insert(row(seq), "btc_usd")
        end
        for expected = seq - 999, seq do
          assert.equal(expected, db:next_tick().seq)
        end
      until server:stats().dropped > 100 or seq > 1000000
      local s = server:stats()
      assert.is_true(s.dropped > 100)
      assert.equal(s.published, s.delivered + s.dropped)
      collectgarbage()
      assert.is_true(collectgarbage "count" - before < 4096)
      stuck:abort()
    end)

    it("waits until all was fetched, or for so long", function()
      local server <close> = serve()
      local db <close> = client(server, "poll")
      db:subscribe "btc_usd"
      server:insert(row(1), "btc_usd")
      assert.is_false(server:wait_delivered(1))
      db:poll()
      assert.is_true(server:wait_delivered(1))
    end)
  end)

  describe("asked by raw bytes", function()
    it("tells the generations apart by the first byte", function()
      local server <close> = serve()
      for request, prefix in pairs {
        ["PING\n"] = "\1\0\0\0\0\0\0\0\4PONG",
        ["\r\n"] = "\1\0\0\0\0\0\0\0\0",
        ["\0\0\0\4PING"] = "\1\0\0\0\0\0\0\0\4PONG",
        ["\0\0\0\0"] = "\1\0\0\0\0\0\0\0\0",
        ["CREATE a\n"] = "\1\0\0\0\0\0\0\0\15Created DB `a`.",
      } do
        local connection <close> = dial(server)
        connection:write(request)
        assert.equal(prefix, (connection:read_exactly(#prefix)))
      end
    end)

    it("speaks one protocol only when told so", function()
      local server <close> = serve { protocol = "poll" }
      local connection <close> = dial(server)
      connection:write "\0\0\0\4PING\n"
      local answer = connection:read_exactly(9 + 23)
      assert.matches("ERR: Unknown command.\n\n$", answer)
    end)

    it("answers requests that come byte by byte, and many in one segment", function()
      local server <close> = serve()
      local pong = frame.encode_reply(true, "PONG")
      for _, request in ipairs { "PING\r\n", frame.encode_request "PING" } do
        local connection <close> = dial(server)
        for byte in request:gmatch "." do
          connection:send(byte)
          async.sleep(0.001)
        end
        assert.equal(pong, connection:read_exactly(#pong))
        connection:send(request:rep(1000))
        assert.equal(pong:rep(1000), connection:read_exactly(1000 * #pong))
      end
    end)

    it("answers a last line without its end when the client has shut down its side", function()
      local server <close> = serve()
      local connection <close> = dial(server)
      connection:write "PING\nPING"
      connection:shutdown()
      assert.equal(frame.encode_reply(true, "PONG"):rep(2), (read_all(connection)))
      settle(server)
    end)

    it("answers what is malformed with an error and goes on", function()
      local server <close> = serve()
      local connection <close> = dial(server)
      for request, error in pairs {
        ["nonsense\n"] = "Unknown command.",
        ["\xFF\xFE\n"] = "Bad format.",
        ["INSERT 1,2,3\n"] = "Unable to parse line",
        ["GET ALL FROM x TO y\n"] = "FROM and TO need whole seconds.",
        ["UNSUBSCRIBE\n"] = "Not subscribed.",
      } do
        connection:write(request)
        local expected = frame.encode_reply(false, "ERR: " .. error .. "\n\n")
        assert.equal(expected, connection:read_exactly(#expected))
      end
      connection:write "PING\n"
      assert.equal("\1\0\0\0\0\0\0\0\4PONG", connection:read_exactly(13))
      assert.equal(0, server:stats().refused)
    end)

    it("refuses a line without end, says why and hangs up", function()
      local server <close> = serve { line_limit = 1000 }
      local connection <close> = dial(server)
      connection:write(("x"):rep(5000))
      connection:shutdown()
      assert.equal(frame.encode_reply(false, "ERR: line longer than 1000 bytes\n"), (read_all(connection)))
      assert.equal(1, server:stats().refused)
      alive(server)
    end)

    it("refuses a huge length, says why and hangs up", function()
      local server <close> = serve()
      local connection <close> = dial(server)
      connection:write "\0\x20\0\0" -- 2 MiB
      connection:shutdown()
      assert.matches("ERR: a request of 2097152 bytes, the limit is 1048576\n$", (read_all(connection)))
      assert.equal(1, server:stats().refused)
      alive(server)
    end)

    it("answers what came before the malformed part", function()
      local server <close> = serve { line_limit = 100 }
      local connection <close> = dial(server)
      connection:write("PING\n" .. ("x"):rep(200))
      connection:shutdown()
      assert.equal(frame.encode_reply(true, "PONG") .. frame.encode_reply(false,
        "ERR: line longer than 100 bytes\n"), (read_all(connection)))
    end)

    it("survives clients that go in the middle of a request or of an answer", function()
      local server <close> = serve()
      for seq = 1, 10000 do
        server:insert(row(seq), "default")
      end
      for _, request in ipairs { "PI", "\0\0", "\0\0\0\10PI", "GET ALL AS JSON\n",
        "GET ALL AS JSON\n" .. ("x"):rep(100) } do
        for _, ending in ipairs { "abort", "close", "shutdown" } do
          local connection = dial(server)
          connection:write(request)
          connection[ending](connection)
          async.sleep(0.1)
          connection:abort()
        end
      end
      settle(server)
      alive(server)
    end)

    it("does not collect the answers of a client that asks much and reads nothing", function()
      local server <close> = serve()
      for seq = 1, 10000 do
        server:insert(row(seq), "default")
      end
      local connection = dial(server)
      collectgarbage()
      local before = collectgarbage "count"
      connection:send(("GET ALL AS JSON\n"):rep(2000)) -- nearly 2 GB of answers
      async.sleep(1)
      collectgarbage()
      assert.is_true(collectgarbage "count" - before < 16 * 1024)
      alive(server)
      connection:abort()
      settle(server)
    end)
  end)

  describe("with an idle timeout", function()
    it("ends connections that say nothing at all, or stop in the middle", function()
      local server <close> = serve { idle_timeout = 10 }
      local quiet, half = dial(server), dial(server)
      half:write "PIN"
      local began = async.time()
      assert.equal("", (read_all(quiet)))
      assert.equal("", (read_all(half)))
      assert.is_true(async.time() - began >= 10 and async.time() - began < 12)
      quiet:abort()
      half:abort()
      settle(server)
    end)

    it("keeps who polls, and who is pushed to", function()
      local server <close> = serve { idle_timeout = 10 }
      local poller <close> = client(server, "poll")
      local pushed <close> = client(server, "push")
      poller:subscribe "btc_usd"
      pushed:subscribe "btc_usd"
      for _ = 1, 10 do
        async.sleep(5)
        assert.same({ true, "NONE" }, { poller:poll() })
      end
      server:insert(row(1), "btc_usd")
      assert.equal(1, poller:next_tick().seq)
      async.sleep(0.1)
      assert.equal(1, pushed:next_tick().seq)
    end)

    it("ends a client that does not read its answer", function()
      local server <close> = serve { idle_timeout = 10 }
      for seq = 1, 20000 do
        server:insert(row(seq), "default")
      end
      local stuck = dial(server)
      stuck:send(("GET ALL AS JSON\n"):rep(20))
      async.sleep(30)
      settle(server)
      stuck:abort()
    end)
  end)

  describe("close", function()
    it("ends all connections and tasks, and closing again is harmless", function()
      local server = serve()
      local idle = dial(server)
      local poller = client(server, "poll")
      poller:subscribe "a"
      local pushed = client(server, "push")
      pushed:subscribe "a"
      local stuck = dial(server)
      for seq = 1, 20000 do
        server:insert(row(seq), "default")
      end
      stuck:send(("GET ALL AS JSON\n"):rep(20))
      async.sleep(1)
      server:close()
      server:close()
      assert.equal(0, server:stats().connections)
      assert.equal("", (idle:read()) or "")
      assert.is_nil((poller:poll()))
      assert.is_nil((pushed:ping()))
      for _, connection in ipairs { idle, stuck } do
        connection:abort()
      end
    end)

    it("frees the port", function()
      local server = serve()
      local port = server:port()
      server:close()
      local again <close> = assert(tectonic.serve { port = port })
      assert.equal(port, again:port())
    end)

    it("wakes clients that wait in ticks()", function()
      local server = serve()
      local db <close> = client(server, "push")
      local task = async.create_task(function()
        for _ in db:ticks "a" do end -- luacheck: ignore
      end)
      server:wait_subscribers(1)
      server:close()
      assert.is_false(pcall(task.await, task))
    end)
  end)

  describe("of a port that is taken", function()
    it("is nil, a message and EADDRINUSE", function()
      local server <close> = serve()
      local other, message, code = tectonic.serve { port = server:port() }
      assert.is_nil(other)
      assert.is_string(message)
      assert.equal("EADDRINUSE", code)
    end)
  end)

  describe("fed with random bytes", function()
    -- Park and Miller's generator: the same bytes in every run.
    local function random_from(seed)
      return function(n)
        seed = seed * 48271 % 2147483647
        return seed % n
      end
    end

    local WORDS = { "PING", "SUBSCRIBE ", "INSERT ", "GET ", "ALL", " AS JSON", "CREATE ", "USE ", " INTO ", "BULKADD",
      "DDAKLUB", "ra\0\0\0\0\0\0\0\1a", "\0\0\0\5", "\0\0\0\0", "1505177459.685, 1, t, f, 0.1, 2;", "COUNT", "OB",
      "\255\255\255\255", "x", " ", ",", ";", "UNSUBSCRIBE ALL", "\r", "FROM 1 TO 2", "\240\159" }

    local function noise(random)
      local parts = {}
      for i = 1, 1 + random(30) do
        local kind = random(4)
        if kind == 0 then
          parts[i] = string.char(random(256)):rep(1 + random(50))
        elseif kind == 1 then
          parts[i] = "\n"
        else
          parts[i] = WORDS[1 + random(#WORDS)]
        end
      end
      local bytes = table.concat(parts)
      return random(3) == 0 and frame.encode_request(bytes) .. bytes or bytes
    end

    it("survives and still answers", function()
      local server <close> = serve { line_limit = 500, book_limit = 1000, idle_timeout = 60 }
      local random = random_from(20180126)
      local problems = {}
      require("strobe.report").set_handler(function(context)
        table.insert(problems, context.message)
      end)
      for n = 1, 400 do
        local connection = dial(server)
        for _ = 1, 1 + random(3) do
          connection:send(noise(random))
          if random(4) == 0 then
            async.sleep(0.001)
          end
        end
        if random(2) == 0 then
          connection:shutdown()
          read_all(connection)
        end
        connection:abort()
        if n % 50 == 0 then
          alive(server)
        end
      end
      settle(server)
      require("strobe.report").set_handler(nil)
      assert.same({}, problems)
      alive(server)
    end)
  end)
end)
