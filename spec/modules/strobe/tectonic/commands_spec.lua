local dialogue = require "spec.modules.strobe.tectonic.dialogue"
local new_store = dialogue.new_store

local ROW = "1505177459.685, 139010, t, f, 0.0703620, 7.65064240;"

-- What each generation says in its own words.
local GENERATIONS = {
  A = { client = dialogue.with_a, created = "Created DB `btc`.", switched = "SWITCHED TO DB `%s`.",
    none = "Not enough items to return." },
  C = { client = dialogue.with_c, created = "Created orderbook `btc`.", switched = "SWITCHED TO orderbook `%s`.",
    none = "Not enough items to return" },
}

for name, generation in pairs(GENERATIONS) do
  describe(("commands of generation %s"):format(name), function()
    local client = generation.client

    -- A client of a store with a book btc.
    local function with_btc(options)
      local one = client(new_store(options))
      one.says("CREATE btc", generation.created)
      return one
    end

    it("are matched letter by letter", function()
      local one = client()
      one.says("PING", "PONG")
      for _, line in ipairs { "PING ", " PING", "ping", "PONG", "FLUSHALL", "SUBSCRIBE", "CREATE", "USE", "EXISTS",
        "ADD", "INSERT", "GET", "UNSUBSCRIBE x", "AUTOFLUSH ON", "\0", "GETALL", "subscribe x" } do
        one.fails(line, "Unknown command.")
      end
    end)

    it("are UTF-8", function()
      client().fails("CREATE \xFF", "Bad format.")
      client().fails("\xC3", "Bad format.")
      client().fails("EXISTS grüße", "No db named `grüße`")
    end)

    describe("USE and EXISTS", function()
      it("choose and find books", function()
        local one = with_btc()
        one.says("EXISTS btc", "1")
        one.says("EXISTS default", "1")
        one.says("USE btc", generation.switched:format "btc")
        one.says("ADD " .. ROW, "")
        one.says("USE default", generation.switched:format "default")
        one.says("COUNT", "0")
        one.fails("EXISTS eth", "No db named `eth`")
        one.fails("USE eth", "No db named `eth`")
      end)
    end)

    describe("ADD and INSERT", function()
      it("put a row into the current book", function()
        local one = with_btc()
        one.says("ADD " .. ROW, "")
        one.says("INSERT " .. ROW, "")
        one.says("COUNT", "2")
        one.says("USE btc", generation.switched:format "btc")
        one.says("ADD " .. ROW, "")
        one.says("COUNT", "1")
      end)

      it("put a row into a named book", function()
        local one = with_btc()
        one.says("INSERT " .. ROW .. " INTO btc", "")
        one.says("ADD " .. ROW .. " INTO btc", "")
        one.says("COUNT", "0")
        one.says("COUNT ALL", "2")
      end)

      it("refuse a book that is not there, and what is no row", function()
        local one = client()
        one.fails("ADD " .. ROW .. " INTO btc", "DB btc not found.")
        one.fails("ADD 1,2,3", "Unable to parse line")
        one.fails("ADD  INTO default", "Unable to parse line")
        one.fails("INSERT x INTO nope", "Unable to parse line")
        one.fails("ADD " .. ROW .. ";", "Too many separators in line")
        one.fails("ADD 9223372036854775807,1,t,t,1,1;", "Unable to parse line")
        one.says("COUNT ALL", "0")
      end)
    end)

    describe("COUNT, FLUSH and CLEAR", function()
      it("count the rows of one book, of all, and in memory", function()
        local one = with_btc { flush = function() return true end }
        one.says("ADD " .. ROW .. " INTO btc", "")
        one.says("ADD " .. ROW, "")
        one.says("FLUSH", "1")
        one.says("COUNT", "1")
        one.says("COUNT ALL", "2")
        one.says("COUNT ALL IN MEM", "1")
        one.says("FLUSH ALL", "1")
        one.says("COUNT ALL IN MEM", "0")
        one.says("CLEAR ALL", "1")
        one.says("COUNT ALL", "2")
      end)

      it("answer 1 to a flush that failed, and keep the rows", function()
        local one = client(new_store { flush = function() return nil, "disk full" end })
        one.says("ADD " .. ROW, "")
        one.says("FLUSH", "1")
        one.says("FLUSH ALL", "1")
        one.says("COUNT ALL IN MEM", "1")
      end)

      it("clear the current book, or all", function()
        local one = with_btc()
        one.says("ADD " .. ROW .. " INTO btc", "")
        one.says("ADD " .. ROW, "")
        one.says("CLEAR", "1")
        one.says("COUNT ALL", "1")
        one.says("CLEAR ALL", "1")
        one.says("COUNT ALL", "0")
      end)
    end)

    describe("GET", function()
      local CSV = "%d,%d,true,false,0.5,2\n"
      if name == "C" then
        CSV = "%d,%d,t,f,0.5,2\n"
      end

      -- The CSV of rows, by their seqs; each is as many seconds after 1500000000.
      local function csv(...)
        local lines = {}
        for i, seq in ipairs { ... } do
          lines[i] = CSV:format(1500000000 + seq, seq)
        end
        return #lines > 0 and table.concat(lines) or "\n"
      end

      local function with_rows()
        local one = client()
        for seq = 1, 5 do
          one.says(("ADD %d, %d, t, f, 0.5, 2;"):format(1500000000 + seq, seq), "")
        end
        return one
      end

      it("gives the oldest rows, or all", function()
        local one = with_rows()
        one.says("GET 2 AS CSV", csv(1, 2))
        one.says("GET ALL AS CSV", csv(1, 2, 3, 4, 5))
        one.says("GET 2 AS CSV IN MEM", csv(1, 2, 3, 4, 5))
      end)

      it("tells when there are too few rows, or the range is bad", function()
        local one = with_rows()
        one.fails("GET 9", "Requested 9 but only have 5.")
        one.fails("GET 0", generation.none)
        one.fails("GET 1 FROM x TO y", "FROM and TO need whole seconds.")
      end)

      it("gives the rows inside a range, without its bounds", function()
        local one = with_rows()
        one.says("GET ALL FROM 1500000001 TO 1500000005 AS CSV", csv(2, 3, 4))
        one.says("GET 2 FROM 1500000001 TO 1500000005 AS CSV", csv(2, 3))
        one.says("GET 2 FROM 1500000001 TO 1500000005 AS CSV IN MEM", csv(2, 3, 4))
        one.fails("GET 4 FROM 1500000001 TO 1500000005", "Requested 4 but only have 3.")
      end)

      it("gives the rows of a range that is partly beside them", function()
        local one = with_rows()
        one.says("GET ALL FROM 1499999999 TO 1500000003 AS CSV", csv(1, 2))
        one.says("GET ALL FROM 1500000003 TO 1600000000 AS CSV", csv(4, 5))
        one.says("GET ALL FROM 1 TO 1600000000 AS CSV", csv(1, 2, 3, 4, 5))
      end)

      it("gives no rows of a range beside them", function()
        local one = with_rows()
        for _, range in ipairs { "1 TO 2", "1600000000 TO 1600000010", "1500000005 TO 1500000006",
          "1500000000 TO 1500000001", "1500000003 TO 1500000003", "1500000004 TO 1500000002" } do
          one.says(("GET ALL FROM %s AS CSV"):format(range), csv())
          one.fails(("GET 1 FROM %s"):format(range), "Requested 1 but only have 0.")
        end
      end)

      it("takes a range that is turned around all rows for none, as the original does", function()
        local one = with_rows()
        one.says("GET ALL FROM 1600000000 TO 1 AS CSV", csv(1, 2, 3, 4, 5))
        one.says("GET 2 FROM 1500000006 TO 1500000000 AS CSV", csv(1, 2))
        one.fails("GET 9 FROM 1600000000 TO 1", "Requested 9 but only have 5.")
        one.says("GET ALL FROM 1500000005 TO 1500000000 AS CSV", csv())
        one.says("GET ALL FROM 1500000006 TO 1500000001 AS CSV", csv())
        client().says("GET ALL FROM 1600000000 TO 1 AS CSV", csv())
      end)
    end)
  end)
end
