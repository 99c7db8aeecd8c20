local cjson = require "cjson"
local dialogue = require "spec.modules.strobe.tectonic.dialogue"
local dice = require "spec.support.dice"
local dtf = require "strobe.tectonic.dtf"
local frame = require "strobe.tectonic.frame"
local session = require "strobe.tectonic.session"

local client, new_store = dialogue.with_a, dialogue.new_store

local ROW = "1505177459.685, 139010, t, f, 0.0703620, 7.65064240;"
local JSON = '{"ts":1505177459.685,"seq":139010,"is_trade":true,"is_bid":false,"price":0.070362,"size":7.6506424}'

describe("session", function()
  describe("line", function()
    it("knows no command of generation C", function()
      local one = client()
      for _, line in ipairs { "COUNT IN MEM", "BULKADD default", "BULKADD INTO", "LOAD default", "OB" } do
        one.fails(line, "Unknown command.")
      end
    end)
  end)

  describe("reply", function()
    it("gives the bytes of the worked examples", function()
      local one = session.new(new_store())
      assert.equal("\1\0\0\0\0\0\0\0\4PONG", one:reply("PING"))
      assert.equal("\0\0\0\0\0\0\0\0\25ERR: No db named `nope`\n\n", one:reply("USE nope"))
      assert.equal("\1\0\0\0\0\0\0\0\25Subscribed to bnc_btc_eth", one:reply("SUBSCRIBE bnc_btc_eth"))
      assert.equal("\1\0\0\0\0\0\0\0\4NONE", one:reply(""))
    end)

    it("gives the 99 bytes of the worked update", function()
      local one = session.new(new_store())
      one:line("SUBSCRIBE default")
      assert.equal("\1\0\0\0\0\0\0\0\0", one:reply("ADD 1505177459.658, 139010, t, t, 0.0703629, 7.65064249;"))
      assert.equal("\1\0\0\0\0\0\0\0\99" .. '{"ts":1505177459.658,"seq":139010,"is_trade":true,"is_bid":true,'
        .. '"price":0.0703629,"size":7.6506424}', one:reply(""))
    end)
  end)

  describe("HELP, INFO and PERF", function()
    it("answer documents that end in one line feed", function()
      local shared = new_store()
      shared:sample()
      local one = session.new(shared)
      local _, help = one:line("HELP")
      assert.equal(4, select(2, help:gsub("\n", "")))
      for _, line in ipairs { "HELP", "INFO", "PERF" } do
        local success, body = one:line(line)
        assert.is_true(success)
        assert.truthy(body:find("[^\n]\n$"))
      end
      assert.equal(1, cjson.decode((select(2, one:line("INFO")))).meta.cxns)
      assert.equal(0, cjson.decode((select(2, one:line("PERF"))))[1].default["1517000000"])
    end)

    it("name every command in the help", function()
      local _, help = session.new(new_store()):line("HELP")
      for _, word in ipairs { "PING", "HELP", "INFO", "PERF", "COUNT", "CREATE", "USE", "EXISTS", "ADD", "INSERT",
        "BULKADD", "DDAKLUB", "GET", "FLUSH", "CLEAR", "SUBSCRIBE", "UNSUBSCRIBE" } do
        assert.truthy(help:find("%f[%u]" .. word .. "%f[%U]"), word)
      end
    end)
  end)

  describe("CREATE", function()
    it("makes a book, of any name that is UTF-8", function()
      local one = client()
      one.says("CREATE grüße", "Created DB `grüße`.")
      one.says("EXISTS grüße", "1")
      one.says("CREATE " .. ("n"):rep(65), ("Created DB `%s`."):format(("n"):rep(65)))
    end)

    it("replaces an existing book by an empty one", function()
      local one = client()
      one.says("ADD " .. ROW, "")
      one.says("CREATE default", "Created DB `default`.")
      one.says("COUNT", "0")
    end)

    it("shares a new book with clients that are already there", function()
      local shared = new_store()
      local one, two = client(shared), client(shared)
      one.says("CREATE btc", "Created DB `btc`.")
      two.says("USE btc", "SWITCHED TO DB `btc`.")
    end)

    it("refuses one book too many", function()
      client(new_store { max_books = 1 }).fails("CREATE btc", "Too many books.")
    end)
  end)

  describe("BULKADD", function()
    it("takes bare rows into a named book until DDAKLUB", function()
      local one = client()
      one.says("CREATE btc", "Created DB `btc`.")
      one.says("BULKADD INTO btc", "")
      one.says(ROW, "")
      one.says(ROW, "")
      one.fails("nonsense", "Unable to parse line")
      one.says("DDAKLUB", "1")
      one.fails(ROW, "Unknown command.")
      one.says("COUNT ALL", "2")
      one.says("COUNT", "0")
    end)

    it("takes them into the current book when none is named", function()
      local one = client()
      one.says("BULKADD", "")
      one.says(ROW, "")
      one.says("COUNT", "1")
    end)

    it("takes every line for a row that is not a command without arguments", function()
      local one = client()
      one.says("BULKADD INTO default", "")
      for _, line in ipairs { "SUBSCRIBE btc", "CREATE btc", "USE default", "GET 1", "BULKADD INTO btc" } do
        one.fails(line, "Unable to parse line")
      end
      one.says("ADD " .. ROW .. " INTO nope", "")
      one.says("PING", "PONG")
      one.says("COUNT", "1")
      one.says("GET ALL AS JSON", "[" .. JSON .. "]\n")
      one.says("", "")
    end)

    it("answers each row when the book is not there", function()
      local one = client()
      one.says("BULKADD INTO nope", "")
      one.fails(ROW, "DB nope not found.")
      one.fails(ROW, "DB nope not found.")
    end)

    it("may end before it began", function()
      client().says("DDAKLUB", "1")
    end)
  end)

  describe("GET", function()
    local function with_rows(options)
      local one = client(nil, options)
      for seq = 1, 3 do
        one.says(("ADD %d, %d, t, f, 0.5, 2;"):format(1500000000 + seq, seq), "")
      end
      return one
    end

    it("answers JSON and CSV", function()
      local one = with_rows()
      one.says("GET 1 AS JSON", '[{"ts":1500000001,"seq":1,"is_trade":true,"is_bid":false,"price":0.5,"size":2}]\n')
      one.says("GET 2 AS CSV", "1500000001,1,true,false,0.5,2\n1500000002,2,true,false,0.5,2\n")
      one.says("GET ALL AS CSV IN MEM", "1500000001,1,true,false,0.5,2\n1500000002,2,true,false,0.5,2\n"
        .. "1500000003,3,true,false,0.5,2\n")
    end)

    it("answers batches with the length of their bytes", function()
      local one = with_rows().session
      local reply = one:reply("GET ALL")
      local success, length = frame.decode_reply_header(reply:sub(1, frame.REPLY_HEADER))
      assert.is_true(success)
      assert.equal(frame.REPLY_HEADER + length, #reply)
      assert.equal(3, #dtf.decode_batches(reply:sub(frame.REPLY_HEADER + 1)))
    end)

    it("answers batches without a length when told to", function()
      local one = with_rows({ bare_get = true }).session
      local bytes = one:reply("GET 2")
      assert.equal("\1", bytes:sub(1, 1))
      assert.equal(2, #dtf.decode_batches(bytes:sub(2)))
      assert.equal("\1\0\0\0\0\0\0\0\4PONG", one:reply("PING"))
      assert.equal("\1\0\0\0\0\0\0\0\30", one:reply("GET 1 AS CSV"):sub(1, 9))
      assert.equal("\0\0\0\0\0\0\0\0\35", one:reply("GET 9"):sub(1, 9))
    end)

    it("reads only the current book", function()
      local one = with_rows()
      one.says("CREATE btc", "Created DB `btc`.")
      one.says("USE btc", "SWITCHED TO DB `btc`.")
      one.says("GET ALL", "")
      one.says("GET ALL AS JSON", "[]\n")
    end)
  end)

  describe("SUBSCRIBE and the empty line", function()
    it("poll updates in order, then NONE", function()
      local shared = new_store()
      local reader, writer = client(shared), client(shared)
      reader.says("", "")
      writer.says("ADD 1,1,t,f,3,4;", "")
      reader.says("SUBSCRIBE default", "Subscribed to default")
      reader.says("", "NONE")
      writer.says("ADD " .. ROW, "")
      writer.says("ADD " .. ROW:gsub("139010", "139011"), "")
      reader.says("", JSON)
      reader.says("", (JSON:gsub("139010", "139011")))
      reader.says("", "NONE")
      reader.says("", "NONE")
    end)

    it("need no book, and see the one that is created later", function()
      local one = client()
      one.says("SUBSCRIBE btc", "Subscribed to btc")
      one.says("CREATE btc", "Created DB `btc`.")
      one.says("ADD " .. ROW .. " INTO btc", "")
      one.says("", JSON)
    end)

    it("replace the subscription before", function()
      local shared = new_store()
      local one = client(shared)
      one.says("CREATE btc", "Created DB `btc`.")
      one.says("SUBSCRIBE btc", "Subscribed to btc")
      one.says("ADD " .. ROW .. " INTO btc", "")
      one.says("SUBSCRIBE default", "Subscribed to default")
      one.says("", "NONE")
      one.says("ADD " .. ROW .. " INTO btc", "")
      one.says("", "NONE")
      assert.equal(1, shared:stats().subscribers)
      assert.equal(1, shared:stats().discarded)
    end)

    it("give a bulk row to subscribers too", function()
      local shared = new_store()
      local reader, writer = client(shared), client(shared)
      reader.says("SUBSCRIBE default", "Subscribed to default")
      writer.says("BULKADD INTO default", "")
      writer.says(ROW, "")
      reader.says("", JSON)
    end)
  end)

  describe("UNSUBSCRIBE", function()
    it("ends the subscription, and names it", function()
      local one = client()
      one.says("SUBSCRIBE default", "Subscribed to default")
      one.says("ADD " .. ROW, "")
      one.says("UNSUBSCRIBE", "Unsubscribed from default")
      one.says("", "")
    end)

    it("is an error without a subscription, where the original crashes", function()
      client().fails("UNSUBSCRIBE", "Not subscribed.")
    end)
  end)

  describe("UNSUBSCRIBE ALL", function()
    it("ends everyone's subscription; what was queued is polled, then NONE for ever", function()
      local shared = new_store()
      local one, two = client(shared), client(shared)
      one.says("SUBSCRIBE default", "Subscribed to default")
      two.says("SUBSCRIBE default", "Subscribed to default")
      one.says("ADD " .. ROW, "")
      one.says("UNSUBSCRIBE ALL", "Unsubscribed everything!")
      one.says("ADD " .. ROW, "")
      for _, each in ipairs { one, two } do
        each.says("", JSON)
        each.says("", "NONE")
        each.says("", "NONE")
        each.says("UNSUBSCRIBE", "Unsubscribed from default")
        each.says("", "")
      end
    end)

    it("ends only the client's own when told so", function()
      local shared = new_store()
      local one, two = client(shared, { unsubscribe_all = "own" }), client(shared)
      one.says("UNSUBSCRIBE ALL", "Unsubscribed everything!")
      one.says("SUBSCRIBE default", "Subscribed to default")
      two.says("SUBSCRIBE default", "Subscribed to default")
      one.says("UNSUBSCRIBE ALL", "Unsubscribed everything!")
      two.says("ADD " .. ROW, "")
      one.says("", "NONE")
      two.says("", JSON)
    end)
  end)

  describe("close", function()
    it("ends the subscription and the connection, once", function()
      local shared = new_store()
      local one = session.new(shared)
      one:line("SUBSCRIBE default")
      assert.equal(1, shared:stats().connections)
      one:close()
      one:close()
      assert.equal(0, shared:stats().connections)
      assert.equal(0, shared:stats().subscribers)
    end)
  end)

  it("answers any lines, and every update is accounted for", function()
    local shared, random = new_store { queue_limit = 5, book_limit = 20, max_books = 8 }, dice(41)
    local words = { "", "", "", "PING", "SUBSCRIBE b", "SUBSCRIBE ", "UNSUBSCRIBE", "UNSUBSCRIBE ALL", "CREATE b",
      "CREATE \t", "USE b", "USE default", "EXISTS b", "ADD " .. ROW, "INSERT " .. ROW .. " INTO b", ROW, "BULKADD",
      "BULKADD INTO b", "DDAKLUB", "FLUSH", "CLEAR ALL", "COUNT", "COUNT ALL", "GET 2", "GET ALL AS JSON",
      "GET 1 FROM 1 TO 2", "GET 1 FROM", "INFO", "PERF", "HELP" }
    local clients = {}
    for i = 1, 5 do
      clients[i] = session.new(shared)
    end
    for _ = 1, 5000 do
      local line = words[random(#words)]
      if random(4) == 1 and #line > 0 then
        local at = random(#line)
        line = line:sub(1, at - 1) .. string.char(random(256) - 1) .. line:sub(at + random(3) - 1)
      end
      local success, body = clients[random(5)]:line(line)
      assert.is_boolean(success)
      assert.truthy(success or body:find("^ERR: .+\n\n$"))
    end
    local stats = shared:stats()
    assert.equal(stats.published, stats.delivered + stats.dropped + stats.discarded + stats.queued)
    assert.is_true(stats.delivered > 0)
  end)
end)
