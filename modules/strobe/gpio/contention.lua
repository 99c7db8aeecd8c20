--- Contention: outputs that disagree about a net, as in a short circuit; whom to tell when one begins and ends.

local async = require "strobe.async"
local core_error = require "strobe.core.error"
local duration = require "strobe.gpio.duration"
local mistake = require("strobe.mistake").raise

local contentions = {}

---@class strobe.gpio.Contention two outputs that differed on a net
---@field seq integer counts the board's contentions from 1
---@field net string
---@field began number seconds
---@field ended? number seconds; nil while it lasts
---@field drivers {pin: string, level: string}[] who drove what when it began
---@field message string

local function pin_name(board, name)
  local own = board.name .. "."
  return name:sub(1, #own) == own and name:sub(#own + 1) or name
end

local function message_of(board, contention)
  local drivers = {}
  for i, driver in ipairs(contention.drivers) do
    drivers[i] = ("%s drives %s"):format(driver.pin, driver.level)
  end
  return ("board %s: net %s: %s"):format(board.name, contention.net, table.concat(drivers, ", "))
end

--- board:contentions: the newest ones, oldest first.
---@param board strobe.gpio.Board
---@return strobe.gpio.Contention[]
function contentions.list(board)
  local list = board.core:contentions()
  for _, contention in ipairs(list) do
    contention.began = duration.seconds(contention.began)
    contention.ended = contention.ended and duration.seconds(contention.ended)
    for _, driver in ipairs(contention.drivers) do
      driver.pin = pin_name(board, driver.pin)
    end
    contention.message = message_of(board, contention)
  end
  return list
end

-- In the order in which they were registered, so that each run is the same.
local function tell(board, contention)
  for _, handle in ipairs(table.move(board.contention_handlers, 1, #board.contention_handlers, 1, {})) do
    local ok, e = true, nil
    if not handle.closed then
      ok, e = xpcall(handle.f, debug.traceback, contention)
    end
    if not ok then
      core_error.report { message = ("board %s: error in a contention handler\n%s"):format(board.name, e) }
    end
  end
end

-- Tells what is news since the last time; `told` has by seq what was told: "began" or "ended".
local function tell_news(board, told)
  local now = {}
  for _, contention in ipairs(contentions.list(board)) do
    local seq = contention.seq
    now[seq] = contention.ended and "ended" or "began"
    if told[seq] ~= now[seq] then
      tell(board, contention)
    end
  end
  return now
end

-- What there is already is no news.
local function old_news(board)
  local told = {}
  for _, contention in ipairs(contentions.list(board)) do
    told[contention.seq] = contention.ended and "ended" or "began"
  end
  return told
end

local function attend(board, told)
  while board.core:wait_contention() do
    told = tell_news(board, told)
  end
  board.contention_task = nil
end

local function start(board)
  if not board.contention_task then
    board.contention_task = async.create_task(attend, board, old_news(board))
    board.contention_task:set_name(board.name .. " contention")
  end
end

--- For boards that go on after a failure.
---@param board strobe.gpio.Board
function contentions.restart(board)
  if #board.contention_handlers > 0 then
    start(board)
  end
end

---@class strobe.gpio.ContentionHandle
local Handle = {}
Handle.__index = Handle

--- Calls it no more. Twice is harmless.
function Handle:close()
  local board = self.board
  self.closed = true
  for i, handle in ipairs(board.contention_handlers) do
    if handle == self then
      table.remove(board.contention_handlers, i)
      break
    end
  end
  if #board.contention_handlers == 0 and board.contention_task then
    board.contention_task:cancel()
    board.contention_task = nil
  end
end

--- board:on_contention
---@param board strobe.gpio.Board
---@param f fun(contention: strobe.gpio.Contention)
---@return strobe.gpio.ContentionHandle
function contentions.on(board, f)
  if type(f) ~= "function" then
    mistake("board:on_contention: a function expected, got %s", type(f))
  end
  local handle = setmetatable({ board = board, f = f }, Handle)
  table.insert(board.contention_handlers, handle)
  start(board)
  return handle
end

return contentions
