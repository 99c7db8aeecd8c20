local contact = require "strobe.gpio.contact"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"

-- A contact between GND and a pin that is pulled up, and its changes as "level@ms".
local function wired(bounce, seed)
  local board, changes = gpio.board { seed = seed }, {}
  local its = board:add(part.kind { name = "touch", pins = { "a", "b" } })
  board:wire(its:pin "a", "GND")
  its.line.b:configure { bias = "pull-up" }
  local made = contact.new(its, "a", "b", bounce)
  board:sleep(0.001)
  board.core:subscribe({ its.line.b }, "change", 64, function(level, time)
    changes[#changes + 1] = ("%s@%g"):format(level, time / 1e6)
  end)
  return board, made, changes
end

describe("a contact", function()
  it("is open until it is closed, and joins its pins at once without bouncing", function()
    local board <close>, made, changes = wired()
    local touched = {}
    made.on_touch = function(touching)
      touched[#touched + 1] = touching
    end
    for _, closed in ipairs { true, true, false, false } do
      made:set(closed)
      board:sleep(0.001)
    end
    assert.same({ "0@1", "1@3" }, changes)
    assert.same({ true, false }, touched)
    assert.same({ false, false }, { made.closed, made.touching })
  end)

  it("bounces until it rests where it was set to", function()
    for seed = 1, 20 do
      local board <close>, made, changes = wired(0.005, seed)
      for _, closed in ipairs { true, false } do
        made:set(closed)
        board:sleep(0.01)
        assert.same({ closed, closed }, { made.closed, made.touching })
      end
      assert.is_true(#changes >= 6 and #changes <= 14 and #changes % 2 == 0)
      for _, change in ipairs(changes) do
        assert.is_true((tonumber(change:match "@(.*)") - 1) % 10 <= 5)
      end
      assert.equal(0, board:stats().events)
    end
  end)

  it("bounces no more once it was put somewhere", function()
    local board <close>, made, changes = wired(0.005, 1)
    made:set(true)
    made:put(false)
    board:sleep(0.01)
    assert.is_false(made.touching)
    assert.is_true(#changes <= 2)
    assert.equal(0, board:stats().events)
  end)

  it("that is set anew while it bounces rests at the last", function()
    local board <close>, made = wired(0.005, 4)
    for i = 1, 10 do
      made:set(i % 2 == 1)
      board:sleep(0.0007)
    end
    board:sleep(0.01)
    assert.same({ false, false }, { made.closed, made.touching })
  end)
end)
