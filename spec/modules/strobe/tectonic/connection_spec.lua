local async = require "strobe.async"
local fake_server = require "spec.modules.strobe.tectonic.fake_server"
local frame = require "strobe.tectonic.frame"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"
local testing = require "strobe.testing"

local ROW = { ts = 1505177459.685, seq = 139010, is_trade = true, is_bid = false, price = 0.070362, size = 7.6506424 }

local plays, says, reply = fake_server.plays, fake_server.says, frame.encode_reply

local function connect(port, options)
  options = options or {}
  options.host, options.port = "127.0.0.1", port
  return assert(tectonic.connect(options))
end

describe("a connection", function()
  for _, protocol in ipairs { "poll", "push" } do
    describe(("of the %s protocol"):format(protocol), function()
      it("returns nil, message and code after it was closed, until it reconnects", function()
        local server <close> = says(reply(true, "PONG"))
        local db <close> = connect(server.port, { protocol = protocol })
        db:close()
        db:close()
        local success, message, code = db:ping()
        assert.is_nil(success)
        assert.matches("tectonic 127.0.0.1:%d+: not connected; reconnect%(%) connects again", message)
        assert.equal("ENOTCONN", code)
        assert.is_true(db:reconnect())
        assert.same({ true, "PONG" }, { db:ping() })
      end)

      it("returns nil, message and code when the server goes", function()
        local server = assert(tectonic.serve { port = 0 })
        local db <close> = connect(server:port(), { protocol = protocol })
        server:close()
        local success, message, code = db:ping()
        assert.is_nil(success)
        assert.matches("tectonic 127.0.0.1:%d+: ", message)
        assert.is_string(code)
        success, message, code = db:reconnect()
        assert.is_nil(success)
        assert.matches("tectonic 127.0.0.1:%d+: connect .+: connection refused; is the server running%?", message)
        assert.equal("ECONNREFUSED", code)
      end)

      it("returns nil to the task that waits when another one closes it", function()
        local server <close> = plays(fake_server.ignore_requests)
        local db <close> = connect(server.port, { protocol = protocol })
        local task = async.create_task(function()
          return db:ping()
        end)
        async.sleep(1)
        db:close()
        assert.is_nil((task:await()))
      end)

      it("is one connection when several tasks reconnect at the same time", function()
        local server <close> = assert(tectonic.serve { port = 0 })
        local db <close> = connect(server:port(), { protocol = protocol })
        local tasks = {}
        for i = 1, 5 do
          tasks[i] = async.create_task(db.reconnect, db)
        end
        for _, task in ipairs(tasks) do
          assert.is_true((task:await()))
        end
        assert.same({ true, "PONG" }, { db:ping() })
        assert.equal(1, server:stats().connections)
      end)

      it("stays closed when it is closed while it reconnects", function()
        local server <close> = assert(tectonic.serve { port = 0 })
        local db <close> = connect(server:port(), { protocol = protocol })
        local task = async.create_task(db.reconnect, db)
        async.sleep(0)
        db:close()
        local ok, message, code = task:await()
        assert.is_nil(ok)
        assert.matches("closed while it connected", message)
        assert.equal("ECANCELED", code)
        assert.equal("ENOTCONN", (select(3, db:ping())))
      end)
    end)
  end

  for _, protocol in ipairs { "poll", "push" } do
    describe(("of the %s protocol, facing an awkward server"):format(protocol), function()
      -- Each case: a server's bytes, and what ping() then returns.
      local function ping(server, options)
        options = options or {}
        options.protocol = protocol
        local db <close> = connect(server.port, options)
        return db:ping()
      end

      it("puts an answer together that is split at any byte", function()
        local bytes = reply(true, "PONG")
        for cut = 1, #bytes - 1 do
          local server <close> = says(bytes:sub(1, cut), bytes:sub(cut + 1))
          local success, text = ping(server)
          assert.is_true(success)
          assert.equal("PONG", text)
        end
      end)

      it("puts an answer together that comes byte by byte", function()
        local bytes = {}
        for byte in reply(false, "ERR: slow\n"):gmatch "." do
          table.insert(bytes, byte)
        end
        local server <close> = says(table.unpack(bytes))
        local success, text = ping(server)
        assert.is_false(success)
        assert.equal("ERR: slow\n", text)
      end)

      it("keeps two answers that come in one segment apart", function()
        testing.fifo()
        local server <close> = says(reply(true, "one") .. reply(false, "two"))
        local db <close> = connect(server.port, { protocol = protocol })
        local first = async.create_task(db.ping, db)
        local second = async.create_task(db.ping, db)
        assert.same({ true, "one" }, { first:await() })
        assert.same({ false, "two" }, { second:await() })
      end)

      it("takes an empty answer for what it is", function()
        local server <close> = says(reply(true, ""))
        assert.same({ true, "" }, { ping(server) })
      end)

      it("hangs up on an impossible header and shows its bytes", function()
        local server <close> = says "HTTP/1.1 400 Bad Request\r\n\r\n"
        local success, message, code = ping(server)
        assert.is_nil(success)
        assert.matches("not an answer of a TectonicDB server: 48 54 54 50 2f 31 2e 31 20$", message)
        assert.equal("EPROTO", code)
      end)

      it("hangs up on a huge length instead of waiting for it", function()
        for _, length in ipairs { 64 * 1024 * 1024 + 1, math.maxinteger, -1 } do
          local server <close> = says("\1" .. string.pack(">i8", length))
          local success, _, code = ping(server)
          assert.is_nil(success)
          assert.equal("EPROTO", code)
        end
      end)

      it("tells when the connection is reset or ends inside a body", function()
        for _, ending in ipairs { "abort", "close" } do
          local server <close> = plays(function(connection)
            connection:read()
            connection:send("\1\0\0\0\0\0\0\0\9half")
            async.sleep(0.01)
            connection[ending](connection)
          end)
          local success, message, code = ping(server)
          assert.is_nil(success)
          assert.matches("^tectonic 127.0.0.1:%d+: ", message)
          assert.truthy(code == "EOF" or code == "ECONNRESET", code)
        end
      end)

      it("waits for a silent server only as long as its timeout", function()
        local server <close> = says()
        local success, message, code = ping(server, { timeout = 2 })
        assert.is_nil(success)
        assert.matches("no answer within 2 s", message)
        assert.equal("ETIMEDOUT", code)
        assert.is_true(async.time() >= 2 and async.time() < 3)
      end)

      it("can be used no more after a timeout, as answers could be mixed up", function()
        local server <close> = says()
        local db <close> = connect(server.port, { protocol = protocol, timeout = 1 })
        db:ping()
        assert.equal("ENOTCONN", (select(3, db:ping())))
        assert.is_true(db:reconnect())
      end)

      -- The first answer comes after 10 s, in the given pieces; then an echo of the requests' number.
      local function late(pieces)
        return plays(function(connection)
          connection:read()
          for _, piece in ipairs(pieces) do
            async.sleep(10)
            connection:send(piece)
          end
          for n = 2, math.huge do
            local bytes = connection:read()
            if not bytes or bytes == "" then
              return
            end
            connection:send(reply(true, "answer " .. n))
          end
        end)
      end

      for name, pieces in pairs {
        ["while the header is awaited"] = { reply(true, "answer 1") },
        ["in the middle of the header"] = { "\1\0\0", "\0\0\0\0\0\8answer 1" },
        ["while the body is awaited"] = { "\1\0\0\0\0\0\0\0\8", "answer 1" },
        ["in the middle of the body"] = { "\1\0\0\0\0\0\0\0\8answ", "er 1" },
      } do
        it("stays in step when a request is cancelled " .. name, function()
          local server <close> = late(pieces)
          local db <close> = connect(server.port, { protocol = protocol })
          local task = async.create_task(db.ping, db)
          async.sleep(#pieces == 1 and 5 or 15)
          task:cancel()
          assert.has_error(function() task:await() end)
          local second = async.create_task(db.ping, db)
          assert.same({ true, "answer 2" }, { second:await() })
          assert.same({ true, "answer 3" }, { db:ping() })
        end)
      end

      it("stays in step when wait_for gives up on it, again and again", function()
        local server <close> = plays(function(connection)
          local n = 0
          while true do
            local bytes = connection:read()
            if not bytes or bytes == "" then
              return
            end
            for _ in bytes:gmatch "PING" do
              n = n + 1
              async.sleep(1)
              connection:send(reply(true, tostring(n)))
            end
          end
        end)
        local db <close> = connect(server.port, { protocol = protocol })
        for _ = 1, 5 do
          assert.is_false(pcall(async.wait_for, async.create_task(db.ping, db), 0.3))
        end
        local _, text = db:ping()
        assert.truthy(tonumber(text) >= 2)
        assert.same({ true, tostring(tonumber(text) + 1) }, { db:ping() })
      end)

      it("stays in step when a bulk is cancelled before the server has read it", function()
        local server = assert(tectonic.serve { port = 0 })
        local guard <close> = server -- luacheck: ignore
        local db <close> = connect(server:port(), { protocol = protocol })
        db:create "btc_usd"
        local rows = {}
        for i = 1, 20000 do
          rows[i] = ROW
        end
        local task = async.create_task(db.bulk, db, rows, "btc_usd")
        async.sleep(0)
        task:cancel()
        pcall(task.await, task)
        assert.same({ true, "PONG" }, { db:ping() })
        local _, count = db:count "all"
        assert.truthy(count == "20000" or count == "0")
      end)
    end)
  end

  describe("connect", function()
    it("tells who refused", function()
      local listener = assert(net.listen(nil, 0))
      local port = listener:port()
      listener:close()
      local db, message, code = tectonic.connect { host = "127.0.0.1", port = port }
      assert.is_nil(db)
      assert.is_string(message)
      assert.equal("ECONNREFUSED", code)
    end)

    it("tells which option is wrong, and what is expected", function()
      for message, options in pairs {
        ["protocol: poll or push expected, got smoke"] = { protocol = "smoke" },
        ["host: a name or an address expected, got 7"] = { host = 7 },
        ["port: a port from 1 to 65535 expected, got 0"] = { port = 0 },
        ["port: a port from 1 to 65535 expected, got 9001.5"] = { port = 9001.5 },
        ["timeout: a number of seconds above 0 expected, got soon"] = { timeout = "soon" },
        ["queue: an integer above 0 expected, got 0"] = { queue = 0, protocol = "push" },
      } do
        assert.has_error(function()
          tectonic.connect(options)
        end, "tectonic.connect: " .. message)
      end
    end)
  end)
end)
