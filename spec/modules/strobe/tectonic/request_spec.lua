local book = require "strobe.tectonic.book"
local request = require "strobe.tectonic.request"

local A = { brackets = true, letters = false, shortage = "Not enough items to return." }
local C = { brackets = false, letters = true, shortage = "Not enough items to return" }

local function filled(last)
  local one = book.new("btc")
  for i = 1, last do
    one:append({ ts = 1500000000 + i, seq = i, is_trade = false, is_bid = true, price = 0.5, size = 2.0 })
  end
  return one
end

local function numbers(rows)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = row.seq
  end
  return list
end

describe("request", function()
  describe("parse_insert", function()
    it("reads the row and the book", function()
      local value, name = request.parse_insert("1505177459.685, 139010, t, f, 0.0703620, 7.65064240; INTO bnc_btc_eth")
      assert.equal(139010, value.seq)
      assert.equal("bnc_btc_eth", name)
    end)

    it("means the current book when none is named", function()
      local value, name = request.parse_insert("1,2,t,f,3,4;")
      assert.equal(2, value.seq)
      assert.is_nil(name)
    end)

    it("takes everything behind the first INTO for the name", function()
      assert.equal("a INTO b;", select(2, request.parse_insert("1,2,t,f,3,4; INTO a INTO b;")))
      assert.equal("", select(2, request.parse_insert("1,2,t,f,3,4; INTO ")))
    end)

    it("refuses what is no row", function()
      for _, text in ipairs { "", "INTO btc", " INTO btc", "x INTO btc", "1,2,t,f,3,4 INTO btc" } do
        local value, message, code = request.parse_insert(text)
        assert.is_nil(value)
        assert.equal("Unable to parse line", message)
        assert.equal("EPROTO", code)
      end
    end)
  end)

  describe("parse_get", function()
    local cases = {
      { "GET 5", { count = 5, form = "dtf", in_memory = false } },
      { "GET +5 AS JSON", { count = 5, form = "json", in_memory = false } },
      { "GET 0", { count = 0, form = "dtf", in_memory = false } },
      { "GET ALL", { form = "dtf", in_memory = false } },
      { "GET ALL AS CSV", { form = "csv", in_memory = false } },
      { "GET ALL IN MEM", { form = "dtf", in_memory = true } },
      { "GET ALL AS CSV AS JSON", { form = "json", in_memory = false } },
      { "GET 3 FROM 10 TO 20 AS JSON", { count = 3, from = 10, to = 20, form = "json", in_memory = false } },
      { "GET ALL AS CSV TO 20 FROM 10 IN MEM", { from = 10, to = 20, form = "csv", in_memory = true } },
      { "GET ALL FROM 10 TO +20", { from = 10, to = 20, form = "dtf", in_memory = false } },
      { "GET x", { count = 1, form = "dtf", in_memory = false } },
      { "GET ", { count = 1, form = "dtf", in_memory = false } },
      { "GET ALLES", { count = 1, form = "dtf", in_memory = false } },
      { "GET -3", { count = 1, form = "dtf", in_memory = false } },
      { "GET 5x", { count = 1, form = "dtf", in_memory = false } },
      { "GET 4294967295", { count = 4294967295, form = "dtf", in_memory = false } },
      { "GET 4294967296", { count = 1, form = "dtf", in_memory = false } },
      { "GET 99999999999999999999", { count = 1, form = "dtf", in_memory = false } },
      { "GET 2 as json", { count = 2, form = "dtf", in_memory = false } },
    }
    for _, case in ipairs(cases) do
      it(("reads %q"):format(case[1]), function()
        assert.same(case[2], request.parse_get(case[1]))
      end)
    end

    for _, text in ipairs { "GET 1 FROM 10", "GET 1 FROM x TO 20", "GET 1 FROM 10 TO ", "GET 1 FROM 1.5 TO 2",
      "GET 1 FROM 10 TO 2e3", "GET 1 FROM -1 TO 5", "GET 1 FROM  1 TO 5" } do
      it(("refuses %q, where the original crashes"):format(text), function()
        local get, message, code = request.parse_get(text)
        assert.is_nil(get)
        assert.equal("FROM and TO need whole seconds.", message)
        assert.equal("EPROTO", code)
      end)
    end
  end)

  describe("rows", function()
    local function rows(text)
      local found, message = request.rows(request.parse_get(text), filled(5), A.shortage)
      return found and numbers(found) or message
    end

    it("gives the oldest rows", function()
      assert.same({ 1, 2 }, rows("GET 2"))
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET 5"))
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET ALL"))
    end)

    it("tells how many there are when there are too few", function()
      assert.equal("Requested 9 but only have 5.", rows("GET 9"))
      assert.equal("Requested 3 but only have 2.", rows("GET 3 FROM 1500000001 TO 1500000004"))
      assert.equal("Not enough items to return.", rows("GET 0"))
      assert.equal("Not enough items to return.", rows("GET 0 IN MEM"))
    end)

    it("excludes both bounds of a range", function()
      assert.same({ 2, 3 }, rows("GET ALL FROM 1500000001 TO 1500000004"))
      assert.same({ 2 }, rows("GET 1 FROM 1500000001 TO 1500000004"))
      assert.same({ 2, 3 }, rows("GET 2 FROM 1500000001 TO 1500000004"))
    end)

    it("finds nothing in a range outside the rows", function()
      assert.same({}, rows("GET ALL FROM 1 TO 2"))
      assert.same({}, rows("GET ALL FROM 1500000004 TO 1500000002"))
      assert.same({ 5 }, rows("GET ALL FROM 1500000004 TO 99999999999999999999999"))
    end)

    it("takes a range that is turned around all rows for none", function()
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET ALL FROM 1500000006 TO 1500000000"))
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET ALL FROM 99999999999999999999999 TO 1"))
      assert.same({ 1, 2 }, rows("GET 2 FROM 1500000006 TO 1500000000 AS JSON"))
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET 2 FROM 1500000006 TO 1500000000 IN MEM"))
      assert.equal("Requested 9 but only have 5.", rows("GET 9 FROM 1500000006 TO 1500000000"))
    end)

    it("ignores the count IN MEM", function()
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET 2 IN MEM"))
      assert.same({ 1, 2, 3, 4, 5 }, rows("GET 9 IN MEM"))
      assert.same({ 2, 3 }, rows("GET 1 FROM 1500000001 TO 1500000004 IN MEM"))
    end)
  end)

  describe("get", function()
    local first = '{"ts":1500000001,"seq":1,"is_trade":false,"is_bid":true,"price":0.5,"size":2}'
    local second = first:gsub("0001", "0002"):gsub('"seq":1', '"seq":2')

    it("writes JSON with brackets for generation A and without for C", function()
      local body, form = request.get("GET 2 AS JSON", filled(3), A)
      assert.equal("[" .. first .. ", " .. second .. "]\n", body)
      assert.equal("json", form)
      assert.equal(first .. ", " .. second .. "\n", (request.get("GET 2 AS JSON", filled(3), C)))
    end)

    it("writes CSV without a header, with words for A and letters for C", function()
      assert.equal("1500000001,1,false,true,0.5,2\n1500000002,2,false,true,0.5,2\n",
        (request.get("GET 2 AS CSV", filled(3), A)))
      assert.equal("1500000001,1,f,t,0.5,2\n", (request.get("GET 1 AS CSV", filled(3), C)))
    end)

    it("writes batches otherwise, and nothing for an empty book", function()
      assert.equal(15 + 3 * 12, #request.get("GET ALL", filled(3), A))
      local body, form = request.get("GET ALL", filled(0), C)
      assert.equal("", body)
      assert.equal("dtf", form)
      assert.equal("[]\n", (request.get("GET ALL AS JSON", filled(0), A)))
      assert.equal("\n", (request.get("GET ALL AS CSV", filled(0), C)))
    end)

    it("passes on what is wrong", function()
      local body, message, code = request.get("GET 4", filled(3), C)
      assert.is_nil(body)
      assert.equal("Requested 4 but only have 3.", message)
      assert.equal("ENODATA", code)
      assert.equal("Not enough items to return", select(2, request.get("GET 0", filled(3), C)))
      assert.equal("EPROTO", select(3, request.get("GET 1 FROM 1", filled(3), C)))
    end)
  end)
end)
