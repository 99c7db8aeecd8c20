local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local state = require "strobe.gpio.state"

-- A part with such a state, on a board.
local function with_state(values)
  local board = gpio.board {}
  local its = board:add(part.kind {
    name = "chip", pins = {},
    start = function(self)
      for name, value in pairs(values) do
        self.state[name] = value
      end
    end,
  })
  return board, its
end

describe("a part's state", function()
  it("tells who watches what has changed, and to what", function()
    local board <close>, its = with_state { on = false, angle = 90 }
    local told = {}
    local watch = state.watch(its, function(name, value)
      table.insert(told, ("%s=%s"):format(name, value))
    end)
    its.state.on = true
    its.state.on = true -- no change
    its.state.angle = nil
    its.state.new = 1
    watch:close()
    watch:close()
    its.state.on = false
    assert.same({ "on=true", "angle=nil", "new=1" }, told)
    assert.is_false(board.closed or false)
  end)

  it("is the same table, with the same values, while it is watched and afterwards", function()
    local _ <close>, its = with_state { on = false }
    local kept = its.state
    local first, second = state.watch(its, function() end), state.watch(its, function() end)
    kept.on, kept.angle = true, 1
    local function values()
      local seen = {}
      for name, value in pairs(its.state) do
        seen[name] = value
      end
      return seen
    end
    assert.same({ on = true, angle = 1 }, values())
    first:close()
    assert.same({ on = true, angle = 1 }, values())
    second:close()
    assert.is_true(kept == its.state and getmetatable(kept) == nil)
    assert.same({ on = true, angle = 1 }, its.state)
  end)
end)
