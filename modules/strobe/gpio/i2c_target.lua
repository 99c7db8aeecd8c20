--- A target on an I2C bus (UM10204): what parts with the pins SDA and SCL have in common.
--
-- A target looks at SDA while SCL is 1: it falls for a start, rises for a stop, else it is a bit. It changes SDA
-- only while SCL is 0, a moment after that fell. Bits are counted at rising edges: 8 make a byte, the 9th
-- acknowledges it.

local duration = require "strobe.gpio.duration"

local target = {}

local HOLD = 300 -- ns from the fall of SCL to a change of SDA

---@class strobe.gpio.I2cHandlers
---@field address fun(): integer its 7 bits, which pins may say
---@field stretch? number seconds for which it holds the clock before it acknowledges (0)
---@field begin? fun(reading: boolean): boolean it is addressed; true to acknowledge that
---@field receive fun(byte: integer): boolean a byte came; true to acknowledge it
---@field send fun(): integer the next byte to send
---@field stop? fun() the transfer is over in which it was addressed last

-- Keeps SCL at 0 for as long as it needs to think.
local function stretch(self)
  if self.stretch_time > 0 then
    self.scl:set(0)
    self.part:after(self.stretch_time, function()
      self.scl:set(1)
    end)
  end
end

local function idle(self)
  self.phase = "idle"
  self.sda:set(1)
end

local function send_bit(self)
  self.sda:set(self.byte >> 7 - self.count & 1)
end

-- What the ninth clock is to find on SDA, by what the eight before were.
local acknowledge = {}

function acknowledge.address(self)
  self.reading = self.byte & 1 == 1
  self.mine = self.byte >> 1 == self.handlers.address()
    and (not self.handlers.begin or self.handlers.begin(self.reading))
  if self.mine then
    self.sda:set(0)
    stretch(self)
  else
    idle(self)
  end
end

function acknowledge.receive(self)
  if self.handlers.receive(self.byte) then
    self.sda:set(0)
  end
  stretch(self)
end

function acknowledge.send(self)
  self.sda:set(1) -- that is the controller's to say
end

-- The byte that begins when the ninth clock has ended.
local function next_byte(self)
  local sends = self.phase == "send" and self.acknowledged or self.phase == "address" and self.reading
  self.count, self.byte = 0, 0
  if sends then
    self.phase, self.byte = "send", self.handlers.send()
    send_bit(self)
  elseif self.phase == "send" then
    idle(self)
  else
    self.phase = "receive"
    self.sda:set(1)
  end
end

local function clock_rises(self)
  self.count = self.count + 1
  if self.count == 9 then
    self.acknowledged = self.sda:level() == "0"
  elseif self.phase ~= "send" then
    self.byte = self.byte << 1 | (self.sda:level() == "0" and 0 or 1)
  end
end

local function clock_falls(self)
  if self.count == 8 then
    acknowledge[self.phase](self)
  elseif self.count == 9 then
    next_byte(self)
  elseif self.phase == "send" then
    send_bit(self)
  end
end

local function start(self)
  self.phase, self.count, self.byte = "address", 0, 0
  self.sda:set(1)
end

local function stop(self)
  local mine = self.mine
  self.mine = false
  idle(self)
  if mine and self.handlers.stop then
    self.handlers.stop()
  end
end

local ADDRESS_PINS = { "A0", "A1", "A2" }

--- Prepares the pins A0 to A2, which are pulled down, and say the last bits of a part's address: from its `start`.
---@param part strobe.gpio.Part
function target.configure_address(part)
  for _, pin in ipairs(ADDRESS_PINS) do
    part.line[pin]:configure { bias = "pull-down" }
  end
end

--- The address that they say.
---@param part strobe.gpio.Part
---@param base integer what it is while all of them are 0
---@return integer
function target.address(part, base)
  for i, pin in ipairs(ADDRESS_PINS) do
    base = base | part.line[pin]:get() << (i - 1)
  end
  return base
end

--- Has a part answer on the bus of its pins SDA and SCL, from its `start`.
---@param part strobe.gpio.Part
---@param handlers strobe.gpio.I2cHandlers
function target.attach(part, handlers)
  local self = {
    part = part, handlers = handlers, sda = part.line.SDA, scl = part.line.SCL, phase = "idle", count = 0, byte = 0,
    stretch_time = handlers.stretch or 0, mine = false,
  }
  duration.ns("stretch", self.stretch_time)
  self.sda:configure { direction = "output", drive = "open-drain", output_value = 1, delay = HOLD }
  self.scl:configure { direction = "output", drive = "open-drain", output_value = 1 }
  part:on_edge("SCL", "change", function(level)
    if self.phase ~= "idle" then
      local clock = level == "1" and clock_rises or level == "0" and clock_falls
      if clock then
        clock(self)
      end
    end
  end)
  part:on_edge("SDA", "change", function(level)
    if self.scl:level() == "1" and level ~= "z" then
      local condition = level == "0" and start or stop
      condition(self)
    end
  end)
end

return target
