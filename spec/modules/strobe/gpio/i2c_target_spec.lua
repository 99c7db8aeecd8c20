local async = require "strobe.async"
local gpio = require "strobe.gpio"
local i2c = require "strobe.gpio.i2c"
local part = require "strobe.gpio.part"
local target = require "strobe.gpio.i2c_target"

-- A bus with a target at 0x20 that notes what it is told, and answers with "ab…"; `refuse` is what it does not take.
local function wired(refuse, stretch)
  local board, log, letter = gpio.board { pins = { "SDA", "SCL" } }, {}, 0x60
  local handlers = { stretch = stretch }
  local function note(...)
    log[#log + 1] = table.concat({ ... }, " ")
  end
  function handlers.address() return 0x20 end
  function handlers.begin(reading)
    note(reading and "read" or "write")
    return refuse ~= "begin"
  end
  function handlers.receive(byte)
    note(("%02x"):format(byte))
    return refuse ~= byte
  end
  function handlers.send()
    letter = letter + 1
    return letter
  end
  function handlers.stop() note "stop" end
  local its = board:add(part.kind {
    name = "target", pins = { "SDA", "SCL" },
    start = function(self)
      target.attach(self, handlers)
    end,
  })
  board:wire("SDA", its:pin "SDA")
  board:wire("SCL", its:pin "SCL")
  local bus = assert(i2c.controller(board, { sda = "SDA", scl = "SCL" }))
  board:sleep(0.001)
  return board, bus, log, its
end

describe("a target on an I2C bus", function()
  it("is told what is written to it, and when that is over", function()
    local board <close>, bus, log = wired() -- luacheck: ignore
    assert.is_true(bus:write(0x20, "\1\xff"))
    assert.is_true(bus:write(0x20, ""))
    assert.same({ "write", "01", "ff", "stop", "write", "stop" }, log)
    assert.equal("1", bus.sda:level())
  end)

  it("sends for as long as it is acknowledged", function()
    local board <close>, bus, log = wired() -- luacheck: ignore
    assert.equal("abc", bus:read(0x20, 3))
    assert.equal("d", bus:write_read(0x20, "\7", 1))
    assert.same({ "read", "stop", "write", "07", "read", "stop" }, log)
  end)

  it("leaves what is for others alone", function()
    local board <close>, bus, log = wired() -- luacheck: ignore
    assert.equal("ENXIO", (select(3, bus:write(0x21, "\1"))))
    assert.same({}, log)
  end)

  it("hears of no stop when nobody has addressed it since the last", function()
    local board <close>, bus, log = wired()
    assert.is_true(bus:write(0x20, "\1"))
    for _, pin in ipairs { "scl", "sda", "sda", "scl" } do -- a start, and a stop after it
      board:sleep(0.0001)
      bus[pin]:set_value(bus[pin]:get_value() == 1 and pin == "sda" and 0 or 1)
    end
    board:sleep(0.001)
    assert.same({ "write", "01", "stop" }, log)
  end)

  it("refuses to be addressed, or a byte", function()
    local board <close>, bus, log = wired "begin" -- luacheck: ignore
    assert.equal("ENXIO", (select(3, bus:write(0x20, "\1"))))
    assert.same({ "write" }, log)
    local other <close>, its, told = wired(2)
    local ok, message, code = its:write(0x20, "\1\2\3")
    assert.same({ nil, "0x20 does not acknowledge byte 2", "EIO" }, { ok, message, code })
    assert.same({ "write", "01", "02", "stop" }, told)
    assert.is_table(other)
  end)

  it("holds the clock while it thinks, at each byte", function()
    local board <close>, bus, log = wired(nil, 0.002)
    local start = board:now()
    assert.is_true(bus:write(0x20, "\1\2"))
    assert.near(0.006, board:now() - start, 0.001)
    assert.same({ "write", "01", "02", "stop" }, log)
  end)

  it("that holds it for ever is given up, and the bus is free once it lets go", function()
    local board <close>, bus, log, its = wired()
    its.line.SCL:set(0)
    board:sleep(0.001)
    assert.equal("EBUSY", (select(3, bus:write(0x20, "\1"))))
    its.line.SCL:set(1)
    board:sleep(0.001)
    local writing = async.create_task(bus.write, bus, 0x20, "\1\2\3")
    board:sleep(0.00012)
    its.line.SCL:set(0)
    local ok, message, code = writing:await()
    assert.same({ nil, "pin SCL is held at 0: a target stretches the clock for too long", "ETIMEDOUT" },
      { ok, message, code })
    its.line.SCL:set(1)
    board:sleep(0.001)
    assert.is_true(bus:write(0x20, "\9"))
    assert.equal("stop", log[#log])
  end)

  it("has the address that its pins say", function()
    local board <close> = gpio.board()
    local its = board:add(part.kind { name = "chip", pins = { "A0", "A1", "A2" }, start = target.configure_address })
    assert.equal(0x48, target.address(its, 0x48))
    board:wire(its:pin "A0", "VCC")
    board:wire(its:pin "A2", "VCC")
    board:wire(its:pin "A1", "GND")
    board:sleep(0.001)
    assert.equal(0x4d, target.address(its, 0x48))
  end)
end)
