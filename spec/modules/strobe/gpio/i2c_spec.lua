local async = require "strobe.async"
local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local i2c = require "strobe.gpio.i2c"

local US = 1e-6

-- A board with a bus of so many controllers, and EEPROMs at 0x50 and on.
local function wired(options)
  local board = gpio.board { pins = { "SDA", "SCL", "SDA2", "SCL2" } }
  board:wire("SDA", "SDA2")
  board:wire("SCL", "SCL2")
  local bench = { eeproms = {} }
  for i = 0, (options.eeproms or 1) - 1 do
    local eeprom = board:add("eeprom", { name = "eeprom" .. i, stretch = options.stretch })
    board:wire("SDA", eeprom:pin "SDA")
    board:wire("SCL", eeprom:pin "SCL")
    for bit = 0, 2 do
      board:wire(eeprom:pin("A" .. bit), i >> bit & 1 == 1 and "VCC" or "GND")
    end
    bench.eeproms[i] = eeprom
  end
  local frequency = options.frequency
  bench.bus = assert(i2c.controller(board, { sda = "SDA", scl = "SCL", frequency = frequency, timeout = 0.001 }))
  bench.other = assert(i2c.controller(board, { sda = "SDA2", scl = "SCL2", frequency = frequency }))
  board:sleep(100 * US)
  return board, bench
end

-- Reads the wires as a logic analyser does: "S" and "P" for start and stop, bytes in hex with "+" or "-" for
-- acknowledged or not.
local function analyser(board, bench)
  local words, bits = {}, nil
  local sda, scl = bench.bus.sda.core, bench.bus.scl.core
  local handlers = {
    function(level) -- SDA
      if scl:level() == "1" then
        words[#words + 1] = level == "0" and "S" or "P"
        bits = level == "0" and "" or nil
      end
    end,
    function(level) -- SCL
      if level == "1" and bits then
        bits = bits .. sda:level()
      elseif level == "0" and bits and #bits == 9 then
        words[#words + 1] = ("%02x%s"):format(tonumber(bits:sub(1, 8), 2), bits:sub(9) == "0" and "+" or "-")
        bits = ""
      end
    end,
  }
  board.core:subscribe({ sda, scl }, "change", 64, function(level, _, index)
    handlers[index](level)
  end)
  return function()
    return table.concat(words, " ")
  end
end

describe("an I2C controller", function()
  it("writes and reads in the frames of the standard", function()
    local board <close>, bench = wired {}
    local frames = analyser(board, bench)
    assert.is_true(bench.bus:write(0x50, "\x10\xa5"))
    assert.equal("S a0+ 10+ a5+ P", frames())
    board:sleep(0.01)
    assert.equal("\xa5\xff", bench.bus:write_read(0x50, "\x10", 2))
    assert.equal("S a0+ 10+ a5+ P S a0+ 10+ S a1+ a5+ ff- P", frames())
  end)

  it("clocks at its frequency", function()
    for _, frequency in ipairs { 100e3, 400e3, 1e6 } do
      local board <close>, bench = wired { frequency = frequency }
      local rises = {}
      board.core:subscribe({ bench.bus.scl.core }, "change", 64, function(level, time)
        rises[#rises + 1] = level == "1" and time or nil
      end)
      bench.bus:write(0x50, "\0")
      assert.equal(19, #rises) -- 2 * 9 bits and the stop
      for i = 2, 18 do
        assert.equal(1e9 / frequency, rises[i] - rises[i - 1])
      end
    end
  end)

  it("says when nobody answers, and scans for who does", function()
    local board <close>, bench = wired { eeproms = 3 }
    local ok, message, code = bench.bus:read(0x48, 1)
    assert.same({ nil, "nobody acknowledges the address 0x48", "ENXIO" }, { ok, message, code })
    assert.same({ 0x50, 0x51, 0x52 }, bench.bus:scan())
    board:close()
  end)

  it("waits while a target stretches the clock", function()
    local board <close>, bench = wired { stretch = 49 * US }
    local began = board:now_ns()
    assert.is_true(bench.bus:write(0x50, "\x20\x01"))
    local stretched = board:now_ns() - began
    -- Each of three acknowledges begins 50 µs after the clock fell, not 5: the controller looks every 2.5 µs.
    local plain = 10000 + 5000 + 27 * 10000 + 15000
    assert.equal(plain + 3 * 45000, stretched)
    board:sleep(0.01)
    assert.equal("\x01", bench.bus:write_read(0x50, "\x20", 1))
  end)

  it("gives up when the clock is held for too long", function()
    local board <close>, bench = wired { stretch = 0.01 }
    local ok, message, code = bench.bus:write(0x50, "\0")
    assert.same({ nil, "ETIMEDOUT" }, { ok, code })
    assert.matches("pin SCL is held at 0", message)
    board:sleep(0.02)
    assert.equal("1", bench.bus.scl:level())
  end)

  it("loses to another who pulls SDA down, which nobody notices else", function()
    local board <close>, bench = wired { eeproms = 2 }
    local frames = analyser(board, bench)
    local winner = async.create_task(bench.bus.write, bench.bus, 0x50, "\x30\x77")
    local loser = async.create_task(bench.other.write, bench.other, 0x51, "\x30\x88")
    assert.is_true(winner:await())
    local ok, _, code = loser:await()
    assert.same({ nil, "EAGAIN" }, { ok, code })
    assert.equal("S a0+ 30+ 77+ P", frames())
    assert.same({ "\x77", "\xff" }, { bench.eeproms[0]:contents(0x30, 1), bench.eeproms[1]:contents(0x30, 1) })
    assert.same({}, board.core:contentions()) -- open drains never fight
  end)

  it("does not begin while another is at work", function()
    local board <close>, bench = wired {}
    local first = async.create_task(bench.bus.write, bench.bus, 0x50, "\x30")
    board:sleep(42.5 * US)
    local ok, _, code = bench.other:write(0x50, "\x40")
    assert.same({ nil, "EBUSY" }, { ok, code })
    assert.is_true(first:await())
  end)

  it("may be cancelled, and lets go of the bus", function()
    local board <close>, bench = wired {}
    local task = async.create_task(bench.bus.write, bench.bus, 0x50, "\x30\x31")
    board:sleep(60 * US)
    task:cancel()
    errors.raised(async.CancelledError, task.await, task)
    assert.is_true(bench.bus:write(0x50, "\x30"))
  end)

  for closed in pairs { bus = true, board = true } do
    it(("ends a transfer when its %s is closed"):format(closed), function()
      local board, bench = wired {}
      local task = async.create_task(bench.bus.write_read, bench.bus, 0x50, "\x30", 2)
      board:sleep(0.0002)
      local closing = closed == "bus" and bench.bus or board
      closing:close()
      assert.equal("ECANCELED", (select(3, task:await())))
      board:close()
    end)
  end

  it("owns its pins until it is closed", function()
    local board <close>, bench = wired {}
    local made, message, code = i2c.controller(board, { sda = "SDA", scl = "SCL" })
    assert.same({ nil, "EBUSY" }, { made, code })
    assert.matches("in use by i2c", message)
    bench.bus:close()
    bench.bus:close()
    assert(i2c.controller(board, { sda = "SDA", scl = "SCL" })):close()
    assert.matches("address: 0 to 0x7f expected, got 128", errors.raised_by(bench.bus.read, bench.bus, 128, 1))
  end)

  it("names what it cannot take", function()
    local board <close>, bench = wired {}
    local bus = bench.bus
    for message, call in pairs {
      ["i2c.controller: a table of options expected, got nil"] = function() i2c.controller(board) end,
      ["i2c.controller: frequency: above 0 and up to 5e6 Hz expected, got 0"] = function()
        i2c.controller(board, { frequency = 0 })
      end,
      ["i2c.controller: timeout: 0 seconds or more expected, got %-1"] = function()
        i2c.controller(board, { timeout = -1 })
      end,
      ["i2c:write: address: 0 to 0x7f expected, got 128"] = function() bus:write(0x80, "") end,
      ["i2c:write: bytes: a string expected, got number"] = function() bus:write(0x50, 7) end,
      ["i2c:read: count: 1 to 65536 expected, got 0"] = function() bus:read(0x50, 0) end,
      ["i2c:write_read: count: 1 to 65536 expected, got nil"] = function() bus:write_read(0x50, "") end,
    } do
      assert.matches(message .. "$", errors.raised_by(call))
    end
    assert.is_true(bus:write(0x50, "\0"))
  end)
end)
