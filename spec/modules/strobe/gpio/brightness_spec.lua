local brightness = require "strobe.gpio.brightness"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"

-- A light on a board, and what was seen of it: "share@ms".
local function wired()
  local board, seen = gpio.board(), {}
  local lamp = board:add(part.kind { name = "lamp", pins = {} })
  local eye = brightness.new(lamp, function(share)
    seen[#seen + 1] = ("%.3g@%g"):format(share, board:now_ns() / 1e6)
  end)
  return board, eye, seen
end

-- Switches it on and off, for so many ms each.
local function flash(board, eye, on, off, times)
  for _ = 1, times do
    eye:switch(true)
    board:sleep(on / 1000)
    eye:switch(false)
    board:sleep(off / 1000)
  end
end

describe("the brightness of a light", function()
  it("is 1 or 0 where one sees it blink", function()
    local board <close>, eye, seen = wired()
    flash(board, eye, 300, 200, 2)
    assert.same({ "1@0", "0@300", "1@500", "0@800" }, seen)
  end)

  it("is for how much of its period it is on, where one does not", function()
    local board <close>, eye, seen = wired()
    flash(board, eye, 1, 3, 4)
    assert.same({ "1@0", "0@1", "0.25@4" }, seen)
    flash(board, eye, 3, 1, 2)
    assert.equal("0.75@20", seen[#seen])
  end)

  it("is 0 or 1 again when it stays off or on", function()
    local board <close>, eye, seen = wired()
    flash(board, eye, 1, 1, 3)
    assert.equal("0.5@2", seen[#seen])
    board:sleep(0.1)
    assert.equal("0@25", seen[#seen])
    flash(board, eye, 1, 1, 3)
    eye:switch(true)
    board:sleep(0.1)
    assert.matches("^1@", seen[#seen])
    assert.equal(0, board:stats().events)
  end)

  it("does not change when it is switched to what it is", function()
    local board <close>, eye, seen = wired() -- luacheck: ignore
    eye:switch(false)
    assert.same({}, seen)
    eye:switch(true)
    eye:switch(true)
    assert.same({ "1@0" }, seen)
  end)
end)
