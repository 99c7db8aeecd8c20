--- The result of a run as one HTML page that needs nothing else: figures, pictures, trades, and what ran.

local charts = require "strobe.backtest.chart"
local figures = require "strobe.backtest.figure"
local host = require "strobe.core.host"

local html = {}

local PAGE = "strobe/backtest/report.html"
-- Rows of the table, and pictures of prices; the JSON has the others.
local MOST_ROWS, MOST_PRICES = 1000, 6

local escape = charts.escape

local function read_page()
  local folder = os.getenv "STROBE_MODULES"
  if not folder then
    return assert(host.embedded("modules/" .. PAGE))
  end
  local file <close> = assert(io.open(folder .. "/" .. PAGE, "rb"))
  return file:read "a"
end

-- "good" or "bad": of what is won or lost.
local function tone(value)
  return value and (value > 0 and "good" or value < 0 and "bad") or ""
end

-- How the table writes a time: of a short run with fractions of a second, of one day without the date.
local function time_writer(result)
  local begin, digits = result.time.begin, result.time.seconds < 3600 and 3 or 0
  local same_day = begin // 86400 == result.time.finish // 86400
  local write = same_day and figures.clock or figures.date
  return function(time)
    return write(time, digits)
  end
end

-- --- Head and figures ------------------------------------------------------------------------------

local function subtitle(result)
  local lines, time = {}, result.time
  if time.begin then
    local text = "%s to %s%s · %s"
    lines[1] = text:format(figures.date(time.begin), figures.date(time.finish),
      figures.is_date(time.begin) and " UTC" or " from the start", figures.span(time.seconds))
  else
    lines[1] = "No event came."
  end
  if result.feed then
    lines[2] = escape(result.feed)
  end
  return "<p>" .. table.concat(lines, "</p>\n<p>") .. "</p>"
end

local function plural(count, noun)
  return ("%s %s%s"):format(figures.count(count), noun, count == 1 and "" or "s")
end

local function drawdown_note(result)
  local fall = result.drawdown
  if not fall.begin then
    return "equity never fell"
  end
  local share = fall.share and figures.percent(fall.share) .. ", " or ""
  if fall.recovered then
    return share .. "recovered in " .. figures.span(fall.recovered - fall.begin)
  end
  return share .. "not recovered"
end

local PERIODS = { [1] = "second", [60] = "minute", [3600] = "hour", [86400] = "day" }

local function sharpe_note(sharpe)
  if not sharpe.value then
    return "too little happened"
  elseif sharpe.annual then
    return ("per %s; %s per year"):format(PERIODS[sharpe.period], figures.ratio(sharpe.annual))
  end
  return ("per %s, over %s"):format(PERIODS[sharpe.period], plural(sharpe.periods, PERIODS[sharpe.period]))
end

local function tile(name, value, note, class)
  local text = '<div><dt>%s</dt><dd class="%s">%s</dd><dd>%s</dd></div>'
  return text:format(name, class or "", value, note)
end

local function tiles(result)
  local totals = result.totals
  local best = totals.best and ("best %s, worst %s"):format(figures.change(totals.best), figures.change(totals.worst))
  return '<dl class="tiles">\n' .. table.concat({
    tile("Profit and loss", figures.change(totals.pnl), totals.total_return
      and figures.percent(totals.total_return) .. " of the start" or "no starting capital", tone(totals.pnl)),
    tile("Equity", figures.amount(totals.equity), "from " .. figures.amount(totals.start)),
    tile("Maximum drawdown", figures.amount(result.drawdown.depth), drawdown_note(result)),
    tile("Sharpe ratio", figures.ratio(result.sharpe.value), sharpe_note(result.sharpe)),
    tile("Trades", figures.count(totals.trades), ("%s won, %s lost%s"):format(figures.count(totals.won),
      figures.count(totals.lost), totals.open > 0 and ", " .. figures.count(totals.open) .. " open" or "")),
    tile("Win rate", figures.percent(totals.win_rate), "of closed trades"),
    tile("Profit factor", figures.ratio(totals.profit_factor), totals.profit_factor
      and ("%s won, %s lost"):format(figures.amount(totals.gains), figures.amount(totals.losses))
      or totals.trades > 0 and "nothing was lost" or "no trade was closed"),
    tile("Average trade", figures.change(totals.average), best or "no trade was closed", tone(totals.average)),
    tile("Fees", figures.amount(totals.fees), "on " .. figures.amount(totals.turnover) .. " traded"),
    tile("Exposure", figures.percent(totals.exposure), totals.trade_seconds
      and figures.span(totals.trade_seconds) .. " a trade" or "of the time"),
    tile("Fills", figures.count(totals.fills), totals.orders and "of " .. plural(totals.orders, "order")
      or "by the broker"),
    tile("Events", figures.count(totals.ticks), result.time.seconds > 0
      and ("%s a second"):format(figures.amount(totals.ticks / result.time.seconds)) or "from the feeds"),
  }, "\n") .. "\n</dl>"
end

-- --- Pictures ----------------------------------------------------------------------------------

local function fills_of(result, symbol)
  local list = {}
  for _, fill in ipairs(result.fills) do
    list[#list + 1] = fill.symbol == symbol and fill or nil
  end
  return list
end

-- Prices to draw: of what was traded, or the first one.
local function drawn_prices(result)
  local list = {}
  for i, price in ipairs(result.prices) do
    if #list < MOST_PRICES and #price.points > 0 and (price.traded or i == 1) then
      list[#list + 1] = price
    end
  end
  return list
end

local function chart_list(result)
  local list = {}
  if #result.equity > 0 then
    list[1] = { title = "Equity", name = "Equity over time", class = "equity", points = result.equity, fill = true,
      base = result.totals.start }
    list[2] = { title = "Drawdown", name = "Equity below its highest value", class = "falls", points = result.falls,
      fill = true, base = 0, height = 170 }
  end
  for _, price in ipairs(drawn_prices(result)) do
    list[#list + 1] = { title = escape(price.symbol), name = "Price of " .. price.symbol, class = "price",
      points = price.points, fills = fills_of(result, price.symbol) }
  end
  return list
end

local LEGEND = '<small class="legend"><b class="good">▲</b> bought <b class="bad">▼</b> sold</small>'

local function pictures(result)
  local list, left = chart_list(result), 0
  for _, chart in ipairs(list) do
    left = math.max(left, charts.margin(chart))
  end
  local parts = {}
  for i, chart in ipairs(list) do
    chart.left, chart.begin, chart.finish = left, result.time.begin, result.time.finish
    parts[i] = ('<section>\n<h2>%s%s</h2>\n<div class="wide">%s</div>\n</section>'):format(chart.title,
      chart.fills and #chart.fills > 0 and LEGEND or "", charts.draw(chart))
  end
  return table.concat(parts, "\n")
end

-- --- Tables ------------------------------------------------------------------------------------

local COLUMNS = {
  { "Opened", "text" }, { "Closed", "text" }, { "Symbol", "text" }, { "Side", "text" }, { "Size" }, { "Entry" },
  { "Exit" }, { "Fees" }, { "Profit and loss" }, { "Duration" },
}

local function cell(text, class, value)
  return ('<td%s%s>%s</td>'):format(class and class ~= "" and (' class="%s"'):format(class) or "",
    value and (' data-value="%.17g"'):format(value) or "", text)
end

local function row(trade, write)
  return "<tr>" .. table.concat {
    cell(write(trade.opened), "text", trade.opened),
    cell(trade.closed and write(trade.closed) or '<span class="soft">open</span>', "text",
      trade.closed or math.maxinteger),
    cell(escape(trade.symbol), "text"), cell(trade.side, "text"), cell(figures.exact(trade.size), nil, trade.size),
    cell(figures.exact(trade.entry), nil, trade.entry), cell(figures.exact(trade.exit), nil, trade.exit),
    cell(figures.amount(trade.fees), nil, trade.fees), cell(figures.change(trade.pnl), tone(trade.pnl), trade.pnl),
    cell(figures.span(trade.seconds), nil, trade.seconds),
  } .. "</tr>"
end

local function table_head()
  local heads = {}
  for i, column in ipairs(COLUMNS) do
    heads[i] = ('<th scope="col"%s><button type="button">%s</button></th>'):format(
      column[2] and (' class="%s"'):format(column[2]) or "", column[1])
  end
  return "<thead><tr>" .. table.concat(heads) .. "</tr></thead>"
end

local function trade_table(result)
  local list = result.trades
  local all = #list + result.trades_omitted
  if all == 0 then
    return '<section>\n<h2>Trades</h2>\n<p class="none">No trade was made.</p>\n</section>'
  end
  local rows, write = {}, time_writer(result)
  for i = 1, math.min(#list, MOST_ROWS) do
    rows[i] = row(list[i], write)
  end
  local more = all > #rows and ('\n<p class="more">The first %s of %s.</p>'):format(figures.count(#rows),
    plural(all, "trade")) or ""
  return ('<section>\n<h2>Trades<small>from flat to flat; fees are taken off</small></h2>\n<div class="wide"><table>\n'
    .. '%s\n<tbody>\n%s\n</tbody>\n</table></div>%s\n</section>'):format(table_head(), table.concat(rows, "\n"), more)
end

local function parameters(unit)
  local names, items = {}, {}
  for name in pairs(unit.parameters) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    local value = unit.parameters[name]
    items[i] = ("<li>%s <b>%s</b></li>"):format(escape(name),
      escape(type(value) == "number" and figures.exact(value) or value))
  end
  return #items > 0 and "<ul>" .. table.concat(items) .. "</ul>" or ""
end

local RELOAD_HEADS = "<tr>" .. ("Time Generation Verdict Files Parameters"):gsub("%a+ ?", function(name)
  return '<th class="text">' .. name:gsub(" ", "") .. "</th>"
end) .. "</tr>"

local function reloads(unit)
  if #unit.reloads < 2 then
    return ""
  end
  local rows = {}
  for i, reload in ipairs(unit.reloads) do
    rows[i] = "<tr>" .. cell(reload.time and figures.date(reload.time) or figures.NONE, "text")
      .. cell(figures.count(reload.generation), "text") .. cell(escape(reload.verdict), "text")
      .. cell(escape(table.concat(reload.files, ", ")), "text")
      .. cell(escape(table.concat(reload.changes or {}, ", ")), "text") .. "</tr>"
  end
  return '<div class="wide"><table><thead>' .. RELOAD_HEADS .. "</thead><tbody>" .. table.concat(rows)
    .. "</tbody></table></div>"
end

local function units(result)
  if #result.units == 0 then
    return ""
  end
  local parts = {}
  for i, unit in ipairs(result.units) do
    local facts = ("%s, version %s, generation %s"):format(escape(unit.file), figures.count(unit.version),
      figures.count(unit.generation))
    parts[i] = ('<div class="unit">\n<h3>%s<span>%s</span></h3>\n%s%s\n</div>'):format(escape(unit.name), facts,
      parameters(unit), reloads(unit))
  end
  return "<section>\n<h2>What ran</h2>\n" .. table.concat(parts, "\n") .. "\n</section>"
end

--- The page.
---@param result strobe.backtest.Result
---@return string
function html.render(result)
  local parts = { tiles(result), pictures(result), trade_table(result), units(result) }
  local fields = { title = escape(result.title), subtitle = subtitle(result), body = table.concat(parts, "\n") }
  return (read_page():gsub("{{(%w+)}}", fields))
end

return html
