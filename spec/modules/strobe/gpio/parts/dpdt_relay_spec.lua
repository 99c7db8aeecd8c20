local gpio = require "strobe.gpio"

describe("a relay with two poles", function()
  -- Its coil at D2 and D3; both poles between GND and VCC, the second the other way round.
  local function wired(attributes)
    local board = gpio.board { pins = { "D2", "D3" } }
    local relay = board:add("dpdt_relay", attributes)
    for pin, to in pairs { COIL1 = "D2", COIL2 = "D3", NC1 = "GND", NO1 = "VCC", NC2 = "VCC", NO2 = "GND" } do
      board:wire(relay:pin(pin), to)
    end
    local coil = {}
    for i, pin in ipairs { "D2", "D3" } do
      coil[i] = assert(board:line(pin, { direction = "output", output_value = 0 }))
    end
    board:sleep(0.02)
    return board, relay, coil
  end

  local function poles(relay)
    return relay.line.P1:level() .. relay.line.P2:level()
  end

  it("switches both while there is a voltage at its coil, whichever way", function()
    local board <close>, relay, coil = wired()
    assert.same({ "01", false }, { poles(relay), relay.state.on })
    for _, driven in ipairs(coil) do
      driven:set_value(1)
      board:sleep(0.004)
      assert.same({ "zz", false }, { poles(relay), relay.state.on })
      board:sleep(0.002)
      assert.same({ "10", true }, { poles(relay), relay.state.on })
      driven:set_value(0)
      board:sleep(0.003)
      assert.same({ "01", false }, { poles(relay), relay.state.on })
    end
    coil[1]:set_value(1)
    coil[2]:set_value(1)
    board:sleep(0.02)
    assert.is_false(relay.state.on)
    assert.same({}, board.core:contentions())
  end)

  it("takes the time that it is said to take", function()
    local board <close>, relay, coil = wired { operate_time = 0.001, release_time = 0.1 }
    coil[1]:set_value(1)
    board:sleep(0.002)
    assert.equal("10", poles(relay))
    coil[1]:set_value(0)
    board:sleep(0.09)
    assert.equal("zz", poles(relay))
  end)
end)
