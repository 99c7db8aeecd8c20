--- What `strobe live` says: what units print on stdout, all else on stderr; with --json, reports on stdout as well.
--
-- Nothing that cannot be written stops a unit: it is lost, and that is said once.

local Footer = require "strobe.gpio.footer"
local handle = require "strobe.core.handle"
local json = require "strobe.json"
local output = require "strobe.output"
local printable = require("strobe.async.stack").printable
local reports = require "strobe.live.report"
local terminal = require "strobe.core.terminal"
local time = require "strobe.core.time"

local STDERR = 2

-- The progress bar: seconds of real time between two drawings, and its columns.
local EVERY, COLUMNS = 0.1, 30

---@class strobe.live.command.Console
---@field private json boolean
---@field private debug boolean
---@field private folder string files below it are named without it
---@field private color boolean
---@field private footer? strobe.gpio.Footer
local Console = {}
Console.__index = Console
Console.__name = "console"

local function has_terminal()
  return terminal.size(STDERR) ~= nil and os.getenv "TERM" ~= "dumb"
end

--- Makes one.
---@param options {json?: boolean, debug?: boolean, folder: string}
---@return strobe.live.command.Console
function Console.new(options)
  local on_terminal = has_terminal()
  return setmetatable({
    json = options.json, debug = options.debug, folder = options.folder,
    color = on_terminal and (os.getenv "NO_COLOR" or "") == "", footer = on_terminal and Footer.new() or nil,
  }, Console)
end

-- --- Lines -------------------------------------------------------------------------------------

local function note_lost(console, e)
  if output.is_broken(e) then
    output.say_broken()
  elseif not console.lost then
    console.lost = true
    io.stderr:write("strobe: stdout: ", tostring(e), " (output is lost)\n")
  end
end

-- Calls a method of stdout, which raises when nobody reads any more: true, or nil and why.
local function attempt(console, method, ...)
  local ok, good, message = pcall(io.stdout[method], io.stdout, ...)
  if ok and good then
    return true
  end
  note_lost(console, ok and message or good)
  return nil, "stdout: " .. tostring(ok and message or good), "EIO"
end

-- Lines of one turn go out together.
local function flush(console)
  console.flushing = nil
  attempt(console, "flush")
end

--- A line on stdout.
---@param text string
---@return true? done
---@return string? message
---@return string? code "EIO"
function Console:print(text)
  self.flushing = self.flushing or handle.call_soon(flush, self)
  return attempt(self, "write", text, "\n")
end

--- The port by which units print.
---@return strobe.live.PortFunctions
function Console:port()
  return {
    immediate = true,
    send = function(value, effect)
      if self.json then
        local unit = effect.id:match "^[^/]+"
        return self:print(('{"unit":%s,"out":%s}'):format(json.encode(unit), json.encode(tostring(value))))
      end
      return self:print(tostring(value))
    end,
  }
end

--- A report of a reload.
---@param report strobe.live.Report
function Console:report(report)
  if self.json then
    self:print(reports.json(report))
  else
    io.stderr:write(reports.text(report, { color = self.color, folder = self.folder }), "\n")
  end
end

local levels = { debug = "2", info = "", warning = "33", error = "31" }

--- A line of the log.
---@param level "debug"|"info"|"warning"|"error"
---@param text string
---@param facts {unit?: string}
function Console:log(level, text, facts)
  if level == "debug" and not self.debug then
    return
  end
  local style = self.color and levels[level] or ""
  local word = style ~= "" and ("\27[%sm%s\27[0m"):format(style, level) or level
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = printable((line:gsub("\t", "  ")))
  end
  io.stderr:write(("%s: %s: %s\n"):format(facts and facts.unit or "strobe", word, table.concat(lines, "\n  ")))
end

-- --- Progress ------------------------------------------------------------------------------------

-- "1,234,567"
local function grouped(number)
  local digits = ("%d"):format(number)
  local first = #digits % 3
  local parts = { first > 0 and digits:sub(1, first) or nil }
  for at = first + 1, #digits, 3 do
    parts[#parts + 1] = digits:sub(at, at + 2)
  end
  return table.concat(parts, ",")
end

local function duration(seconds)
  seconds = math.floor(seconds + 0.5)
  if seconds < 60 then
    return ("%d s"):format(seconds)
  end
  return ("%d:%02d min"):format(seconds // 60, seconds % 60)
end

--- The text of a progress bar.
---@param part number of what there is to do, 0 to 1
---@param events integer so far
---@param elapsed number seconds
---@return string
function Console.bar(part, events, elapsed)
  part = math.max(0, math.min(1, part))
  local full = math.floor(part * COLUMNS)
  local text = ("%3d%% [%s%s] %s events"):format(math.floor(part * 100), ("#"):rep(full), ("."):rep(COLUMNS - full),
    grouped(events))
  if elapsed > 0.5 then
    text = ("%s, %s/s"):format(text, grouped(events // elapsed))
  end
  if elapsed > 0.5 and part > 0 and part < 1 then
    text = ("%s, %s left"):format(text, duration(elapsed / part - elapsed))
  end
  return text
end

-- How far the feeds are, if all of them know.
local function progress(feeds)
  local done, events = 0, 0
  for _, feed in ipairs(feeds) do
    local s = feed:statistics()
    if not s.total or s.total <= 0 then
      return nil
    end
    done, events = done + (s.done or 0) / s.total, events + s.events
  end
  return #feeds > 0 and done / #feeds or nil, events
end

local function draw(console, feeds, began)
  local part, events = progress(feeds)
  local columns, rows = terminal.size(STDERR)
  if part and columns and rows > 2 then
    local line = Console.bar(part, events, time.real() - began)
    io.stderr:write(console.footer:draw({ line:sub(1, columns - 1) }, columns, rows))
  end
end

--- Shows how far finite feeds are, while it runs; only on a terminal.
---@async
---@param feeds strobe.live.Feed[]
function Console:show_progress(feeds)
  if not self.footer or not progress(feeds) then
    return
  end
  local began, last, pause = time.real(), time.real(), EVERY
  while true do
    time.sleep(pause)
    local now = time.real()
    if time.mode() == "virtual" then -- whose seconds may take an hour, or nothing
      pause = now - last < EVERY / 2 and pause * 2 or now - last > EVERY * 2 and pause / 2 or pause
    end
    if now - last >= EVERY / 2 then
      last = now
      draw(self, feeds, began)
    end
  end
end

--- Takes the bar away, and writes what is left. Twice is harmless.
function Console:close()
  if self.footer then
    io.stderr:write(self.footer:erase())
    self.footer = nil
  end
  flush(self)
end

return Console
