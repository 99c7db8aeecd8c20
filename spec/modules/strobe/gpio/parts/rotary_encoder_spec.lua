local gpio = require "strobe.gpio"

local function wired()
  local board = gpio.board { pins = { "CLK", "DT", "SW" } }
  local encoder, lines = board:add "rotary_encoder", {}
  for _, pin in ipairs { "CLK", "DT", "SW" } do
    board:wire(pin, encoder:pin(pin))
    lines[pin] = assert(board:line(pin, { bias = "pull-up" }))
  end
  board:sleep(0.01)
  return board, encoder, lines
end

describe("a rotary encoder", function()
  it("is in Gray code: CLK leads clockwise, DT the other way", function()
    local board <close>, encoder, lines = wired()
    local notes = {}
    for _, pin in ipairs { "CLK", "DT" } do
      lines[pin]:on_edge("both", function(value, time)
        table.insert(notes, ("%s=%d@%g"):format(pin, value, time / 1e6))
      end)
    end
    encoder:turn(1)
    encoder:turn(-1)
    assert.same({
      "CLK=0@10", "DT=0@15", "CLK=1@20", "DT=1@25", -- clockwise
      "DT=0@30", "CLK=0@35", "DT=1@40", "CLK=1@45",
    }, notes)
    assert.equal(0, encoder.state.position)
    assert.near(0.05, board:now(), 1e-9)
  end)

  it("is read by the usual program", function()
    local board <close>, encoder, lines = wired()
    local counted = 0
    lines.CLK:on_edge("falling", function()
      counted = counted + (lines.DT:get_value() == 1 and 1 or -1)
    end)
    encoder:turn(5)
    assert.same({ 5, 5 }, { counted, encoder.state.position })
    encoder:turn(-7)
    assert.same({ -2, -2 }, { counted, encoder.state.position })
    board:close()
  end)

  it("has a button", function()
    local board <close>, encoder, lines = wired()
    encoder:press()
    board:sleep(0.001)
    assert.same({ 0, true }, { lines.SW:get_value(), encoder.state.pressed })
    encoder:release()
    board:sleep(0.001)
    assert.same({ 1, false }, { lines.SW:get_value(), encoder.state.pressed })
  end)
end)
