--- Parts: what is put on a board and wired. A kind of part says what pins it has and what it does; a part is one of
-- those.
--
--   -- inverter.lua
--   return require("strobe.gpio.part").kind {
--     name = "inverter",
--     pins = { "input", "output" },
--     attributes = { delay = 0 },                  -- with their defaults
--     start = function(self)                       -- once, when it was added
--       self.line.output:configure { direction = "output", output_value = 1 }
--       self:on_edge("input", "both", function(value)
--         self.line.output:set(1 - value)
--       end)
--     end,
--     invert = function(self) end,                 -- other functions are methods of the parts
--   }
--
-- `self.line[pin]` is the engine's line of a pin: configure{direction, bias, drive, active_low, output_value,
-- debounce_period (ns)}, get(), set(value), level(), pwm(period_ns, high_ns), stick(level). It belongs to the part
-- without a request, and is an input without bias at first; but pins called VCC, VDD, V+, GND, VSS, AGND or DGND are
-- ends of the board's rails: 1 or 0, without a wire.
--
-- An input that has never been 0 or 1 has no edge when it becomes one: who shows a level watches for "change".

local async = require "strobe.async"
local attribute = require "strobe.gpio.attribute"
local core_error = require "strobe.core.error"
local duration = require "strobe.gpio.duration"
local errors = require "strobe.async.error"
local mistake = require("strobe.mistake").raise
local names = require "strobe.gpio.name"
local settings = require "strobe.gpio.settings"
local wiring = require "strobe.gpio.wiring"

local parts = {}

---@class strobe.gpio.Kind a kind of part, as gpio.part.kind takes it
---@field name string
---@field pins string[]|fun(attributes: table): string[] in order
---@field attributes? table<string, any> defaults; others are refused. `false` has no default
---@field start? fun(self: strobe.gpio.Part) once, when it was added; may not wait
---@field finish? fun(self: strobe.gpio.Part) when it stops

---@class strobe.gpio.Part a part on a board; `self` in what a kind defines
---@field name string
---@field kind string
---@field board strobe.gpio.Board
---@field pins string[] in order
---@field line table<string, userdata> the engine's lines by pin
---@field attributes table
---@field state table what views and remote clients show: plain values by name
---@field failure? string why it stopped
local Part = {}

local weak = { __mode = "k" } -- what runs is held by the engine, or is a task

local is_kind = setmetatable({}, weak)

local reserved = { name = true, pins = true, attributes = true, start = true, finish = true }

local function check_kind(given)
  if type(given) ~= "table" then
    mistake("gpio.part.kind: a table expected, got %s", type(given))
  end
  names.check("gpio.part.kind: name", given.name)
  if type(given.pins) ~= "table" and type(given.pins) ~= "function" then
    mistake("gpio.part.kind: %s: pins: a list of names expected", given.name)
  end
  for name, value in pairs(given) do
    if not reserved[name] and (type(value) ~= "function" or Part[name]) then
      local why = Part[name] and "every part has that" or "functions are methods; there is no other field of that name"
      mistake("gpio.part.kind: %s: %s: %s", given.name, tostring(name), why)
    end
  end
end

--- Makes a kind of part.
---@param given strobe.gpio.Kind
---@return strobe.gpio.Kind
function parts.kind(given)
  check_kind(given)
  local methods = setmetatable({}, { __index = Part })
  for name, value in pairs(given) do
    if not reserved[name] then
      methods[name] = value
    end
  end
  is_kind[given] = { __index = methods, __name = "gpio.Part " .. given.name }
  return given
end

--- One of the kinds in strobe.gpio.parts.
---@param name string
---@return strobe.gpio.Kind? kind
---@return string? message
function parts.find(name)
  names.check("gpio.part.find", name)
  local module = "strobe.gpio.parts." .. name
  local ok, kind = pcall(require, module)
  if ok then
    return kind
  elseif kind:find("module '" .. module .. "' not found", 1, true) then
    return nil, ("there is no part %s in strobe.gpio.parts"):format(name)
  end
  error(kind, 0)
end

-- What a caller gave: a kind, or the name of one.
local function kind_of(given)
  if is_kind[given] then
    return given
  elseif type(given) ~= "string" then
    mistake("board:add: a kind of part, or its name, expected, got %s", type(given))
  end
  local kind, message = parts.find(given)
  return kind or mistake("board:add: %s", message)
end

-- --- Failure ------------------------------------------------------------------------------------

local function place_of(part, pin)
  local where = ("board %s: part %s (%s)"):format(part.board.name, part.name, part.kind)
  if pin then
    where = ("%s, pin %s, net %s"):format(where, pin, part.line[pin]:info().net)
  end
  return where
end

-- Stops it and says why, also when its finish fails then; being cancelled is no failure.
local function fail(part, what, pin, e)
  if errors.is(e, errors.CancelledError) then
    return
  end
  local where = part.board.closed and part.name or place_of(part, pin)
  part.failure = part.failure or tostring(e):match "^[^\n]*"
  core_error.report { message = ("%s: error in its %s; the part stops\n%s"):format(where, what, e) }
  part:stop()
end

local function with_trace(e)
  return type(e) == "string" and debug.traceback(e, 2) or e
end

--- For parts: calls f; an error in it is reported, and stops the part.
---@param what string for the message
---@param f function
---@param ... any
---@return boolean ok
function Part:call(what, f, ...)
  local ok, e = xpcall(f, with_trace, ...)
  if not ok then
    fail(self, what, nil, e)
  end
  return ok
end

-- Has it start. What is wrong with its attributes is returned; another error is reported, and stops the part.
local function start(part, kind)
  local ok, e, trace = true, nil, nil
  if kind.start then
    ok, e = xpcall(kind.start, function(raised)
      trace = with_trace(raised)
      return raised
    end, part)
  end
  local refusal = not ok and attribute.refusal(e) or attribute.mistyped(part.attributes, kind.attributes or {})
  if not ok and not refusal then
    fail(part, "start", nil, trace)
  end
  return refusal and (refusal:gsub("^" .. kind.name:gsub("%p", "%%%0") .. ": ", ""))
end

--- Ends its handlers, timers and tasks. What it drives stays. Twice is harmless.
function Part:stop()
  if self.stopped then
    return
  end
  self.stopped = true
  for running in pairs(self.running) do
    running:close()
  end
  if self.finish then
    self:call("finish", self.finish, self)
  end
end

-- --- Adding ---------------------------------------------------------------------------------------

-- What is given, and the kind's defaults for the rest.
local function attributes_of(kind, given)
  local defaults, attributes = kind.attributes or {}, {}
  for name, value in pairs(defaults) do
    attributes[name] = value
  end
  for name, value in pairs(given) do
    if name ~= "name" and defaults[name] == nil then
      local text = "board:add: part %s has no attribute %s; it has %s"
      mistake(text, kind.name, tostring(name), names.keys(defaults))
    elseif name ~= "name" then
      attributes[name] = value
    end
  end
  return attributes
end

-- The numbers up to the last one that the board has noted are taken.
local function free_name(board, kind)
  local number = (board.numbered[kind.name] or 0) + 1
  while board.parts[kind.name .. number] do
    number = number + 1
  end
  return kind.name .. number, number
end

local function check_pins(kind, pins)
  local seen = {}
  for i, name in ipairs(pins) do
    names.check_pin(("board:add: part %s: pins[%d]"):format(kind.name, i), name)
    if seen[name] then
      mistake("board:add: part %s: pins: %s is there twice", kind.name, name)
    end
    seen[name] = true
  end
  return pins
end

local function add_pins(part)
  local board = part.board
  local lines = table.pack(board.core:component(part.name, table.unpack(part.pins)))
  if not lines[1] and #part.pins > 0 then
    mistake("board:add: part %s: %s", part.name, lines[2])
  end
  for i, name in ipairs(part.pins) do
    part.line[name] = lines[i]
    assert(lines[i]:request(part.name))
    local pin = { name = part.name .. "." .. name, core = lines[i], part = part }
    wiring.supply(pin, name)
    board.pins[pin.name] = pin
  end
end

local function put(board, kind, name, attributes)
  local pins = type(kind.pins) == "function" and kind.pins(attributes) or kind.pins
  local part = setmetatable({
    name = name, kind = kind.name, board = board, attributes = attributes, line = {}, state = {},
    pins = check_pins(kind, pins), finish = kind.finish, running = setmetatable({}, weak),
  }, is_kind[kind])
  add_pins(part)
  board.parts[name] = part
  board.parts[#board.parts + 1] = part
  return part
end

local function remove(list, what)
  for i = #list, 1, -1 do
    if list[i] == what then
      table.remove(list, i)
    end
  end
end

--- For diagrams: takes a part off that nobody has yet. The engine keeps its lines, which nobody reaches any more.
---@param part strobe.gpio.Part
function parts.take_off(part)
  local board = part.board
  part.finish = nil
  part:stop()
  for i = #board.wires, 1, -1 do
    if board.wires[i].a.part == part or board.wires[i].b.part == part then
      table.remove(board.wires, i):cut()
    end
  end
  for _, name in ipairs(part.pins) do
    part.line[name]:release()
    board.pins[part.name .. "." .. name] = nil
  end
  board.parts[part.name] = nil
  remove(board.parts, part)
end

--- board:add; but a bad value of an attribute is no error.
---@param board strobe.gpio.Board
---@param kind string|strobe.gpio.Kind
---@param given table
---@return strobe.gpio.Part?
---@return string? refusal names the attribute, what it may be and what it is
---@return string? place the board and the part
function parts.try(board, kind, given)
  kind = kind_of(kind)
  local name, number = given.name, nil
  if not name then
    name, number = free_name(board, kind)
  end
  names.check("board:add: name", name)
  if board.parts[name] or name == board.name then
    mistake("board:add: name: board %s has a %s already", board.name, name)
  end
  local part = put(board, kind, name, attributes_of(kind, given))
  local refusal = start(part, kind)
  if refusal then
    parts.take_off(part)
    return nil, refusal, place_of(part)
  end
  board.numbered[kind.name] = number or board.numbered[kind.name]
  board:untraced("part " .. name)
  return part
end

--- board:add
---@param board strobe.gpio.Board
---@param kind string|strobe.gpio.Kind
---@param given table
---@return strobe.gpio.Part
function parts.add(board, kind, given)
  local part, refusal, place = parts.try(board, kind, given)
  return part or mistake("board:add: %s: %s", place, refusal)
end

-- --- What parts are made of ----------------------------------------------------------------------

--- The end of a wire at one of its pins.
---@param name string
---@return strobe.gpio.Pin
function Part:pin(name)
  return self.board:find_pin("part:pin", self.name .. "." .. tostring(name))
end

local function check_pin(part, what, pin)
  if not part.line[pin] then
    mistake("%s: part %s has no pin %s; it has %s", what, part.name, tostring(pin), names.list(part.pins))
  end
end

local function check_function(what, f)
  if type(f) ~= "function" then
    mistake("%s: a function expected, got %s", what, type(f))
  end
end

local function guarded(part, pin, f)
  local function failed(e)
    fail(part, "handler", pin, with_trace(e))
  end
  return function(value, time, _, line_seqno, seqno)
    xpcall(f, failed, value, time, line_seqno, seqno)
  end
end

--- For parts: calls f(value, timestamp_ns, line_seqno, global_seqno) for each edge of a pin; for "change" for each
--- level, as "0", "1", "z" or "x". f may not wait.
---@param pin string
---@param edge "rising"|"falling"|"both"|"change"
---@param f fun(value: integer|string, timestamp_ns: integer, line_seqno: integer, global_seqno: integer)
---@return {close: fun()} handle
function Part:on_edge(pin, edge, f)
  check_pin(self, "part:on_edge", pin)
  settings.check_change("part:on_edge", edge)
  check_function("part:on_edge", f)
  local handle = assert(self.board.core:subscribe({ self.line[pin] }, edge, nil, guarded(self, pin, f)))
  self.running[handle] = true
  return handle
end

local Job = {}
Job.__index = Job

function Job:close()
  self.part.running[self] = nil
  self.task:cancel()
end

--- For parts: calls f() after so many simulated seconds. f may not wait.
---@param seconds number
---@param f fun()
---@return {close: fun()} handle
function Part:after(seconds, f)
  local ns, alarm = duration.ns("part:after", seconds), nil
  check_function("part:after", f)
  alarm = assert(self.board.core:after(ns, function()
    self.running[alarm] = nil
    self:call("timer", f)
  end))
  self.running[alarm] = true
  return alarm
end

--- For parts: runs f(self) in a task of the part, which may wait: self.board:sleep(1).
---@param f fun(self: strobe.gpio.Part)
---@return {close: fun()} handle
function Part:task(f)
  check_function("part:task", f)
  local job = setmetatable({ part = self }, Job)
  job.task = async.create_task(function()
    self:call("task", f, self)
    self.running[job] = nil
  end)
  job.task:set_name(self.name)
  self.running[job] = true
  return job
end

return parts
