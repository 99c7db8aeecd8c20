local async = require "strobe.async"
local child = require "spec.support.child"
local json = require "strobe.json"
local source = require "strobe.tectonic.source"
local tectonic = require "strobe.tectonic"
local tick = require "strobe.tectonic.tick"

local program = require("strobe.core.host").program
local RECORDED = "../shared/data/ticks.csv"

describe("the script batcher", function()
  local function row(seq, price, size, is_trade)
    return { ts = 1505177459 + seq, seq = seq, is_trade = is_trade, is_bid = true, price = price, size = size }
  end

  local function batcher(...)
    return child.spawn(program, { "run", "batcher", ... })
  end

  local ROWS = { row(1, 100, 2, true), row(2, 101, 5, false), row(3, 103, 1, true) }

  for _, options in ipairs { {}, { "--push" } } do
    it("reports count, trades, volume, vwap and last price " .. table.concat(options), function()
      local server <close> = assert(tectonic.serve { port = 0 })
      local process <close> = batcher("--host", "127.0.0.1", "--port", tostring(server:port()), "--book", "eth_usd",
        "--every", "0.2", "--json", table.unpack(options))
      server:wait_subscribers(1)
      for _, value in ipairs(ROWS) do
        server:insert(value, "eth_usd")
        server:insert(value, "another")
      end
      local line = process:expect("stdout", '([^\n]*"count":3[^\n]*)\n')
      local summary = json.decode(line)
      assert.equal("eth_usd", summary.book)
      assert.equal(2, summary.trades)
      assert.equal(3, summary.volume)
      assert.equal(101, summary.vwap)
      assert.equal(103, summary.last)
      assert.near(15, summary.rate, 1e-9)
      process:kill "sigint"
      assert.equal(130, process:wait())
    end)
  end

  it("reports in words too, and an empty batch as such", function()
    local server <close> = assert(tectonic.serve { port = 0 })
    local process <close> = batcher("--port", tostring(server:port()), "--every", "0.05", "--host=127.0.0.1")
    process:expect("stdout", "btc_usd +0 ticks +0 trades +volume 0 +vwap %- +last %- +0.0/s\n")
    for _, value in ipairs(ROWS) do
      server:insert(value, "btc_usd")
    end
    process:expect("stdout", "btc_usd +%d ticks")
  end)

  it("ends with status 1 and says why when there is no server", function()
    local server = assert(tectonic.serve { port = 0 })
    local port = server:port()
    server:close()
    local process <close> = batcher("--host", "127.0.0.1", "--port", tostring(port))
    assert.equal(1, process:wait())
    assert.matches("connection refused", process.output.stderr)
  end)

  it("comes back when the server does", function()
    local server = assert(tectonic.serve { port = 0 })
    local port = server:port()
    local process <close> = batcher("--host", "127.0.0.1", "--port", tostring(port), "--every", "0.05", "--json")
    server:wait_subscribers(1)
    server:insert(ROWS[1], "btc_usd")
    process:expect("stdout", '"count":1')
    server:close()
    local again <close> = assert(tectonic.serve { port = port })
    again:wait_subscribers(1)
    again:insert(ROWS[3], "btc_usd")
    process:expect("stdout", '"last":103')
    process:expect("stderr", "connection lost .+ book btc_usd: 1 update%(s%) missed")
  end)

  describe("with ten recorded books", function()
    -- The recording by book, with price and size as every peer has them.
    local function recorded()
      local books, names, count = {}, {}, 0
      for value, name in source.replay(RECORDED, { speed = math.huge }) do
        if not books[name] then
          books[name] = {}
          table.insert(names, name)
        end
        value.price, value.size = tick.f32(value.price), tick.f32(value.size)
        table.insert(books[name], value)
        count = count + 1
      end
      return books, names, count
    end

    local function check_rows(expected, rows)
      assert.equal(#expected, #rows)
      for i, value in ipairs(rows) do
        value.price, value.size, value.book = tick.f32(value.price), tick.f32(value.size), nil
        assert.same(expected[i], value)
      end
    end

    local function missing()
      local file = io.open(RECORDED)
      if not file then
        return true
      end
      file:close()
    end

    for _, push in ipairs { false, true } do
      it("gets every row once, in order, by the " .. (push and "push" or "poll") .. " protocol", function()
        if missing() then
          return pending(RECORDED .. " is missing")
        end
        local TickBatcher = require("strobe.script").module "batcher"
        local books, names, count = recorded()
        assert.equal(10, #names)
        assert.equal(9816, count)
        local server <close> = assert(tectonic.serve { port = 0 })
        local batchers, tasks = {}, {}
        for i, name in ipairs(names) do
          batchers[i] = TickBatcher.new { host = "127.0.0.1", port = server:port(), book = name, push = push }
          tasks[i] = async.create_task(batchers[i].sub, batchers[i])
        end
        server:wait_subscribers(10)
        for value, name in source.replay(RECORDED, { speed = math.huge }) do
          assert(server:insert(value, name))
        end
        assert.is_true(server:wait_delivered(60))
        async.sleep(1)
        for i, name in ipairs(names) do
          check_rows(books[name], batchers[i]:take())
          tasks[i]:cancel()
        end
        async.wait(tasks)
        local s = server:stats()
        assert.equal(count, s.delivered)
        assert.equal(0, s.dropped)
      end)
    end

    -- The sum of what a batcher has reported.
    local function counted(process)
      local count = 0
      for one in process.output.stdout:gmatch '"count":(%d+)' do
        count = count + tonumber(one)
      end
      return count
    end

    it("counts every row as two processes", function()
      if missing() then
        return pending(RECORDED .. " is missing")
      end
      local books, names = recorded()
      local feed <close> = child.spawn(program, { "run", "feed", "--port", "0", "--replay", RECORDED, "--speed", "max",
        "--wait", "1" })
      local port = feed:expect("stderr", "serving on 127%.0%.0%.1:(%d+)\n")
      local process <close> = batcher("--host", "127.0.0.1", "--port", port, "--book", names[1], "--every", "0.05",
        "--json")
      assert.equal(0, feed:wait())
      while counted(process) < #books[names[1]] do
        async.sleep(0.05)
      end
      assert.equal(#books[names[1]], counted(process))
    end)
  end)
end)
