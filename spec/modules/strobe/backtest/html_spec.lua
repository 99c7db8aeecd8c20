local backtest = require "strobe.backtest"
local html = require "strobe.backtest.html"

describe("the page of a result", function()
  local function recorded(options, count)
    local recorder = backtest.Recorder(options)
    for i = 1, count do
      local price = 100 + i % 7
      recorder:event("btc", { is_trade = true, price = price, size = 1 }, 1618617600 + i)
      recorder:fill { symbol = "btc", side = i % 2 == 1 and "buy" or "sell", size = 1, price = price, fee = 0.1,
        time = 1618617600 + i }
    end
    return recorder:finish()
  end

  -- Every element that was opened is closed, in order; those that stand alone aside.
  local function check_well_formed(page)
    local alone, open = { meta = true, link = true, line = true, path = true, circle = true }, {}
    page = page:gsub("<style>.-</style>", ""):gsub("<script>.-</script>", "")
    for slash, name, rest in page:gmatch "<(/?)(%a[%w]*)([^>]*)>" do
      if slash == "/" then
        assert.equal(table.remove(open), name)
      elseif not (alone[name] and (rest:find "/$" or name == "meta" or name == "link")) then
        open[#open + 1] = name
      end
    end
    assert.same({}, open)
  end

  it("needs nothing but itself", function()
    local page = html.render(recorded({ title = "t", feed = "replay:x.csv" }, 50))
    for _, pattern in ipairs { "src=", "https?:", "@import", "url%(" } do
      assert.is_nil(page:find(pattern), pattern)
    end
    assert.matches("default-src 'none'", page, 1, true)
    check_well_formed(page)
  end)

  it("of nothing says so", function()
    local page = html.render(backtest.Recorder():finish())
    assert.matches("No event came.", page, 1, true)
    assert.matches("No trade was made.", page, 1, true)
    assert.is_nil(page:find "<svg")
    assert.is_nil(page:find "nan" or page:find "%f[%w]nil%f[%W]")
    check_well_formed(page)
  end)

  it("of ticks without trades has pictures without marks", function()
    local recorder = backtest.Recorder { title = "quiet" }
    recorder:event("btc", { is_trade = true, price = 5, size = 1 }, 1618617600)
    local page = html.render(recorder:finish())
    assert.equal(3, select(2, page:gsub("<svg", "")))
    assert.is_nil(page:find "bought")
    check_well_formed(page)
  end)

  it("has a row for each trade, and a button that sorts each column", function()
    local page = html.render(recorded({}, 9))
    local body = page:match "<tbody>(.-)</tbody>"
    assert.equal(5, select(2, body:gsub("<tr>", "")))
    assert.equal(1, select(2, body:gsub(">open<", "")))
    assert.equal(10, select(2, page:gsub('<th scope="col"', "")))
  end)

  it("shows the first thousand trades, and says how many there are", function()
    local page = html.render(recorded({ most = { trades = 1500 } }, 4000))
    assert.equal(1000, select(2, page:match "<tbody>(.-)</tbody>":gsub("<tr>", "")))
    assert.matches("The first 1,000 of 2,000 trades.", page, 1, true)
  end)

  it("escapes whatever is text", function()
    local evil = [[<img src=x onerror="1">{{body}}%1]]
    local recorder = backtest.Recorder { title = evil, feed = evil }
    recorder:event(evil, { is_trade = true, price = 5, size = 1 }, 1618617600)
    recorder:fill { symbol = evil, side = "buy", size = 1, price = 5, time = 1618617600 }
    local result = recorder:finish()
    local reload = { generation = 1, verdict = evil, files = { evil }, changes = { evil }, time = 1618617600 }
    result.units = { { name = evil, file = evil, generation = 2, version = 1, parameters = { [evil] = evil, on = true },
      reloads = { reload, reload } } }
    local page = html.render(result)
    assert.is_nil(page:find("<img", 1, true))
    assert.is_true(select(2, page:gsub("&lt;img src=x onerror=&quot;1&quot;&gt;{{body}}%%1", "")) >= 9)
    check_well_formed(page)
  end)

  it("tells what ran: parameters, and reloads if there were any", function()
    local result = recorded({}, 2)
    local parameters = { fast = 12, slow = 50.5 }
    result.units = { { name = "ema", file = "ema.lua", generation = 1, version = 1, parameters = parameters,
      reloads = { { generation = 1, verdict = "committed", files = {} } } } }
    local page = html.render(result)
    assert.matches("<li>fast <b>12</b></li><li>slow <b>50.5</b></li>", page, 1, true)
    assert.is_nil(page:find "Verdict")
  end)
end)
