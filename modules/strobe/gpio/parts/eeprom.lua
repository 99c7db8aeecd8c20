--- A memory on the I2C bus that keeps its contents (24C02): 256 bytes, at the address 0x50 plus what A2, A1 and A0
-- say.
--
-- The first byte written to it is where to begin; further ones are kept there, within a page of 8 bytes, from whose
-- end they go on at its beginning. They are stored at the stop, for 5 ms; until then nobody answers at its address.
-- Reading goes on from where the last transfer ended, up to 255 and on from 0. While WP is 1 it acknowledges what
-- is written, and keeps nothing.

local attribute = require "strobe.gpio.attribute"
local i2c_target = require "strobe.gpio.i2c_target"
local part = require "strobe.gpio.part"

local SIZE, PAGE = 256, 8
local BASE_ADDRESS = 0x50

-- One of the page that is written; the address stays in it.
local function keep(self, byte)
  local state = self.state
  self.page[#self.page + 1] = { at = state.at, byte = byte }
  state.at = state.at & ~(PAGE - 1) | state.at + 1 & PAGE - 1
end

local function store(self)
  if #self.page == 0 or self.line.WP:get() == 1 then
    return
  end
  for _, kept in ipairs(self.page) do
    self.bytes[kept.at] = kept.byte
  end
  self.state.busy, self.state.writes = true, self.state.writes + 1
  self:after(self.attributes.write_time, function()
    self.state.busy = false
  end)
end

local function handlers_of(self)
  local state, handlers, address_comes = self.state, { stretch = self.attributes.stretch }, false

  function handlers.address()
    return self:address()
  end

  function handlers.begin(reading)
    self.page, address_comes = {}, not reading
    return not state.busy
  end

  function handlers.receive(byte)
    if address_comes then
      state.at, address_comes = byte, false
    else
      keep(self, byte)
    end
    return true
  end

  function handlers.send()
    local byte = self.bytes[state.at]
    state.at = (state.at + 1) % SIZE
    return byte
  end

  function handlers.stop()
    store(self)
  end

  return handlers
end

---@class strobe.gpio.Eeprom: strobe.gpio.Part
---@field state { at: integer, busy: boolean, writes: integer } where it reads or writes next
return part.kind {
  name = "eeprom",
  pins = { "A0", "A1", "A2", "GND", "SDA", "SCL", "WP", "VCC" },
  attributes = {
    write_time = 0.005, -- seconds
    stretch = 0, -- seconds for which it holds the clock at each byte; the real one does not
  },
  start = function(self)
    self.bytes, self.page = {}, {}
    for at = 0, SIZE - 1 do
      self.bytes[at] = 0xff
    end
    attribute.ns(self, "write_time")
    self.state.at, self.state.busy, self.state.writes = 0, false, 0
    self.line.WP:configure { bias = "pull-down" }
    i2c_target.configure_address(self)
    i2c_target.attach(self, handlers_of(self))
  end,

  --- Its address on the bus.
  ---@return integer
  address = function(self)
    return i2c_target.address(self, BASE_ADDRESS)
  end,

  --- What it holds, without the bus.
  ---@param at? integer 0 to 255 (0)
  ---@param count? integer (all that follow)
  ---@return string
  contents = function(self, at, count)
    at = attribute.check("eeprom:contents: at", at or 0, 0, SIZE - 1)
    attribute.check("eeprom:contents: count", count or 0, 0, SIZE - at)
    return string.char(table.unpack(self.bytes, at, at + (count or SIZE - at) - 1))
  end,
}
