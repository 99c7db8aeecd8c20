--- Faults, to see what a program does when the hardware fails: stuck pins, bouncing, cut wires, shorts.
--
--   local faults = require "strobe.gpio.faults"
--   local stuck <close> = faults.stuck_at(board, "D2", 0)   -- until it is closed
--   faults.cut(wire)
--
-- A pin is "D13", "led1.anode", a line or a part's pin. What is stuck or bounces is the net, whatever drives it; such
-- a fault shows as a part of the board.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local faults = {}

local NEVER = math.maxinteger -- ns

---@class strobe.gpio.Fault a `<close>` value
---@field active boolean
local Fault = {}
Fault.__index = Fault
Fault.__name = "gpio.Fault"

local function begin(board, over)
  return setmetatable({ active = true, board = board, over = over }, Fault)
end

--- Ends it. Closing twice is harmless, and so is closing it after its board.
function Fault:close()
  if self.active and not self.board.closed then
    self.over()
  end
  self.active = false
end

Fault.__close = Fault.close

-- What ended faults have left on each board, for the next of the same kind at the same place: no part or wire is ever
-- taken from a board.
local spares = setmetatable({}, { __mode = "k" })

local function spares_at(board, place)
  spares[board] = spares[board] or {}
  spares[board][place] = spares[board][place] or {}
  return spares[board][place]
end

-- The board's pin of what a caller gave.
local function pin_of(board, what, pin)
  return board:find_pin(what, type(pin) == "table" and pin.name or pin, 4)
end

-- A fault that is a part, wired to a pin: _begin(…) and _over() are its kind's.
local function attach(board, kind, pin, ...)
  local target = pin_of(board, "faults." .. kind.name, pin)
  local list = spares_at(board, kind.name .. " " .. target.name)
  local its = table.remove(list)
  if its then
    its.wire:restore()
  else
    its = board:add(kind)
    its.wire = board:wire(its:pin "net", target)
  end
  its.state.active = true
  its:_begin(...)
  return begin(board, function()
    its.state.active = false
    its:_over()
    its.wire:cut()
    list[#list + 1] = its
  end)
end

local stuck = part.kind {
  name = "stuck_at",
  pins = { "net" },
  _begin = function(self, level)
    self.state.level = level
    self.line.net:stick(level)
  end,
  _over = function(self)
    self.line.net:stick(nil)
  end,
}

--- A net is stuck at a level, whoever drives it.
---@param board strobe.gpio.Board
---@param pin string|integer|strobe.gpio.Line|strobe.gpio.Pin
---@param level 0|1
---@return strobe.gpio.Fault fault
function faults.stuck_at(board, pin, level)
  if level ~= 0 and level ~= 1 then
    error(("faults.stuck_at: level: 0 or 1 expected, got %s"):format(tostring(level)), 2)
  end
  return attach(board, stuck, pin, level)
end

-- Flips the net back to what it was for an odd number of times, and lets it go at last.
local function chatter(self, before)
  local moments, count = {}, 2 * self.board:random(1, self.most)
  for i = 1, count do
    moments[i] = self.board:random() * self.period
  end
  table.sort(moments)
  for i, moment in ipairs(moments) do
    self.flips[i] = self:after(moment, function()
      self.line.net:stick(i % 2 == 1 and before or nil)
      self.rested = i == count and self.board:now_ns()
    end)
  end
end

local bounce = part.kind {
  name = "bounce",
  pins = { "net" },
  start = function(self)
    self.rested = -1 -- ns: when it last came to rest; false while it bounces
    self:on_edge("net", "both", function(value, time)
      if self.rested and time > self.rested then
        self.rested = false
        self.state.bounced = self.state.bounced + 1
        chatter(self, 1 - value)
      end
    end)
  end,
  _begin = function(self, period, most)
    self.period, self.most, self.flips = period, most, {}
    self.state.bounced = 0
    if self.rested == NEVER then
      self.rested = self.board:now_ns() -- the level that it meets again is no edge
    end
  end,
  _over = function(self)
    for _, flip in ipairs(self.flips) do
      flip:close()
    end
    self.line.net:stick(nil)
    self.rested = NEVER
  end,
}

--- Each edge of a net is followed by others, until it rests; the board's seed decides when they come.
---@param board strobe.gpio.Board
---@param pin string|integer|strobe.gpio.Line|strobe.gpio.Pin
---@param options? {period?: number, most?: integer} seconds until it rests (0.005); how often it goes back at most (3)
---@return strobe.gpio.Fault fault
function faults.bounce(board, pin, options)
  options = options or {}
  local period = attribute.check("faults.bounce: period", options.period or 0.005, 0, 10)
  local most = attribute.check("faults.bounce: most", options.most or 3, 1, 100)
  return attach(board, bounce, pin, period, most)
end

-- How many faults have cut a wire that was joined.
local cuts = setmetatable({}, { __mode = "k" })

--- A wire is cut; closing the last of such faults joins it again, if it was joined before.
---@param wire strobe.gpio.Wire
---@return strobe.gpio.Fault fault
function faults.cut(wire)
  if not cuts[wire] and not wire:joined() then
    return begin(wire.board, function() end)
  end
  cuts[wire] = (cuts[wire] or 0) + 1
  wire:cut()
  return begin(wire.board, function()
    cuts[wire] = cuts[wire] > 1 and cuts[wire] - 1 or nil
    if not cuts[wire] then
      wire:restore()
    end
  end)
end

--- Two pins are joined that should not be: two outputs that differ make x, which the board reports as contention.
---@param board strobe.gpio.Board
---@param a string|integer|strobe.gpio.Line|strobe.gpio.Pin
---@param b string|integer|strobe.gpio.Line|strobe.gpio.Pin
---@return strobe.gpio.Fault fault
function faults.short(board, a, b)
  local one, other = pin_of(board, "faults.short", a), pin_of(board, "faults.short", b)
  local list = spares_at(board, ("short %s %s"):format(one.name, other.name))
  local wire = table.remove(list) or board:wire(one, other)
  wire:restore()
  return begin(board, function()
    wire:cut()
    list[#list + 1] = wire
  end)
end

return faults
