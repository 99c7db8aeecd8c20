local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local backtest = require "strobe.backtest"
local json = require "strobe.json"
local results = require "strobe.backtest.result"

local function trade(price)
  return { is_trade = true, price = price, size = 1 }
end

local function unit(parameters)
  return ('return { version = 1, subscribe = { "btc" }, parameters = { %s }, on_event = function() end }'):format(
    parameters)
end

describe("the result of a run", function()
  it("tells the deepest fall, as a share of its peak only if there was capital", function()
    for cash, share in pairs { [1000] = 50 / 1100, [0] = false } do
      local recorder = backtest.Recorder { cash = cash }
      recorder:fill { symbol = "btc", side = "buy", size = 1, price = 100, time = 0 }
      for time, price in ipairs { 200, 150, 210 } do
        recorder:event("btc", trade(price), time)
      end
      local fall = recorder:finish().drawdown
      assert.same({ 50, 1, 2, 3, 0 }, { fall.depth, fall.begin, fall.low, fall.recovered, fall.current })
      assert.equal(share, fall.share or false)
    end
  end)

  it("has the prices of what was traded first, then the others by name", function()
    local recorder = backtest.Recorder()
    for _, symbol in ipairs { "c", "a", "b" } do
      recorder:event(symbol, trade(1), 0)
    end
    recorder:fill { symbol = "c", side = "buy", size = 1, price = 1, time = 1 }
    local symbols = {}
    for i, price in ipairs(recorder:finish().prices) do
      symbols[i] = price.symbol .. (price.traded and "!" or "")
    end
    assert.same({ "c!", "a", "b" }, symbols)
  end)

  it("tells the units with their parameters, and what reloads have turned", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit "fast = 5, word = 'a'" }
    units:start "mm"
    local recorder = backtest.Recorder()
    recorder:attach(units.runtime)
    units.runtime:offer("btc", trade(1), 10)
    async.sleep(0.01)
    units:reload("mm", unit "fast = 7, slow = 9")
    units:reload("mm", "return {")
    local result = recorder:finish()
    assert.equal("mm", result.title)
    local told = result.units[1]
    assert.same({ "mm", "mm.lua", 2, 1, { fast = 7, slow = 9 } }, { told.name, told.file, told.generation, told.version,
      told.parameters })
    local lines = {}
    for i, reload in ipairs(told.reloads) do
      lines[i] = ("%d %s %s %s"):format(reload.generation, reload.verdict, tostring(reload.time),
        table.concat(reload.changes, ", "))
    end
    assert.same({ "1 committed nil ", "2 committed 10 fast 5 → 7, slow – → 9, word a → –", "3 rejected:syntax 10 " },
      lines)
  end)

  it("counts fills that are not in the list", function()
    local recorder = backtest.Recorder { most = { fills = 3 } }
    for i = 1, 5 do
      recorder:fill { symbol = "btc", side = "buy", size = 1, price = 1, time = i }
    end
    local result = recorder:finish()
    assert.same({ 3, 2, 5 }, { #result.fills, result.fills_omitted, result.totals.fills })
  end)

  it("never tells a password of a feed", function()
    local recorder = backtest.Recorder()
    recorder.runtime = { order = {}, feeds = { { url = "wss://ada:secret@venue.example/ticks" }, { url = "stdin:" } } }
    local feed = results.of(recorder).feed
    assert.not_matches("secret", feed)
    assert.matches("venue%.example/ticks, stdin:$", feed)
  end)
end)

describe("a result as JSON", function()
  it("is the same bytes for the same run: names in their order, a line for each part", function()
    local text = results.encode { b = 1, a = { z = 0.1, y = json.array {} }, c = { { 1, 2 }, { 3, 4.5 } } }
    assert.equal('{"a":{"y":[],"z":0.1},\n"b":1,\n"c":[[1,2],[3,4.5]]}\n', text)
  end)

  it("has null for what is no number in JSON, and all digits that matter", function()
    local text = results.encode { a = 1 / 0, b = 0 / 0, c = 2 ^ 53 | 0, d = 1e300, e = "ä\n", f = {} }
    assert.equal('{"a":null,\n"b":null,\n"c":9007199254740992,\n"d":1e+300,\n"e":"ä\\n",\n"f":{}}\n', text)
    assert.equal(9007199254740992, json.decode(text).c)
  end)
end)
