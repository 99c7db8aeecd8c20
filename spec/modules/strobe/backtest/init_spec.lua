local Folder = require "spec.support.folder"
local backtest = require "strobe.backtest"
local json = require "strobe.json"

describe("strobe.backtest", function()
  local function read(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read "a"
  end

  local function recorded()
    local recorder = backtest.Recorder { title = "a run", cash = 100 }
    recorder:event("btc", { is_trade = true, price = 10, size = 1 }, 1000000000)
    recorder:fill { id = 1, order = "u/1/1", symbol = "btc", side = "buy", size = 2, price = 10, fee = 0.25,
      time = 1000000000 }
    recorder:event("btc", { is_trade = true, price = 15, size = 1 }, 1000000060)
    return recorder:finish()
  end

  it("writes a result as a page and as JSON", function()
    local folder <close> = Folder.new {}
    assert(backtest.write_html(recorded(), folder.path .. "/out.html"))
    assert(backtest.write_json(recorded(), folder.path .. "/out.json"))
    assert.matches("^<!doctype html>.*<h1>a run</h1>.*</html>\n$", read(folder.path .. "/out.html"))
    local result = json.decode(read(folder.path .. "/out.json"))
    assert.same({ "strobe.backtest", 1, "a run" }, { result.kind, result.format, result.title })
    assert.same({ 109.75, 9.75, 0.25, 1 }, { result.totals.equity, result.totals.pnl, result.totals.fees,
      result.totals.open })
    assert.same({ { 1000000000, 100 }, { 1000000000, 99.75 }, { 1000000060, 109.75 } }, result.equity)
    assert.equal("u/1/1", result.fills[1].order)
  end)

  it("writes the same bytes for the same run, and empty lists as lists", function()
    local folder <close> = Folder.new {}
    assert(backtest.write_json(recorded(), folder.path .. "/1"))
    assert(backtest.write_json(recorded(), folder.path .. "/2"))
    assert.equal(read(folder.path .. "/1"), read(folder.path .. "/2"))
    assert(backtest.write_json(backtest.Recorder():finish(), folder.path .. "/3"))
    local text = read(folder.path .. "/3")
    for _, name in ipairs { "equity", "falls", "fills", "prices", "trades", "units" } do
      assert.matches(('"%s":[]'):format(name), text, 1, true)
    end
  end)

  it("writes numbers that JSON does not know as null", function()
    local folder <close> = Folder.new {}
    local result = recorded()
    result.totals.profit_factor = math.huge
    assert(backtest.write_json(result, folder.path .. "/1"))
    assert.equal(json.null, json.decode(read(folder.path .. "/1")).totals.profit_factor)
  end)

  it("says which file it cannot write", function()
    local ok, message, code = backtest.write_html(recorded(), "/nowhere/out.html")
    assert.same({ nil, "ENOENT" }, { ok, code })
    assert.matches("/nowhere/out.html", message, 1, true)
    assert.equal("ENOENT", select(3, backtest.write_json(recorded(), "/nowhere/out.json")))
  end)

  it("wants a result, and a path", function()
    assert.error_matches(function()
      backtest.write_html({}, "x")
    end, "write_html: result: that of recorder:finish%(%) expected, got table")
    assert.error_matches(function()
      backtest.write_json(recorded(), "")
    end, "write_json: path: a file's name expected")
  end)
end)
