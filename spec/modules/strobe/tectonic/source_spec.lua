local async = require "strobe.async"
local child = require "spec.support.child"
local source = require "strobe.tectonic.source"

local program = require("strobe.core.host").program

describe("a source", function()
  local paths = {}

  -- A file with these lines, removed after the `it`.
  local function file(...)
    local path = os.tmpname()
    table.insert(paths, path)
    local f = assert(io.open(path, "wb"))
    f:write(...)
    f:close()
    return path
  end

  after_each(function()
    for _, path in ipairs(paths) do
      os.remove(path)
    end
    paths = {}
  end)

  local CSV = "btc_usd,1505177459.658,1,t,f,100.5,0.25\neth_usd,1505177460.658,1,f,t,20,0\n"
  local TICKS = {
    { "btc_usd", { ts = 1505177459.658, seq = 1, is_trade = true, is_bid = false, price = 100.5, size = 0.25 } },
    { "eth_usd", { ts = 1505177460.658, seq = 1, is_trade = false, is_bid = true, price = 20, size = 0 } },
  }

  -- What comes out, as { book, tick } in order, and when.
  local function all(generator)
    local ticks, times = {}, {}
    for value, book in generator do
      table.insert(ticks, { book, value })
      table.insert(times, async.time())
    end
    return ticks, times
  end

  local function message_of(path, options)
    local ok, e = pcall(all, source.replay(path, options))
    assert.is_false(ok)
    return (tostring(e):gsub(path, "FILE", 1, true))
  end

  describe("replay", function()
    it("reads CSV, with or without its heading, with either line end", function()
      assert.same(TICKS, (all(source.replay(file(CSV)))))
      assert.same(TICKS, (all(source.replay(file("book,ts,seq,is_trade,is_bid,price,size\n", CSV)))))
      assert.same(TICKS, (all(source.replay(file((CSV:gsub("\n", "\r\n")))))))
      assert.same(TICKS, (all(source.replay(file((CSV:gsub("\n$", "")))))))
      assert.same(TICKS, (all(source.replay(file((CSV:gsub("t,f", "true,false")))))))
    end)

    it("reads JSON objects, a line each", function()
      local path = file(
        '{"book":"btc_usd","ts":1505177459.658,"seq":1,"is_trade":true,"is_bid":false,"price":100.5,"size":0.25}\n',
        '{"seq":1,"ts":1505177460.658,"is_trade":false,"is_bid":true,"price":20,"size":0,"book":"eth_usd"}\n')
      assert.same(TICKS, (all(source.replay(path))))
    end)

    it("reads an empty file as no ticks at all", function()
      assert.same({}, (all(source.replay(file "\n\n"))))
    end)

    it("tells file and line of what is no tick", function()
      for line, expected in pairs {
        ["btc_usd,1,2"] = "FILE:3: a row of book,ts,seq,is_trade,is_bid,price,size expected",
        ["a,1505177459,1,x,f,1,1"] = "FILE:3: is_trade: a boolean expected",
        ["a,yesterday,1,t,f,1,1"] = "FILE:3: ts: seconds since 1970 expected",
        ["a,1505177459,-1,t,f,1,1"] = "FILE:3: a row of book",
        ["a,1505177459,99999999999,t,f,1,1"] = "FILE:3: seq: an integer from 0 to 4294967295 expected",
        ["a,1505177459,1,t,f,nan,1"] = "FILE:3: price: a finite number expected",
        ["a,1505177459,1,t,f,1,1e40"] = "FILE:3: size: a finite number expected",
        ["{"] = "FILE:3: ",
        ["{}"] = 'FILE:3: a field "book" expected',
        ['{"book":"a","ts":1505177459,"seq":1.5}'] = "FILE:3: seq: an integer",
        [("x"):rep(70000)] = "FILE:3: a line of at most 65536 bytes expected",
      } do
        local message = message_of(file(CSV, line, "\n", CSV), { speed = math.huge })
        assert.equal(expected, message:sub(1, #expected))
      end
    end)

    it("gives the ticks before the bad line", function()
      local generator = source.replay(file(CSV, "bad\n"))
      assert.equal(100.5, generator:next().price)
      assert.equal(20, generator:next().price)
      assert.is_false(pcall(generator.next, generator))
    end)

    it("tells when there is no such file", function()
      local ok, e = pcall(all, source.replay "/no/such/file.csv")
      assert.is_false(ok)
      assert.equal("replay: /no/such/file.csv: No such file or directory", e)
    end)

    it("tells which speed it cannot go", function()
      for speed, shown in pairs { [0] = "0", [-1] = "-1", fast = "fast" } do
        assert.equal("replay: speed: a number above 0, or math.huge, expected, got " .. shown,
          message_of(file(CSV), { speed = speed }))
      end
    end)

    it("is as fast as it was recorded", function()
      local _, times = all(source.replay(file(CSV)))
      assert.equal(0, times[1])
      assert.near(1, times[2], 1e-6)
    end)

    it("is so many times as fast as it was recorded", function()
      local _, times = all(source.replay(file(CSV), { speed = 4 }))
      assert.near(0.25, times[2], 1e-6)
      _, times = all(source.replay(file(CSV), { speed = 0.5 }))
      assert.near(2, times[2] - times[1], 1e-6)
    end)

    it("keeps its pace when the consumer is slow", function()
      local rows = {}
      for i = 1, 5 do
        rows[i] = ("a,%d,%d,t,f,1,1\n"):format(1505177459 + i, i)
      end
      local times = {}
      for _ in source.replay(file(table.concat(rows))) do
        table.insert(times, async.time())
        async.sleep(#times == 1 and 2.5 or 0)
      end
      assert.same({ 0, 2.5, 2.5, 3, 4 }, times)
    end)

    it("does not wait at all at max speed, but lets others run", function()
      local rows = {}
      for i = 1, 1000 do
        rows[i] = ("a,%d,%d,t,f,1,1\n"):format(1505177459 + i, i)
      end
      local turns = 0
      local other = async.create_task(function()
        while true do
          async.sleep(0)
          turns = turns + 1
        end
      end)
      local ticks, times = all(source.replay(file(table.concat(rows)), { speed = math.huge }))
      other:cancel()
      assert.equal(1000, #ticks)
      assert.equal(0, times[1000])
      assert.is_true(turns >= 10)
    end)
  end)

  describe("synthetic", function()
    local function some(options)
      options.count = options.count or 300
      return all(source.synthetic(options))
    end

    it("is the same for the same seed, and another for another", function()
      local a = some { seed = 42, books = { "a", "b" } }
      local b = some { seed = 42, books = { "a", "b" } }
      assert.same(a, b)
      assert.not_same(a, some { seed = 43, books = { "a", "b" } })
      assert.equal(300, #a)
    end)

    it("takes any integer for a seed", function()
      for _, seed in ipairs { 0, -1, 2147483647, math.maxinteger, math.mininteger } do
        assert.equal(3, #some { seed = seed, count = 3 })
      end
    end)

    it("counts each book's updates from 1", function()
      local last = {}
      for _, entry in ipairs((some { books = { "a", "b", "c" } })) do
        local book, value = entry[1], entry[2]
        assert.equal((last[book] or 0) + 1, value.seq)
        last[book] = value.seq
      end
      assert.is_true(last.a > 50 and last.b > 50 and last.c > 50)
    end)

    it("moves its prices a little, with trades among level changes", function()
      local trades, bids, before = 0, 0, nil
      for _, entry in ipairs((some {})) do
        local value = entry[2]
        trades = trades + (value.is_trade and 1 or 0)
        bids = bids + (value.is_bid and 1 or 0)
        assert.is_true(value.size > 0)
        assert.is_true(not before or math.abs(value.price - before) <= 0.001 * before + 0.01)
        before = value.price
      end
      assert.is_true(trades > 50 and trades < 150)
      assert.is_true(bids > 100 and bids < 200)
    end)

    it("tells which rate it cannot keep, and that it needs a book", function()
      for message, options in pairs {
        ["synthetic: rate: a number above 0, or math.huge, expected, got 0"] = { rate = 0 },
        ["synthetic: books: at least one name expected"] = { books = {} },
      } do
        local ok, e = pcall(some, options)
        assert.is_false(ok)
        assert.equal(message, e)
      end
    end)

    it("comes at its rate, and its ts with it", function()
      local ticks, times = some { rate = 50, count = 101, epoch = 1600000000 }
      assert.near(2, times[101], 1e-6)
      assert.near(1600000002, ticks[101][2].ts, 1e-6)
    end)

    it("comes without pauses at rate max", function()
      local _, times = some { rate = math.huge }
      assert.equal(0, times[300])
    end)
  end)

  describe("stdin", function()
    local PRINT = [[
      local source = require "strobe.tectonic.source"
      local n = 0
      for value, book in source.stdin() do
        n = n + 1
        print(book, value.ts, value.seq, value.price)
        io.stdout:flush()
        if n == tonumber(arg[1]) then break end
      end
      print(n .. " ticks")]]

    -- Prints what comes in; with `count`, only so many.
    local function read(input, count)
      return child.spawn("timeout", { "100", program, "-e", PRINT, count }, { input = input })
    end

    it("reads ticks from a pipe as they come", function()
      local reader <close> = read(false)
      local input = reader.pipes.stdin
      input:write(CSV:sub(1, 50))
      reader:expect("stdout", "btc_usd\t1505177459.658\t1\t100.5\n")
      input:write(CSV:sub(51))
      reader:expect("stdout", "eth_usd\t1505177460.658\t1\t20\n")
      input:close()
      reader:expect("stdout", "2 ticks\n")
      assert.equal(0, reader:wait())
    end)

    it("reads a last line without its end", function()
      local reader <close> = read(CSV:sub(1, -2))
      assert.equal(0, reader:wait())
      assert.matches("2 ticks\n$", reader.output.stdout)
    end)

    it("reads a file", function()
      local pipe = assert(io.popen(("timeout 100 '%s' -e '%s' < '%s'"):format(program, PRINT, file(CSV))))
      assert.matches("2 ticks\n$", pipe:read "a")
      assert.is_true(pipe:close())
    end)

    it("may be left in the middle", function()
      local reader <close> = read(false, "1")
      reader.pipes.stdin:write(CSV)
      assert.equal(0, reader:wait())
      assert.matches("1 ticks\n$", reader.output.stdout)
      assert.equal("", reader:complaints())
    end)

    it("tells the line of what is no tick, and of a line without end", function()
      for input, expected in pairs {
        [CSV .. "bad\n"] = "stdin:3: a row of book,",
        [CSV .. ("x"):rep(200000)] = "stdin:3: a line of at most 65536 bytes expected",
      } do
        local reader <close> = read(input)
        assert.equal(1, reader:wait())
        assert.truthy(reader.output.stderr:find(expected, 1, true), reader.output.stderr)
      end
    end)
  end)
end)
