local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local watchdog = require "strobe.gpio.watchdog"

-- A watchdog of 10 ms on a board, and the moments at which it barked, in ms.
local function wired()
  local board, barks = gpio.board(), {}
  local its = board:add(part.kind { name = "yard", pins = {} })
  local dog = watchdog.new(its, 0.01, function()
    barks[#barks + 1] = board:now_ns() / 1e6
  end)
  return board, dog, barks
end

describe("a watchdog", function()
  it("sleeps until it is fed", function()
    local board <close>, _, barks = wired()
    board:sleep(1)
    assert.same({}, barks)
    assert.equal(0, board:stats().events)
  end)

  it("barks a period after it was fed last, once", function()
    local board <close>, dog, barks = wired()
    for _ = 1, 5 do
      dog:feed()
      board:sleep(0.007)
    end
    assert.same({}, barks)
    board:sleep(1)
    assert.same({ 38 }, barks)
    dog:feed()
    board:sleep(1)
    assert.same({ 38, 1045 }, barks)
  end)

  it("has one timer, however often it is fed", function()
    local board <close>, dog = wired()
    for _ = 1, 1000 do
      dog:feed()
    end
    assert.equal(1, board:stats().events)
    board:sleep(0.02)
    assert.equal(0, board:stats().events)
  end)

  it("is silent after its board was closed", function()
    local board, dog, barks = wired()
    dog:feed()
    board:close()
    assert.same({}, barks)
  end)
end)
