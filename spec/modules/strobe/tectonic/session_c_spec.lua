local dialogue = require "spec.modules.strobe.tectonic.dialogue"
local dice = require "spec.support.dice"
local dtf = require "strobe.tectonic.dtf"
local frame = require "strobe.tectonic.frame"
local session = require "strobe.tectonic.session"
local session_c = require "strobe.tectonic.session_c"
local tick = require "strobe.tectonic.tick"

local client, new_store = dialogue.with_c, dialogue.new_store

local ROW = "1513922718.770, 0, f, t, 0.001939, 22.85;"
local TICK = { ts = 1513922718.770, seq = 0, is_bid = true, is_trade = false, price = tick.f32(0.001939),
  size = tick.f32(22.85) }

describe("session of generation C", function()
  it("needs a function that sends pushes", function()
    assert.error_matches(function() session_c.new(new_store()) end, "push: a function")
    assert.error_matches(function() session_c.new(new_store(), {}) end, "push: a function")
  end)

  describe("request", function()
    it("answers text commands, with or without a line feed", function()
      local one = client()
      one.says("PING", "PONG")
      one.says("PING\n", "PONG")
      one.says("", "")
      one.says("\n", "")
      one.fails("PING\n\n", "Unknown command.")
    end)

    it("knows no command of generation A that is gone", function()
      local one = client()
      for _, payload in ipairs { "BULKADD", "BULKADD INTO default", "DDAKLUB", "UNSUBSCRIBE", "UNSUBSCRIBE ALL",
        "AUTOFLUSH ON", "PING ", "ra", "ra\n", "GET", "OB2" } do
        one.fails(payload, "Unknown command.")
      end
    end)

    it("refuses what is not UTF-8, and names no server keeps", function()
      local one, long = client(), ("n"):rep(65)
      one.fails("CREATE \xFF", "Bad format.")
      for _, word in ipairs { "CREATE", "USE", "EXISTS", "SUBSCRIBE", "LOAD", "OB" } do
        one.fails(word .. " " .. long, "Bad format.")
      end
      one.fails("ADD " .. ROW .. " INTO " .. long, "Bad format.")
      one.says("CREATE " .. long:sub(2), "Created orderbook `" .. long:sub(2) .. "`.")
      one.says("ADD " .. ROW .. " INTO " .. long:sub(2), "")
    end)

    it("ends documents as the original does", function()
      local one = client()
      for payload, ending in pairs { INFO = "}\n$", PERF = "%]\n$", HELP = "[^\n]$" } do
        local success, body = one.session:request(payload)
        assert.is_true(success)
        assert.truthy(body:find(ending))
      end
    end)
  end)

  describe("reply", function()
    it("gives the bytes of the worked examples", function()
      local one = client().session
      assert.equal("\1\0\0\0\0\0\0\0\4PONG", one:reply("PING"))
      assert.equal("\0\0\0\0\0\0\0\0\24ERR: No db named `nope`\n", one:reply("USE nope"))
    end)
  end)

  describe("CREATE, USE, LOAD and EXISTS", function()
    it("make, choose and find books, and never replace one", function()
      local one = client()
      one.says("CREATE btc", "Created orderbook `btc`.")
      one.fails("CREATE btc", "Unable to create orderbook `btc`.")
      one.says("USE btc", "SWITCHED TO orderbook `btc`.")
      one.says("LOAD btc", "Loaded orderbook `btc`.")
      one.says("EXISTS btc", "1")
      for _, word in ipairs { "USE", "LOAD", "EXISTS" } do
        one.fails(word .. " eth", "No db named `eth`")
      end
    end)
  end)

  describe("inserts", function()
    it("are text or binary, into the current or a named book", function()
      local one = client()
      one.says("CREATE btc", "Created orderbook `btc`.")
      one.says("ADD " .. ROW, "")
      one.says("INSERT " .. ROW .. " INTO btc\n", "")
      one.says(frame.encode_insert(TICK), "")
      one.says(frame.encode_insert(TICK, "btc"), "")
      one.says("COUNT", "2")
      one.says("COUNT IN MEM", "2")
      one.says("COUNT ALL", "4")
      one.says("COUNT ALL IN MEM", "4")
      local rows = dtf.decode_batches(select(2, one.session:request("GET ALL")))
      assert.same({ TICK, TICK }, rows)
    end)

    it("refuse a book that is not there", function()
      client().fails(frame.encode_insert(TICK, "btc"), "DB btc not found.")
    end)

    it("refuse what is damaged", function()
      local one, payload = client(), frame.encode_insert(TICK, "default")
      one.fails("raw", "Bad format.")
      one.fails(payload:sub(1, 12), "Bad format.")
      one.fails(payload:sub(1, 30), "Unable to parse line")
      one.fails(payload:sub(1, 29) .. "\8" .. payload:sub(31), "Unable to parse line")
      one.says("COUNT ALL", "0")
    end)
  end)

  describe("SUBSCRIBE", function()
    it("pushes every later insert as a whole reply frame with the book's name", function()
      local shared = new_store()
      local reader, writer = client(shared), client(shared)
      writer.says("CREATE bnc_btc_eth", "Created orderbook `bnc_btc_eth`.")
      writer.says("ADD " .. ROW .. " INTO bnc_btc_eth", "")
      reader.says("SUBSCRIBE bnc_btc_eth", "Subscribed to bnc_btc_eth")
      writer.says(frame.encode_insert(TICK, "bnc_btc_eth"), "")
      assert.same({ "\1\0\0\0\0\0\0\0\43" .. frame.encode_insert(TICK, "bnc_btc_eth") }, reader.pushed)
      assert.same({}, writer.pushed)
    end)

    it("takes several books, and each only once", function()
      local one = client()
      one.says("CREATE btc", "Created orderbook `btc`.")
      one.says("SUBSCRIBE btc", "Subscribed to btc")
      one.says("SUBSCRIBE btc", "Subscribed to btc")
      one.says("SUBSCRIBE default", "Subscribed to default")
      one.says("ADD " .. ROW .. " INTO btc", "")
      one.says("ADD " .. ROW, "")
      local books = {}
      for i, reply in ipairs(one.pushed) do
        local value, book = frame.decode_insert(reply:sub(frame.REPLY_HEADER + 1))
        assert.same(TICK, value)
        books[i] = book
      end
      assert.same({ "btc", "default" }, books)
    end)

    it("pushes a client's own insert before it is answered", function()
      local one = client()
      one.says("SUBSCRIBE default", "Subscribed to default")
      local sent = one.session:reply("ADD " .. ROW)
      assert.equal(1, #one.pushed)
      assert.equal("\1\0\0\0\0\0\0\0\0", sent)
    end)

    it("may be repeated after its push failed", function()
      local shared, fail = new_store(), true
      local one = session_c.new(shared, { push = function()
        if fail then
          error("gone")
        end
      end })
      one:request("SUBSCRIBE default")
      one:request("ADD " .. ROW)
      fail = false
      one:request("SUBSCRIBE default")
      one:request("ADD " .. ROW)
      local stats = shared:stats()
      assert.equal(1, stats.dropped)
      assert.equal(1, stats.delivered)
    end)

    it("may be repeated after a client of generation A ended all subscriptions", function()
      local shared = new_store()
      local one = client(shared)
      one.says("SUBSCRIBE default", "Subscribed to default")
      session.new(shared):line("UNSUBSCRIBE ALL")
      one.says("ADD " .. ROW, "")
      assert.equal(0, #one.pushed)
      assert.is_false(one.session:is_pushed_to())
      one.says("SUBSCRIBE default", "Subscribed to default")
      one.says("ADD " .. ROW, "")
      assert.equal(1, #one.pushed)
      assert.is_true(one.session:is_pushed_to())
    end)

    it("takes as many books as there may be, and says so to one more", function()
      local one = client(new_store { max_books = 2 })
      one.says("SUBSCRIBE a", "Subscribed to a")
      one.says("SUBSCRIBE b", "Subscribed to b")
      one.fails("SUBSCRIBE c", "Too many subscriptions.")
      one.says("SUBSCRIBE a", "Subscribed to a")
    end)

    it("serves pollers of generation A from the same store", function()
      local shared = new_store()
      local poller, writer = session.new(shared), client(shared)
      poller:line("SUBSCRIBE default")
      writer.says(frame.encode_insert(TICK), "")
      assert.equal(tick.to_json(TICK), select(2, poller:line("")))
    end)
  end)

  describe("OB", function()
    it("shows the levels of the current or a named book", function()
      local one = client()
      one.says("ADD " .. ROW, "")
      local document = '{"price_decimals":10,"bids":{"19389999":22.850000381469727},"asks":{}}'
      one.says("OB", document)
      one.says("OB default", document)
      one.fails("OB nope", "Unable to get orderbook")
    end)
  end)

  describe("GET", function()
    it("writes JSON without brackets and CSV with letters", function()
      local one = client()
      one.says("ADD " .. ROW, "")
      one.says("GET 1 AS JSON",
        '{"ts":1513922718.77,"seq":0,"is_trade":false,"is_bid":true,"price":0.001939,"size":22.85}\n')
      one.says("GET ALL AS CSV", "1513922718.77,0,f,t,0.001939,22.85\n")
    end)

    it("answers an empty book with no batches, where the original stops", function()
      client().says("GET ALL", "")
    end)
  end)

  describe("COUNT IN MEM", function()
    it("counts the rows of the current book that were not flushed", function()
      local one = client(new_store { flush = function() return true end })
      one.says("ADD " .. ROW, "")
      one.says("FLUSH", "1")
      one.says("COUNT IN MEM", "0")
      one.says("COUNT", "1")
      one.says("ADD " .. ROW, "")
      one.says("COUNT IN MEM", "1")
      one.says("CLEAR", "1")
      one.says("COUNT IN MEM", "0")
      one.says("COUNT", "1")
    end)
  end)

  describe("close", function()
    it("ends all subscriptions and the connection, once", function()
      local shared = new_store()
      local one = client(shared)
      one.says("SUBSCRIBE a", "Subscribed to a")
      one.says("SUBSCRIBE b", "Subscribed to b")
      one.session:close()
      one.session:close()
      shared:publish(TICK, "a")
      assert.same({}, one.pushed)
      assert.equal(0, shared:stats().subscribers)
      assert.equal(0, shared:stats().connections)
    end)
  end)

  it("answers any payload", function()
    local shared, random = new_store { book_limit = 20, max_books = 8 }, dice(51)
    local words = { "", "PING\n", "SUBSCRIBE b", "CREATE b", "USE b", "LOAD b", "EXISTS b", "OB", "OB b", "INFO",
      "ADD " .. ROW, "ADD " .. ROW .. " INTO b", frame.encode_insert(TICK), frame.encode_insert(TICK, "b"),
      "COUNT IN MEM", "GET 2", "GET ALL AS JSON", "GET 1 FROM 1 TO 2", "FLUSH ALL", "CLEAR", "HELP", "PERF" }
    local one, accepted = client(shared), 0
    for _ = 1, 5000 do
      local payload = words[random(#words)]
      if random(3) == 1 and #payload > 0 then
        local at = random(#payload)
        payload = payload:sub(1, at - 1) .. string.char(random(256) - 1) .. payload:sub(at + random(3) - 1)
      end
      local success, body = one.session:request(payload)
      assert.is_boolean(success)
      assert.truthy(success or body:find("^ERR: .+\n$"))
      accepted = accepted + (success and 1 or 0)
    end
    assert.is_true(accepted > 2000)
    assert.equal(shared:stats().delivered, #one.pushed)
  end)
end)
