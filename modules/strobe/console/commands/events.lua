--- :streams :inbox :tail :watch :unwatch — what flows, and where it waits.

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local quantity = require "strobe.quantity"
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"
local stack = require "strobe.async.stack"

-- --- :streams --------------------------------------------------------------------------------------

local function alarm(cell)
  return cell ~= "0" and cell ~= "-" and "31" or nil
end

local STREAM_COLUMNS = {
  { "STREAM", flexible = true }, { "RATE", align = "right" }, { "LAST", align = "right" },
  { "EVENTS", align = "right" }, { "UNITS", flexible = true },
}

local FEED_COLUMNS = {
  { "FEED", flexible = true }, { "RATE", align = "right" }, { "LAST", align = "right" },
  { "EVENTS", align = "right" }, { "GAPS", align = "right", style = alarm }, { "LOST", align = "right", style = alarm },
  { "TWICE", align = "right", style = alarm }, { "BROKEN", align = "right", style = alarm },
  { "RECONN.", align = "right" }, { "FROM", flexible = true },
}

local function age(told)
  if told.age then
    return quantity.duration(math.max(told.age, 0)) .. " ago"
  end
  return told.quiet and ("> %s ago"):format(quantity.duration(told.quiet)) or "-"
end

local function feeds_text(feeds, settings)
  local rows = {}
  for i, feed in ipairs(feeds) do
    rows[i] = {
      feed.name, quantity.rate(feed.rate), age(feed), quantity.count(feed.events), quantity.count(feed.gaps),
      quantity.count(feed.lost), quantity.count(feed.duplicates), quantity.count(feed.broken),
      quantity.count(feed.reconnects), feed.url,
    }
  end
  return grid.text(FEED_COLUMNS, rows, settings)
end

local function streams(console)
  local answer = request.ask(console, "streams")
  local texts = {}
  if #answer.feeds > 0 then
    texts[1] = feeds_text(answer.feeds, layout.of(console))
  end
  local rows = {}
  for i, stream in ipairs(answer.streams) do
    rows[i] = {
      stream.stream, quantity.rate(stream.rate), age(stream), quantity.count(stream.events),
      table.concat(stream.units, " "),
    }
  end
  if #rows > 0 then
    texts[#texts + 1] = grid.text(STREAM_COLUMNS, rows, layout.of(console))
      .. ("\ncounted for %s"):format(quantity.duration(answer.seconds))
  end
  return #texts > 0 and table.concat(texts, "\n\n") or "no stream flows: no unit has subscribed"
end

-- --- :inbox ----------------------------------------------------------------------------------------

local function style_of_fill(cell)
  local percent = tonumber(cell:match "(%d+)%%")
  return percent and (percent >= 90 and "31" or percent > 50 and "33") or nil
end

local INBOX_COLUMNS = {
  { "UNIT", flexible = true }, { "WAITING", align = "right" }, { "FULL", align = "right", style = style_of_fill },
  { "PEAK", align = "right" }, { "SIZE", align = "right" }, { "DROPPED", align = "right", style = alarm },
  { "FAILED", align = "right", style = alarm }, { "OLDEST", align = "right" }, { "AT WORK", align = "right" },
  { "IF FULL" },
}

local function inbox(console, text)
  local answer = request.ask(console, "inbox", { unit = text ~= "" and text or nil })
  local rows = {}
  for i, box in ipairs(answer.inboxes) do
    rows[i] = {
      box.held and box.unit .. " (held)" or box.unit, quantity.count(box.waiting),
      quantity.percent(box.waiting / box.size), quantity.count(box.peak), quantity.count(box.size),
      quantity.count(box.dropped), quantity.count(box.failed), quantity.duration(box.oldest),
      quantity.duration(box.working), box.policy,
    }
  end
  return #rows > 0 and grid.text(INBOX_COLUMNS, rows, layout.of(console)) or "no unit runs"
end

-- --- :tail -----------------------------------------------------------------------------------------

-- What this console watches: by kind ("tail", "watch") and the number which the process has given it.
local function watched(console)
  console.watched = console.watched or { tail = {}, watch = {} }
  return console.watched
end

local function numbers_of(list)
  local numbers = {}
  for sub in pairs(list) do
    numbers[#numbers + 1] = sub
  end
  table.sort(numbers)
  return numbers
end

local function end_tails(console)
  local tails = watched(console).tail
  local numbers = numbers_of(tails)
  for _, sub in ipairs(numbers) do
    tails[sub] = nil
    request.try(console, "untail", { sub = sub })
  end
  return #numbers > 0 and ("%s ended"):format(quantity.noun(#numbers, "tail")) or "nothing is tailed"
end

local function tell_tails(console)
  local names = {}
  for i, sub in ipairs(numbers_of(watched(console).tail)) do
    names[i] = watched(console).tail[sub]
  end
  return #names > 0 and table.concat(names, "\n") .. "\n:tail off ends them" or "a stream expected: :tail STREAM [EXPR]"
end

local function tail(console, text)
  local stream, expression = text:match "^(%S+)%s*(.*)$"
  if not stream then
    return tell_tails(console)
  elseif stream == "off" then
    return end_tails(console)
  end
  local answer = request.ask(console, "tail", { stream = stream, expr = expression ~= "" and expression or nil })
  watched(console).tail[answer.sub] = text
end

-- --- :watch ----------------------------------------------------------------------------------------

-- Lines that are pinned, at most; numbers of a sparkline.
local MOST_WATCHED, MOST_NUMBERS = 4, 30
local BARS = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

local function range_of(numbers)
  local least, most = math.huge, -math.huge
  for _, number in ipairs(numbers) do
    if number - number == 0 then -- neither infinite nor nan
      least, most = math.min(least, number), math.max(most, number)
    end
  end
  return least, most
end

-- The numbers as bars, the lowest of them the lowest bar.
local function sparkline(numbers)
  local least, most = range_of(numbers)
  local bars = {}
  for i, number in ipairs(numbers) do
    local part = most > least and (number - least) / (most - least) or 0
    bars[i] = part == part and BARS[math.max(1, math.min(8, math.floor(part * 7 + 1.5)))] or " "
  end
  return table.concat(bars)
end

local function watch_line(watch, settings)
  local line = ("[%d] %s = %s"):format(watch.number, watch.expression, watch.text or "…")
  if #watch.numbers > 1 then
    line = ("%s  %s"):format(line, sparkline(watch.numbers))
  end
  return grid.cut(stack.printable(line), settings.width - 1)
end

-- Shows a value: above the prompt, or, where there is no terminal, as a line when it has changed.
local function show_watch(console, watch)
  local line = watch_line(watch, layout.of(console))
  if console.key then
    console:pin("watch" .. watch.number, line)
  elseif watch.text ~= watch.shown then
    watch.shown = watch.text
    console:above(line)
  end
end

-- "EXPR 500ms": the expression, and the seconds at its end.
local function split_period(text)
  local expression, number, unit = text:match "^(.-)%s+(%d+%.?%d*)(m?s)$"
  if not expression or expression == "" then
    return text, 1
  end
  return expression, tonumber(number) * (unit == "ms" and 0.001 or 1)
end

local function free_number(list)
  local used = {}
  for _, watch in pairs(list) do
    used[watch.number] = true
  end
  for number = 1, MOST_WATCHED do
    if not used[number] then
      return number
    end
  end
  refusal.raise("%d expressions are watched already: :unwatch N", MOST_WATCHED)
end

local function tell_watches(console)
  local lines = {}
  for _, sub in ipairs(numbers_of(watched(console).watch)) do
    lines[#lines + 1] = watch_line(watched(console).watch[sub], layout.of(console))
  end
  return #lines > 0 and table.concat(lines, "\n") or "an expression expected: :watch EXPR [500ms]"
end

local function watch(console, text)
  local expression, seconds = split_period(text)
  if text == "" then
    return tell_watches(console)
  end
  local list = watched(console).watch
  local number = free_number(list)
  local answer = request.ask(console, "watch", { expr = expression, every = seconds })
  list[answer.sub] = { number = number, expression = expression, numbers = {} }
  if console.key then
    show_watch(console, list[answer.sub])
  end
end

local function forget(console, sub)
  local list = watched(console).watch
  console:pin("watch" .. list[sub].number, nil)
  list[sub] = nil
end

local function unwatch(console, text)
  local list, wanted, ended = watched(console).watch, tonumber(text), 0
  for _, sub in ipairs(numbers_of(list)) do
    if text == "" or list[sub].number == wanted then
      forget(console, sub)
      request.try(console, "unwatch", { sub = sub })
      ended = ended + 1
    end
  end
  if ended == 0 then
    refusal.raise("%s", text == "" and "nothing is watched" or ("nothing is watched as number %s"):format(text))
  end
end

-- --- Events ------------------------------------------------------------------------------------------

local takes = {}

function takes.tail(console, event)
  local name = watched(console).tail[event.sub]
  if name and event.ended then
    watched(console).tail[event.sub] = nil
    console:above(("%s is no longer tailed: %s"):format(name, event.error))
  elseif name then
    local number = event.seq and ("#%d "):format(event.seq) or ""
    console:above(("%s %s%s"):format(name:match "^%S+", number, event.text))
  end
  return name ~= nil
end

function takes.watch(console, event)
  local entry = watched(console).watch[event.sub]
  if not entry then
    return false
  elseif event.ended then
    forget(console, event.sub)
    console:above(("[%d] %s is no longer watched: %s"):format(entry.number, entry.expression, event.error or "?"))
    return true
  end
  entry.text = event.error and "! " .. event.error or event.text
  if event.number then
    table.insert(entry.numbers, event.number)
    if #entry.numbers > MOST_NUMBERS then
      table.remove(entry.numbers, 1)
    end
  end
  show_watch(console, entry)
  return true
end

function takes.dropped(console, event)
  if event.sub and watched(console).tail[event.sub] then
    console:above(("%s … %s more"):format(watched(console).tail[event.sub]:match "^%S+", quantity.count(event.n)))
    return true
  end
end

--- Shows an event of a stream or an expression that the console watches.
---@param console table
---@param event table as the process has sent it
---@return boolean taken
local function take(console, event)
  local f = takes[event.ev]
  return f ~= nil and f(console, event) or false
end

return {
  take = take,
  {
    name = "streams", arguments = "", rights = "ro", run = streams,
    help = "feeds and streams: rate, last event, gaps\n"
      .. "Rates are counted from when somebody asks: the first time that takes a second. LAST tells how long ago the\n"
      .. "last event came, whatever time it tells itself.",
  },
  {
    name = "inbox", arguments = "[UNIT]", rights = "ro", run = inbox, aliases = { "lag" },
    help = "what waits in inboxes, how old, how much was dropped\n"
      .. "OLDEST is the age of the event that waits longest, AT WORK that of the one that the unit has at hand. PEAK\n"
      .. "is the most that ever waited. FAILED events are those at which the unit failed.",
  },
  {
    name = "tail", arguments = "STREAM [EXPR]", rights = "ro", run = tail,
    help = "shows events of a stream as they come; :tail off\n"
      .. "Twenty a second at most; :tail off ends it. EXPR is Lua over m, the event's data: only events for which it\n"
      .. "is true are shown. That needs the rights rw.",
  },
  {
    name = "watch", arguments = "EXPR [500ms]", rights = "rw", run = watch,
    help = "keeps the value of an expression above the prompt\n"
      .. "Asked for every second, or as said. Numbers get a line of the last 30; at most 4 expressions; three errors\n"
      .. "in a row end it.",
  },
  {
    name = "unwatch", arguments = "[N]", rights = "-", run = unwatch,
    help = "ends what :watch has begun: number N, or all",
  },
}
