local async = require "strobe.async"
local frame = require "strobe.tectonic.frame"
local json = require "strobe.json"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"

local ROW = { ts = 1505177459.685, seq = 139010, is_trade = true, is_bid = false, price = 0.070362, size = 7.6506424 }
local JSON = '{"ts":1505177459.685,"seq":139010,"is_trade":true,"is_bid":false,"price":0.070362,"size":7.6506424}'
local CSV = "1505177459.685,139010,true,false,0.070362,7.6506424"

local reply = frame.encode_reply

-- A server that plays a part: play(connection, n) for its n-th connection.
local function fake(play)
  local listener = assert(net.listen(nil, 0))
  local tasks, connections = {}, {}
  local function accept()
    for connection in listener:accept() do
      table.insert(connections, connection)
      table.insert(tasks, async.create_task(play, connection, #connections))
    end
  end
  table.insert(tasks, async.create_task(accept))
  return setmetatable({ port = listener:port() }, {
    __close = function()
      listener:close()
      for _, connection in ipairs(connections) do
        connection:abort()
      end
      for _, task in ipairs(tasks) do
        task:cancel()
      end
      async.wait(tasks)
    end,
  })
end

-- Reads and forgets requests, so that only the answers matter.
local function ignore_requests(connection)
  repeat
    local bytes = connection:read()
  until not bytes or bytes == ""
end

-- A server that says the same bytes to whoever asks anything.
local function says(...)
  local pieces = { ... }
  return fake(function(connection)
    connection:read()
    for _, piece in ipairs(pieces) do
      connection:send(piece)
      async.sleep(0.01)
    end
    ignore_requests(connection)
  end)
end

local function connect(port, options)
  options = options or {}
  options.host, options.port = "127.0.0.1", port
  return assert(tectonic.connect(options))
end

describe("a client", function()
  for _, protocol in ipairs { "poll", "push" } do
    describe(("of the %s protocol"):format(protocol), function()
      local server, db

      before_each(function()
        server = assert(tectonic.serve { port = 0 })
        db = connect(server:port(), { protocol = protocol })
      end)

      after_each(function()
        db:close()
        server:close()
      end)

      local function says_so(text, success, answer, code)
        assert.equal(text, answer)
        assert.is_true(success)
        assert.is_nil(code)
      end

      it("pings", function()
        says_so("PONG", db:ping())
      end)

      it("asks for help, information and statistics", function()
        local ok, help = db:help()
        assert.is_true(ok)
        assert.matches("PING, HELP", help)
        local _, info = db:info()
        assert.equal("default", json.decode(info).dbs[1].name)
        says_so("[]\n", db:perf())
      end)

      it("makes a book, tells whether it exists and switches to it", function()
        assert.is_false(db:exists "btc_usd")
        assert.is_true(db:create "btc_usd")
        says_so("1", db:exists "btc_usd")
        assert.is_true(db:use "btc_usd")
        assert.is_true(db:insert(ROW))
        says_so("1", db:count())
      end)

      it("gets false and the server's words for what the server refuses", function()
        local success, text, code = db:use "nope"
        assert.is_false(success)
        assert.matches("^ERR: No db named `nope`\n", text)
        assert.is_nil(code)
        assert.is_false((db:insert(ROW, "nope")))
      end)

      it("inserts, counts and gets rows as JSON, CSV and binary batches", function()
        db:create "btc_usd"
        says_so("", db:insert(ROW, "btc_usd"))
        db:use "btc_usd"
        says_so("1", db:count())
        says_so("1", db:count "all")
        local _, rows = db:get(1)
        assert.truthy(rows:find(JSON, 1, true))
        _, rows = db:get("all", { as = "csv" })
        assert.equal(CSV, (rows:gsub(",t,f,", ",true,false,"):gsub("\n", "")))
        _, rows = db:get("all", { as = "dtf" })
        assert.equal(15 + 12, #rows)
        _, rows = db:get("all", { from = 1505177459, to = 1505177460 })
        assert.truthy(rows:find(JSON, 1, true))
      end)

      it("gets the first error of a bulk, and the rows that are right are stored", function()
        db:create "btc_usd"
        assert.is_true(db:bulk({ ROW, ROW, ROW }, "btc_usd"))
        says_so("3", db:count "all")
        local success, text = db:bulk({ ROW, ROW }, "nope")
        assert.is_false(success)
        assert.matches("DB nope not found", text)
        says_so("PONG", db:ping())
      end)

      it("sends thousands of rows in one bulk", function()
        db:create "btc_usd"
        local rows = {}
        for i = 1, 5000 do
          rows[i] = { ts = ROW.ts, seq = i, is_trade = true, is_bid = true, price = i, size = 1 }
        end
        assert.is_true(db:bulk(rows, "btc_usd"))
        says_so("5000", db:count "all")
      end)

      it("takes a bulk without any row", function()
        db:create "btc_usd"
        assert.is_true((db:bulk({}, "btc_usd")))
        says_so("PONG", db:ping())
      end)

      it("flushes and clears", function()
        says_so("1", db:flush())
        says_so("1", db:flush "all")
        says_so("1", db:clear())
        says_so("1", db:clear "all")
      end)

      it("subscribes, polls and unsubscribes", function()
        says_so("Subscribed to btc_usd", db:subscribe "btc_usd")
        says_so("NONE", db:poll())
        server:insert(ROW, "btc_usd")
        async.sleep(0.1)
        says_so(JSON, db:poll())
        says_so("NONE", db:poll())
        says_so("Unsubscribed from btc_usd", db:unsubscribe())
        server:insert(ROW, "btc_usd")
        async.sleep(0.1)
        assert.not_equal(JSON, (select(2, db:poll())))
      end)

      it("answers each of many tasks that share it", function()
        local asked = {}
        for i = 1, 50 do
          local book = "book" .. i
          asked[i] = async.create_task(function()
            local _, created = db:create(book)
            assert.truthy(created:find(book, 1, true))
            local _, subscribed = db:subscribe(book)
            return subscribed
          end)
        end
        for i, task in ipairs(asked) do
          assert.equal("Subscribed to book" .. i, task:await())
        end
      end)

      it("tells a caller's mistake by name", function()
        for message, mistake in pairs {
          ["a book's name without blanks expected"] = function() db:subscribe "a b" end,
          ["as: json, csv or dtf expected"] = function() db:get(1, { as = "xml" }) end,
          ["insert: price: a finite number expected"] = function()
            db:insert { ts = 1505177459, seq = 1, is_trade = true, is_bid = true, price = 0 / 0, size = 1 }
          end,
          ["bulk: row 2: tick: a table expected"] = function() db:bulk({ ROW, 7 }, "btc_usd") end,
        } do
          local ok, e = pcall(mistake)
          assert.is_false(ok)
          assert.matches(message, tostring(e), 1, true)
          assert.matches("client_spec.lua:%d+:", tostring(e))
        end
        says_so("PONG", db:ping())
      end)

      it("returns nil, message and code after it was closed, until it reconnects", function()
        local quiet <close> = says(reply(true, "PONG"))
        local other <close> = connect(quiet.port, { protocol = protocol })
        other:close()
        other:close()
        local success, message, code = other:ping()
        assert.is_nil(success)
        assert.matches("tectonic 127.0.0.1:%d+: not connected", message)
        assert.equal("ENOTCONN", code)
        assert.is_true(other:reconnect())
        says_so("PONG", other:ping())
      end)

      it("returns nil, message and code when the server goes", function()
        server:close()
        local success, message, code = db:ping()
        assert.is_nil(success)
        assert.matches("tectonic 127.0.0.1:%d+: ", message)
        assert.is_string(code)
        success, _, code = db:reconnect()
        assert.is_nil(success)
        assert.equal("ECONNREFUSED", code)
      end)

      it("returns nil to the task that waits when another one closes it", function()
        local quiet <close> = fake(ignore_requests)
        local other = connect(quiet.port, { protocol = protocol })
        local task = async.create_task(function()
          return other:ping()
        end)
        async.sleep(1)
        other:close()
        assert.is_nil((task:await()))
      end)
    end)

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
          local server <close> = fake(function(connection)
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
        return fake(function(connection)
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
        local server <close> = fake(function(connection)
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

    it("knows two protocols", function()
      assert.has_error(function()
        tectonic.connect { protocol = "smoke" }
      end, "tectonic.connect: protocol: poll or push expected, got smoke")
    end)
  end)
end)
