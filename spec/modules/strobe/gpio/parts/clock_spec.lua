local gpio = require "strobe.gpio"

-- A clock, and its changes as "level@ms".
local function noted(attributes)
  local board = gpio.board()
  local clock, changes = board:add("clock", attributes), {}
  board.core:subscribe({ clock.line.OUT }, "change", 64, function(level, time)
    table.insert(changes, ("%s@%g"):format(level, time / 1e6))
  end)
  return board, clock, changes
end

describe("a clock", function()
  it("is a square wave from the beginning", function()
    local board <close>, clock, changes = noted { frequency = 100 }
    board:sleep(0.024)
    assert.same({ "1@0", "0@5", "1@10", "0@15", "1@20" }, changes)
    assert.same({ frequency = 100, duty = 0.5, running = true }, clock.state)
  end)

  it("is changed with the next period, and paused at once", function()
    local board <close>, clock, changes = noted { frequency = 100 }
    board:sleep(0.002)
    clock:run(500, 0.25)
    board:sleep(0.011)
    clock:pause()
    board:sleep(1)
    assert.same({ "1@0", "0@5", "1@10", "0@10.5", "1@12", "0@12.5" }, changes)
    assert.same({ frequency = 500, duty = 0.25, running = false }, clock.state)
  end)

  it("may wait until it is run", function()
    local board <close>, clock, changes = noted { frequency = 1000, running = false }
    board:sleep(0.01)
    assert.same({ "0@0" }, changes)
    clock:run()
    board:sleep(0.0012)
    assert.same({ "0@0", "1@10", "0@10.5", "1@11" }, changes)
  end)
end)
