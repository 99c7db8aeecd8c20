local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"

-- A board that notes the edges of pin 1, which is wired to pin 0.
local function noted()
  local board = gpio.board { pins = 2 }
  board:wire(0, 1)
  local notes = {}
  assert(board:line(1, { bias = "pull-down" })):on_edge("both", function(value, time)
    table.insert(notes, ("%d@%g"):format(value, time / 1e6))
  end)
  board:sleep(0.001)
  return board, notes
end

describe("a pulse train", function()
  it("begins with a level and takes the other one after each delay", function()
    local board <close>, notes = noted()
    assert(board:serout(0, 1, { 0.001, 0.002, 0.003 }))
    assert.equal(0.007, board:now())
    board:sleep(0.001)
    assert.same({ "1@1", "0@2", "1@4", "0@7" }, notes) -- the pull-down, once the pin was released
    assert.is_false(board:line_info(0).used)
  end)

  it("repeats from the first level, and leaves a line as it was last", function()
    local board <close>, notes = noted()
    local line <close> = assert(board:line(0))
    assert(board:serout(line, 1, { 0.001, 0.001 }, 2))
    board:sleep(0.001)
    assert.same({ "1@1", "0@2", "1@3", "0@4" }, notes)
    assert.is_true(line:info().used)
  end)

  it("says when the pin is in use, and what is none", function()
    local board <close> = noted()
    assert(board:line(0))
    assert.equal("EBUSY", select(3, board:serout(0, 1, { 1 })))
    local function mistake(...)
      return errors.raised_by(board.serout, board, ...)
    end
    assert.matches("delays: a list", mistake(0, 1, {}))
    assert.matches("delays%[1%]: 0 seconds or more expected, got %-1", mistake(0, 1, { -1 }))
    assert.matches("start_level: 0 or 1 expected, got 2", mistake(0, 2, { 1 }))
    assert.matches("cycles: 1 to 1000000 expected, got 0", mistake(0, 1, { 1 }, 0))
  end)
end)
