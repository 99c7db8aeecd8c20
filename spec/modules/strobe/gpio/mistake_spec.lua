local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local mistake = require "strobe.gpio.mistake"

describe("a caller's mistake", function()
  -- What f raises, and the line it blames.
  local function blamed(f)
    return errors.raised_by(f):match "^spec/modules/strobe/gpio/mistake_spec.lua:(%d+): (.*)$"
  end

  local function here()
    return tostring(debug.getinfo(2, "l").currentline)
  end

  it("has its place, and a text as string.format makes it", function()
    local line
    local place, text = blamed(function()
      line = here() mistake("%s: %d expected", "n", 7)
    end)
    assert.same({ line, "n: 7 expected" }, { place, text })
  end)

  it("is where the board was called, however deep it is found", function()
    local board <close> = gpio.board { name = "bench", pins = { "D1" } }
    for _, call in ipairs {
      function() board:line("D1", { bias = "up" }) return here() end,
      function() board:line("D1", { debounce_period = -1 }) return here() end,
      function() board:add("clock", { duty = 7 }) return here() end,
      function() board:add("clock", { name = "a.b" }) return here() end,
      function() board:wire("D1", "D9") return here() end,
      function() board:trace("x", { pins = { "D9" } }) return here() end,
      function() board:serout("D1", 1, { -1 }) return here() end,
    } do
      local info = debug.getinfo(call, "S")
      assert.equal(tostring(info.linedefined), (blamed(call)))
    end
  end)

  it("without anybody to blame has no place", function()
    assert.same({ false, "n" }, { coroutine.wrap(pcall)(mistake, "n") })
  end)
end)
