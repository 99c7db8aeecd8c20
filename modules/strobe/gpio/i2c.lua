--- The controller of an I2C bus, on two lines of a board: UM10204 bit by bit, so that a trace shows it all.
--
--   local bus <close> = assert(i2c.controller(board, { sda = "A4", scl = "A5" }))
--   assert(bus:write(0x50, "\x10hello"))
--   local text = assert(bus:write_read(0x50, "\x10", 5))
--
-- Nobody drives a 1: both lines are open-drain, pulled up, and 0 when anybody pulls them down. That is how a target
-- acknowledges, how a slow one stretches the clock, and how one of two controllers finds out that the other wins.

local duration = require "strobe.gpio.duration"

local i2c = {}

local MOST = 64 * 1024 -- bytes of a read

---@class strobe.gpio.I2cOptions
---@field sda string|integer the pin of the data
---@field scl string|integer the pin of the clock
---@field frequency? number Hz (100e3)
---@field timeout? number seconds for which a target may stretch the clock (0.025)
---@field consumer? string who owns the pins ("i2c")

---@class strobe.gpio.I2c a `<close>` value
local Controller = {}
Controller.__index = Controller
Controller.__name = "gpio.I2c"

-- What ends a transfer early is raised in here, and returned as nil, message, code.
local Failure = {}

local function fail(message, code)
  error(setmetatable({ message = message, code = code }, Failure), 0)
end

--- Takes the two pins.
---@param board strobe.gpio.Board
---@param options strobe.gpio.I2cOptions
---@return strobe.gpio.I2c?
---@return string? message
---@return string? code "EBUSY"
function i2c.controller(board, options)
  if type(options) ~= "table" then
    error(("i2c.controller: a table of options expected, got %s"):format(type(options)), 2)
  end
  local frequency, timeout = options.frequency or 100e3, options.timeout or 0.025
  if type(frequency) ~= "number" or not (frequency > 0 and frequency <= 5e6) then
    error(("i2c.controller: frequency: above 0 and up to 5e6 Hz expected, got %s"):format(tostring(frequency)), 2)
  end
  duration.ns("i2c.controller: timeout", timeout)
  local settings = {
    direction = "output", drive = "open-drain", bias = "pull-up", output_value = 1,
    consumer = options.consumer or "i2c",
  }
  local sda, message, code = board:line(options.sda, settings)
  if not sda then
    return nil, message, code
  end
  local scl
  scl, message, code = board:line(options.scl, settings)
  if not scl then
    sda:release()
    return nil, message, code
  end
  return setmetatable({
    board = board, sda = sda, scl = scl, quarter = 1 / frequency / 4, timeout = timeout,
  }, Controller)
end

-- --- Bits: between them SCL is 0, except before a start and after a stop ---------------------------

local function sleep(self, quarters)
  local ok, message, code = self.board:sleep(quarters * self.quarter)
  if not ok then
    fail(message, code)
  elseif self.sda.released then
    fail("the bus was closed", "ECANCELED")
  end
end

-- Lets SCL rise; a target may keep it down for a while.
local function release_clock(self)
  local deadline = self.board:now() + self.timeout
  self.scl:set_value(1)
  while self.scl:get_value() == 0 do
    if self.board:now() >= deadline then
      fail(("pin %s is held at 0: a target stretches the clock for too long"):format(self.scl.name), "ETIMEDOUT")
    end
    sleep(self, 1)
  end
end

-- One clock; returns what SDA was while SCL was 1.
local function clock_bit(self, bit)
  sleep(self, 1)
  self.sda:set_value(bit)
  sleep(self, 1)
  release_clock(self)
  sleep(self, 1)
  local seen = self.sda:get_value()
  sleep(self, 1)
  self.scl:set_value(0)
  return seen
end

-- Looks for as long as a bit takes: who is at work pulls SCL down meanwhile.
local function start(self)
  for _ = 1, 4 do
    if self.sda:level() == "0" or self.scl:level() == "0" then
      fail("the bus is in use: SDA or SCL is at 0", "EBUSY")
    end
    sleep(self, 1)
  end
  self.sda:set_value(0)
  sleep(self, 2)
  self.scl:set_value(0)
end

local function start_again(self)
  sleep(self, 1)
  self.sda:set_value(1)
  sleep(self, 1)
  release_clock(self)
  sleep(self, 2)
  self.sda:set_value(0)
  sleep(self, 2)
  self.scl:set_value(0)
end

local function stop(self)
  sleep(self, 1)
  self.sda:set_value(0)
  sleep(self, 1)
  release_clock(self)
  sleep(self, 2)
  self.sda:set_value(1)
  sleep(self, 2)
end

-- --- Bytes ------------------------------------------------------------------------------------

-- Returns whether it was acknowledged.
local function write_byte(self, byte)
  for i = 7, 0, -1 do
    local bit = byte >> i & 1
    if clock_bit(self, bit) ~= bit then
      fail("another controller pulls SDA down: this one has lost the bus", "EAGAIN")
    end
  end
  return clock_bit(self, 1) == 0
end

local function read_byte(self, more)
  local byte = 0
  for _ = 1, 8 do
    byte = byte << 1 | clock_bit(self, 1)
  end
  clock_bit(self, more and 0 or 1) -- the last is not acknowledged
  return byte
end

local function address_target(self, address, reading)
  if not write_byte(self, address << 1 | reading) then
    stop(self)
    fail(("nobody acknowledges the address 0x%02x"):format(address), "ENXIO")
  end
end

local function write_bytes(self, address, bytes)
  address_target(self, address, 0)
  for i = 1, #bytes do
    if not write_byte(self, bytes:byte(i)) then
      stop(self)
      fail(("0x%02x does not acknowledge byte %d"):format(address, i), "EIO")
    end
  end
end

local function read_bytes(self, address, count)
  local bytes = {}
  address_target(self, address, 1)
  for i = 1, count do
    bytes[i] = string.char(read_byte(self, i < count))
  end
  return table.concat(bytes)
end

-- --- Transfers ----------------------------------------------------------------------------------

local function check_address(what, address)
  if math.type(address) ~= "integer" or address < 0 or address > 0x7f then
    error(("%s: address: 0 to 0x7f expected, got %s"):format(what, tostring(address)), 3)
  end
end

local function check_bytes(what, bytes)
  if type(bytes) ~= "string" then
    error(("%s: bytes: a string expected, got %s"):format(what, type(bytes)), 3)
  end
end

local function check_count(what, count)
  if math.type(count) ~= "integer" or count < 1 or count > MOST then
    error(("%s: count: 1 to %d expected, got %s"):format(what, MOST, tostring(count)), 3)
  end
end

-- Lets go of the bus, whatever state it is in.
local function abandon(self)
  if not self.board.closed and not self.sda.released then
    self.sda:set_value(1)
    self.scl:set_value(1)
  end
end

-- Runs a transfer between start and stop; what it returns.
local function transfer(self, f, ...)
  if self.busy then
    error("i2c: another task is in a transfer on this bus", 3)
  end
  self.busy = true
  local ok, result = pcall(function(...)
    start(self)
    local results = f(self, ...)
    stop(self)
    return results or true
  end, ...)
  self.busy = false
  if ok then
    return result
  end
  abandon(self)
  if getmetatable(result) ~= Failure then
    error(result, 0)
  end
  return nil, result.message, result.code
end

--- Writes bytes to a target.
---@async
---@param address integer 7 bits
---@param bytes string
---@return boolean? ok
---@return string? message
---@return string? code "ENXIO" no such target, "EIO" it took no more, "EAGAIN" another controller won, "EBUSY" another
--- is at work, "ETIMEDOUT" the clock was stretched for too long, "ECANCELED" it or its board was closed
function Controller:write(address, bytes)
  check_address("i2c:write", address)
  check_bytes("i2c:write", bytes)
  return transfer(self, write_bytes, address, bytes)
end

--- Reads bytes from a target.
---@async
---@param address integer 7 bits
---@param count integer 1 to 65536
---@return string? bytes
---@return string? message
---@return string? code as write's
function Controller:read(address, count)
  check_address("i2c:read", address)
  check_count("i2c:read", count)
  return transfer(self, read_bytes, address, count)
end

--- Writes, then reads in the same transfer: how registers are read.
---@async
---@param address integer 7 bits
---@param bytes string
---@param count integer 1 to 65536
---@return string? bytes
---@return string? message
---@return string? code as write's
function Controller:write_read(address, bytes, count)
  check_address("i2c:write_read", address)
  check_bytes("i2c:write_read", bytes)
  check_count("i2c:write_read", count)
  return transfer(self, function()
    write_bytes(self, address, bytes)
    start_again(self)
    return read_bytes(self, address, count)
  end)
end

--- The addresses at which somebody answers; those that the standard reserves are not asked.
---@async
---@return integer[]? addresses
---@return string? message
---@return string? code as write's
function Controller:scan()
  local found = {}
  for address = 0x08, 0x77 do
    local ok, message, code = self:write(address, "")
    if ok then
      found[#found + 1] = address
    elseif code ~= "ENXIO" then
      return nil, message, code
    end
  end
  return found
end

--- Gives the pins back; a transfer ends. Closing twice is harmless.
function Controller:close()
  self.sda:release()
  self.scl:release()
end

Controller.__close = Controller.close

return i2c
