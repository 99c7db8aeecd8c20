local async = require "strobe.async"
local json = require "strobe.json"
local tectonic = require "strobe.tectonic"

local ROW = { ts = 1505177459.685, seq = 139010, is_trade = true, is_bid = false, price = 0.070362, size = 7.6506424 }
local JSON = '{"ts":1505177459.685,"seq":139010,"is_trade":true,"is_bid":false,"price":0.070362,"size":7.6506424}'
local CSV = "1505177459.685,139010,true,false,0.070362,7.6506424"

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
          ["create: a book's name without blanks expected, got nil"] = function() db:create() end,
          ["ticks: a book's name without blanks expected, got 7"] = function() db:ticks(7) end,
          ["command: a text without line ends expected"] = function() db:command "PING\nCLEAR ALL" end,
          ["as: json, csv or dtf expected"] = function() db:get(1, { as = "xml" }) end,
          ['get: a number of rows or "all" expected, got 1.5'] = function() db:get(1.5) end,
          ["get: from and to: whole seconds since 1970 expected, got 1 and nil"] = function()
            db:get(1, { from = 1 })
          end,
          ["insert: price: a finite number expected"] = function()
            db:insert { ts = 1505177459, seq = 1, is_trade = true, is_bid = true, price = 0 / 0, size = 1 }
          end,
          ["bulk: a list of ticks expected, got nil"] = function() db:bulk(nil, "btc_usd") end,
          ["bulk: row 2: tick: a table expected"] = function() db:bulk({ ROW, 7 }, "btc_usd") end,
        } do
          local ok, e = pcall(mistake)
          assert.is_false(ok)
          assert.matches(message, tostring(e), 1, true)
          assert.matches("client_spec.lua:%d+:", tostring(e))
        end
        says_so("PONG", db:ping())
      end)
    end)
  end
end)
