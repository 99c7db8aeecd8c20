--- What `strobe top` shows: answers of a process in, a page of text out. Rates are of the time between two of them.

local grid = require "strobe.grid"
local quantity = require "strobe.quantity"

-- Rows that tasks get at least, however many units and feeds there are.
local LEAST_TASKS = 5
local MIB = 1024 * 1024

---@class strobe.attach.Sample what a process told, at one time
---@field metrics table answer of the op metrics
---@field top table answer of the op top: the busiest tasks of the second before
---@field feeds? table[] of the op streams; nil without units

---@class strobe.attach.Page
---@field last? strobe.attach.Sample
---@field private before? strobe.attach.Sample
local Page = {}
Page.__index = Page

--- Makes one, which is empty.
---@return strobe.attach.Page
function Page.new()
  return setmetatable({}, Page)
end

--- Takes what the process tells now.
---@param sample strobe.attach.Sample
function Page:take(sample)
  self.before, self.last = self.last, sample
  sample.by_feed = {}
  for _, feed in ipairs(sample.feeds or {}) do
    sample.by_feed[feed.name] = feed
  end
end

-- How much a figure has grown in a second; nil as long as there is nothing to compare with.
local function rate(page, now, then_)
  local seconds = page.before and page.last.metrics.uptime - page.before.metrics.uptime
  return seconds and seconds > 0 and now and (now - (then_ or 0)) / seconds or nil
end

local function whole(number)
  return number and quantity.count(math.floor(number + 0.5)) or "-"
end

local function figures_of(sample)
  return sample and sample.metrics.metrics or {}
end

-- --- Parts of the page ---------------------------------------------------------------------------

local function head(page, width)
  local told = page.last.metrics
  local now, before = figures_of(page.last), figures_of(page.before)
  local lines = {
    ("process %d   up %s   %s"):format(told.pid, quantity.span(told.uptime), told.command),
    ("%s tasks   %s steps/s   loop late by %s   %.1f MiB, %.1f of Lua   %s attached"):format(
      whole(told.tasks), whole(rate(page, now.steps, before.steps)), quantity.duration(told.lag_p99), told.rss / MIB,
      (now.lua_bytes or 0) / MIB, whole(now.connections)),
  }
  return grid.cut(lines[1], width), grid.cut(lines[2], width)
end

local UNITS = {
  { "UNIT", flexible = true }, { "GEN", align = "right" }, { "STATE" }, { "EVENTS/S", align = "right" },
  { "INBOX", align = "right" }, { "PEAK", align = "right" }, { "DROPPED", align = "right" },
  { "FAILED", align = "right" },
}

local function unit_rows(page)
  local rows, live = {}, figures_of(page.last).live or { units = {} }
  local before = figures_of(page.before).live or { units = {} }
  for i, told in ipairs(page.last.metrics.units) do
    local unit, last = live.units[told.unit], before.units[told.unit]
    rows[i] = unit and {
      told.unit, whole(told.gen), unit.on_probation and unit.state .. " (probation)" or unit.state,
      whole(rate(page, unit.events, last and last.events)), whole(unit.inbox.fill), whole(unit.inbox.peak),
      whole(unit.inbox.dropped), whole(unit.failed_events),
    } or { told.unit, whole(told.gen), told.state }
  end
  return rows
end

local FEEDS = {
  { "FEED", flexible = true }, { "EVENTS/S", align = "right" }, { "EVENTS", align = "right" },
  { "LAST", align = "right" }, { "GAPS", align = "right" }, { "LOST", align = "right" },
  { "RECONNECTS", align = "right" },
}

-- How long ago the last event came.
local function quiet(feed)
  local unseen = not feed.age and feed.quiet
  return unseen and "> " .. quantity.duration(unseen) or quantity.duration(feed.age)
end

local function feed_rows(page)
  local rows = {}
  for i, feed in ipairs(page.last.feeds or {}) do
    local before = page.before and page.before.by_feed[feed.name]
    rows[i] = {
      feed.name, whole(before and rate(page, feed.events, before.events)), whole(feed.events),
      quiet(feed), whole(feed.gaps), whole(feed.lost), whole(feed.reconnects),
    }
  end
  return rows
end

local TASKS = {
  { "TASK", align = "right" }, { "NAME", flexible = true }, { "UNIT", flexible = true }, { "STATE" },
  { "TIME", align = "right" }, { "STEPS/S", align = "right" }, { "LONGEST", align = "right" },
  { "WAITS FOR", flexible = true },
}

local function waits_for(task)
  local wait = task.waiting_on
  if not wait then
    return "-"
  end
  local what = wait.task and ("task %d"):format(wait.task) or wait.kind
  return wait.file and ("%s at %s:%d"):format(what, wait.file:match "[^/]*$", wait.line) or what
end

local function task_rows(page)
  local rows, told = {}, page.last.top
  for i, task in ipairs(told.tasks) do
    rows[i] = {
      ("%d"):format(task.id), task.name, task.unit, task.state, quantity.percent(task.time / told.seconds),
      whole(task.runs / told.seconds), quantity.duration(task.longest), waits_for(task),
    }
  end
  return rows
end

-- --- All of it -----------------------------------------------------------------------------------

local function add_table(lines, columns, rows, most, width)
  if #rows == 0 or most < 1 then
    return
  end
  local left = #rows - most
  local shown = table.move(rows, 1, math.min(#rows, most), 1, {})
  lines[#lines + 1] = ""
  for line in grid.text(columns, shown, { width = width }):gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  if left > 0 then
    lines[#lines + 1] = ("… %d more"):format(left)
  end
end

--- The page, in lines of at most `width` columns and at most `height` of them. Nothing has been taken: none.
---@param width integer
---@param height integer
---@return string[]
function Page:lines(width, height)
  if not self.last then
    return {}
  end
  local lines = { head(self, width) }
  -- A table takes a blank line, its titles, and one that says how many more there are.
  local units, feeds = unit_rows(self), feed_rows(self)
  local room = height - #lines - (LEAST_TASKS + 2)
  add_table(lines, UNITS, units, math.min(#units, room - 3), width)
  room = height - #lines - (LEAST_TASKS + 2)
  add_table(lines, FEEDS, feeds, math.min(#feeds, room - 3), width)
  room = height - #lines - 2
  add_table(lines, TASKS, task_rows(self), room, width)
  return table.move(lines, 1, math.min(#lines, height), 1, {})
end

return Page
