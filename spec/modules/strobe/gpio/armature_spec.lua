local armature = require "strobe.gpio.armature"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"

-- An armature with one pole between GND (closed) and VCC (open), and the levels of that as "level@ms".
local function wired()
  local board, changes, made = gpio.board(), {}, nil
  local its = board:add(part.kind {
    name = "coil", pins = { "common", "closed", "open" }, attributes = { operate_time = 0.004, release_time = 0.002 },
    start = function(self)
      made = armature.new(self, { { common = "common", closed = "closed", open = "open" } })
    end,
  })
  board:wire(its:pin "closed", "GND")
  board:wire(its:pin "open", "VCC")
  board:sleep(0.001)
  board.core:subscribe({ its.line.common }, "change", 64, function(level, time)
    changes[#changes + 1] = ("%s@%g"):format(level, time / 1e6)
  end)
  return board, its, made, changes
end

describe("an armature", function()
  it("rests first, and breaks before it makes", function()
    local board <close>, its, made, changes = wired()
    assert.same({ "0", false }, { its.line.common:level(), its.state.on })
    for _, on in ipairs { true, true, false, false } do
      made:pull(on)
      board:sleep(0.01)
      assert.equal(on, its.state.on)
    end
    assert.same({ "z@1", "1@5", "z@21", "0@23" }, changes)
  end)

  it("goes back when the coil does before it has arrived", function()
    local board <close>, its, made, changes = wired()
    made:pull(true)
    board:sleep(0.003)
    made:pull(false)
    board:sleep(0.01)
    assert.same({ "z@1", "0@6" }, changes)
    assert.is_false(its.state.on)
    assert.equal(0, board:stats().events)
  end)
end)
