--- The terminal a console draws on: keys as they come, and a queue for what it does not take at once.
--
-- Nothing here waits. A terminal that takes nothing, as one that was stopped or is far away, gets a queue of 1 MiB;
-- what does not fit is dropped, by whole lines, and counted. Other jobs of the shell have the terminal while we are in
-- the background: then nobody reads here, for the system would stop who does.

local Alarm = require "strobe.alarm"
local core = require "strobe.core.terminal"
local core_future = require "strobe.core.future"
local uv = require "luv"

-- Bytes that may wait for the terminal.
local MOST = 1024 * 1024

---@class strobe.console.TerminalOptions
---@field on_input fun(bytes: string)
---@field on_end fun() it is gone: no more keys
---@field on_drain fun() all that waited was taken
---@field on_resize fun()
---@field on_continue fun() the process goes on in the foreground, after somebody else had the terminal

---@class strobe.console.Terminal a `<close>` value
---@field dropped integer lines since somebody asked
---@field private handle userdata
---@field private queue table<integer, string> from first to last
---@field private queued integer bytes
---@field private away boolean we are in the background
---@field private gone boolean it has hung up
local Terminal = {}
Terminal.__index = Terminal
Terminal.__name = "console terminal"

--- Takes over the terminal behind a descriptor, which stays as it was: it is opened once more.
---@param descriptor integer
---@param options strobe.console.TerminalOptions
---@return strobe.console.Terminal?
---@return string? message
---@return string? code "ENOTTY", "EACCES", …
function Terminal.open(descriptor, options)
  local handle, message, code = core.open(descriptor)
  if not handle then
    return nil, message, code
  end
  local terminal = setmetatable({
    handle = handle, options = options, queue = {}, first = 1, last = 0, place = 1, queued = 0, dropped = 0,
    events = "",
  }, Terminal)
  terminal.poll = assert(uv.new_poll(handle:descriptor()))
  terminal.poll:unref() -- what waits for keys is the console; virtual time that passes does not
  terminal.watchers = {} -- which have libuv listen, though nothing else were open
  terminal:watch("sigwinch", options.on_resize)
  terminal:watch("sigcont", function()
    terminal:continue()
  end)
  return terminal
end

---@private
function Terminal:watch(signal, f)
  local watcher = assert(uv.new_signal())
  watcher:start(signal, f)
  table.insert(self.watchers, watcher)
end

--- Its size; one that does not know it has 80 columns and 24 rows.
---@return integer columns
---@return integer rows
function Terminal:size()
  local columns, rows = core.size(self.handle:descriptor())
  return columns and columns > 0 and columns or 80, rows and rows > 0 and rows or 24
end

-- --- Writing -----------------------------------------------------------------------------------

-- Gives the terminal what waits, as far as it takes it. Whoever has hung up is told by reading.
local function pass_on(terminal)
  while terminal.queued > 0 do
    local bytes = terminal.queue[terminal.first]
    local count = terminal.handle:write(bytes, terminal.place)
    if not count then
      terminal:forget()
    elseif count == 0 then
      return
    else
      terminal.queued, terminal.place = terminal.queued - count, terminal.place + count
      if terminal.place > #bytes then
        terminal.queue[terminal.first] = nil
        terminal.first, terminal.place = terminal.first + 1, 1
      end
    end
  end
end

--- Gives up what waits.
function Terminal:forget()
  self.queue, self.first, self.last, self.place, self.queued = {}, 1, 0, 1, 0
end

-- What of a text fits, by whole lines.
local function fitting(terminal, bytes)
  local room = MOST - terminal.queued
  if #bytes <= room then
    return bytes
  end
  local part = bytes:sub(1, math.max(room, 0)):match "^(.*\n)" or ""
  local _, lines = bytes:sub(#part + 1):gsub("\n", "")
  terminal.dropped = terminal.dropped + math.max(lines, 1)
  return part
end

local function queue(terminal, bytes)
  if bytes == "" then
    return
  elseif terminal.queued == 0 then
    terminal:forget()
  end
  terminal.last, terminal.queued = terminal.last + 1, terminal.queued + #bytes
  terminal.queue[terminal.last] = bytes -- its length is not known: what was written is gone from its begin
end

--- Shows bytes, or queues them, or drops them.
---@param bytes string
---@return boolean all none was dropped
function Terminal:write(bytes)
  if self.closed then
    return false
  end
  local whole = self.dropped
  pass_on(self)
  if self.queued == 0 and #bytes > 0 then
    local count = self.handle:write(bytes)
    bytes = count and bytes:sub(count + 1) or ""
  end
  queue(self, fitting(self, bytes))
  self:update()
  return self.dropped == whole
end

--- Waits until it has taken all that was written.
---@async
---@param seconds number for so long at most, whatever the clock
function Terminal:drain(seconds)
  if self.queued == 0 or self.gone or self.closed then
    return
  end
  local drained = core_future.new()
  self.drained = function()
    if not drained:done() then
      drained:set_result(true)
    end
  end
  local alarm = Alarm.new(self.drained):unref()
  alarm:set(seconds)
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      alarm:close()
    end,
  })
  drained:await()
end

--- Whether it has taken all that was written.
---@return boolean
function Terminal:is_drained()
  return self.queued == 0
end

-- --- Reading -----------------------------------------------------------------------------------

local function read(terminal)
  if terminal.handle:in_background() then
    terminal.away = true
    return
  end
  local bytes, _, code = terminal.handle:read()
  if bytes and bytes ~= "" then
    terminal.options.on_input(bytes)
  elseif code ~= "EAGAIN" and code ~= "EINTR" then
    terminal.gone = true
    terminal.options.on_end()
  end
end

local function on_poll(terminal, events)
  if events:find("w", 1, true) and terminal.queued > 0 then
    pass_on(terminal)
    if terminal.queued == 0 then
      (terminal.drained or terminal.options.on_drain)()
    end
  end
  if events:find("r", 1, true) and terminal.reading and not terminal.closed then
    read(terminal)
  end
  terminal:update()
end

-- Asks libuv for what is of use now.
---@private
function Terminal:update()
  if self.closed then
    return
  end
  local wanted = (self.reading and not self.away and "r" or "") .. (self.queued > 0 and "w" or "")
  if self.gone then
    wanted = ""
  end
  if wanted == self.events then
    return
  end
  self.events = wanted
  if wanted == "" then
    self.poll:stop()
  else
    self.poll:start(wanted, function(message, events)
      if message then -- libuv has stopped by itself: the terminal is gone, as reading tells
        self.events, events = "", "r"
        self:forget()
      end
      on_poll(self, events)
    end)
  end
end

--- Whether keys are wanted; what is typed meanwhile waits in the terminal.
---@param wanted boolean
function Terminal:read(wanted)
  self.reading = wanted
  self:update()
end

-- --- Having it -----------------------------------------------------------------------------------

--- Raw mode: keys come one by one.
---@return true?
---@return string? message
---@return string? code
function Terminal:take()
  local ok, message, code = self.handle:raw()
  self.taken = ok
  return ok, message, code
end

--- Gives it back as it was, for another program; `take` has it again.
function Terminal:give_back()
  self.taken = false
  self.handle:restore()
end

---@private
function Terminal:continue()
  if self.closed or self.handle:in_background() then
    return
  end
  self.away = false
  if self.taken then
    self.handle:raw()
    self.options.on_continue()
  end
  self:update()
end

--- Gives it back for good; what it has not taken is lost. Twice is harmless.
function Terminal:close()
  if self.closed then
    return
  end
  pass_on(self)
  self.closed = true
  self.poll:stop()
  self.poll:close()
  for _, watcher in ipairs(self.watchers) do
    watcher:close()
  end
  self.handle:close()
end

Terminal.__close = Terminal.close

return Terminal
