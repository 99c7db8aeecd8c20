local async = require "strobe.async"
local dice = require "spec.support.dice"
local frame = require "strobe.tectonic.frame"
local our_server = require "spec.modules.strobe.tectonic.our_server"

local serve, dial, client, row = our_server.serve, our_server.dial, our_server.client, our_server.row
local read_all, settle, assert_alive = our_server.read_all, our_server.settle, our_server.assert_alive

describe("a conversation", function()
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
      assert_alive(server)
    end)

    it("refuses a huge length, says why and hangs up", function()
      local server <close> = serve()
      local connection <close> = dial(server)
      connection:write "\0\x20\0\0" -- 2 MiB
      connection:shutdown()
      assert.matches("ERR: a request of 2097152 bytes, the limit is 1048576\n$", (read_all(connection)))
      assert.equal(1, server:stats().refused)
      assert_alive(server)
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
      assert_alive(server)
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
      assert_alive(server)
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

  describe("fed with random bytes", function()
    local WORDS = { "PING", "SUBSCRIBE ", "INSERT ", "GET ", "ALL", " AS JSON", "CREATE ", "USE ", " INTO ", "BULKADD",
      "DDAKLUB", "ra\0\0\0\0\0\0\0\1a", "\0\0\0\5", "\0\0\0\0", "1505177459.685, 1, t, f, 0.1, 2;", "COUNT", "OB",
      "\255\255\255\255", "x", " ", ",", ";", "UNSUBSCRIBE ALL", "\r", "FROM 1 TO 2", "\240\159" }

    local function noise(random)
      local parts = {}
      for i = 1, random(30) do
        local kind = random(4)
        if kind == 1 then
          parts[i] = string.char(random(256) - 1):rep(random(50))
        elseif kind == 2 then
          parts[i] = "\n"
        else
          parts[i] = WORDS[random(#WORDS)]
        end
      end
      local bytes = table.concat(parts)
      return random(3) == 1 and frame.encode_request(bytes) .. bytes or bytes
    end

    it("survives and still answers", function()
      local server <close> = serve { line_limit = 500, book_limit = 1000, idle_timeout = 60 }
      local random = dice(20180126)
      local problems = {}
      require("strobe.report").set_handler(function(context)
        table.insert(problems, context.message)
      end)
      for n = 1, 400 do
        local connection = dial(server)
        for _ = 1, random(3) do
          connection:send(noise(random))
          if random(4) == 1 then
            async.sleep(0.001)
          end
        end
        if random(2) == 1 then
          connection:shutdown()
          read_all(connection)
        end
        connection:abort()
        if n % 50 == 0 then
          assert_alive(server)
        end
      end
      settle(server)
      require("strobe.report").set_handler(nil)
      assert.same({}, problems)
      assert_alive(server)
    end)
  end)
end)
