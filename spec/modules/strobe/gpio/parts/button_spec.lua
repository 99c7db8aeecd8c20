local gpio = require "strobe.gpio"

-- A button between a pulled-up pin and GND, and the changes of the pin as "level@ms".
local function wired(attributes, seed)
  local board = gpio.board { pins = { "D2" }, seed = seed }
  local button = board:add("button", attributes)
  board:wire("D2", button:pin "1")
  board:wire(button:pin "2", "GND")
  local line = assert(board:line("D2", { bias = "pull-up", active_low = true }))
  board:sleep(0.001)
  local changes = {}
  board.core:subscribe({ line.core }, "change", 64, function(level, time)
    table.insert(changes, ("%s@%g"):format(level, time / 1e6))
  end)
  return board, button, line, changes
end

-- The changes of a pin while the button is pressed and released.
local function chatter(seed)
  local board <close>, button, _, changes = wired({ bounce = 0.005 }, seed)
  button:press()
  board:sleep(0.019)
  button:release()
  board:sleep(0.02)
  return changes
end

describe("a button", function()
  it("joins its pins while it is pressed", function()
    local board <close>, button, line, changes = wired()
    button:press()
    button:press()
    assert.is_true(button:is_pressed())
    board:sleep(0.002)
    assert.equal(1, line:get_value())
    button:release()
    button:release()
    board:sleep(0.002)
    assert.same({ 0, false }, { line:get_value(), button:is_pressed() })
    assert.same({ "0@1", "1@3" }, changes)
  end)

  it("comes up by itself after a click", function()
    local board <close>, button, _, changes = wired()
    button:click()
    board:sleep(0.2)
    button:click(0.05)
    board:sleep(0.2)
    assert.same({ "0@1", "1@101", "0@201", "1@251" }, changes)
  end)

  it("counts a click from the last one", function()
    local board <close>, button, _, changes = wired()
    button:click(0.1)
    board:sleep(0.09)
    button:click(0.1)
    board:sleep(0.2)
    assert.same({ "0@1", "1@191" }, changes)
  end)

  it("bounces before it rests, differently with another seed, the same with the same", function()
    local changes = chatter(1)
    local pressed, released = 0, 0
    for i, change in ipairs(changes) do
      local level, ms = change:match "(.)@(.+)"
      ms = tonumber(ms)
      assert.equal(i % 2 == 1 and "0" or "1", level)
      pressed = ms <= 6 and pressed + 1 or pressed
      released = ms >= 20 and ms <= 25 and released + 1 or released
    end
    assert.is_true(pressed >= 3 and pressed % 2 == 1)
    assert.is_true(released >= 3 and released % 2 == 1)
    assert.equal(#changes, pressed + released)
    assert.same(changes, chatter(1))
    assert.not_same(changes, chatter(2))
  end)

  it("rests where it was moved last, even in the middle of bouncing", function()
    local board <close>, button, line = wired { bounce = 0.005 }
    for _ = 1, 20 do
      button:press()
      board:sleep(0.001)
      button:release()
      board:sleep(0.0015)
    end
    board:sleep(0.01)
    assert.same({ 0, false }, { line:get_value(), button.state.joined })
  end)

  it("is told once by a line that debounces", function()
    local board <close>, button, line = wired { bounce = 0.005 }
    line:reconfigure { debounce_period = 0.01, edge = "both" }
    button:click(0.1)
    board:sleep(0.3)
    local first, second = line:wait_edge(0), line:wait_edge(0)
    assert.same({ "rising", "falling" }, { first.edge, second.edge })
    assert.is_nil((line:wait_edge(0)))
  end)
end)
