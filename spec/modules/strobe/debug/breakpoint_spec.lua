local breakpoints = require "strobe.debug.breakpoint"

-- At which of ten visits it stops.
local function stops(wanted)
  local breakpoint, list = breakpoints.new(1, "a.lua", 7, wanted), {}
  for i = 1, 10 do
    list[#list + 1] = breakpoint:reach { i = i } and i or nil
  end
  return list, breakpoint
end

describe("a breakpoint", function()
  it("stops each time, or where its condition is true", function()
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, (stops {}))
    assert.same({ 4, 8 }, (stops { condition = "i % 4 == 0" }))
  end)

  it("counts its hits, of those where the condition is true", function()
    assert.same({ 3 }, (stops { hitCondition = "3" }))
    assert.same({ 3 }, (stops { hitCondition = " == 3 " }))
    assert.same({ 9, 10 }, (stops { hitCondition = ">= 9" }))
    assert.same({ 1, 2 }, (stops { hitCondition = "<3" }))
    assert.same({ 4, 8 }, (stops { hitCondition = "% 4" }))
    assert.same({ 6 }, (stops { hitCondition = "3", condition = "i % 2 == 0" }))
    assert.same({}, (stops { hitCondition = "%0" }))
  end)

  it("is not verified when what it is to compute cannot be", function()
    local list, breakpoint = stops { condition = "i ==" }
    assert.same({}, list)
    assert.is_false(breakpoint.verified)
    assert.matches("unexpected symbol", breakpoint.message)
    list, breakpoint = stops { hitCondition = "often" }
    assert.same({}, list)
    assert.matches("hit count 'often'", breakpoint.message)
  end)

  it("says once that its condition fails, and does not stop", function()
    local breakpoint = breakpoints.new(1, "a.lua", 7, { condition = "x.y" })
    local stopped, text = breakpoint:reach {}
    assert.is_false(stopped)
    assert.matches("the condition of line 7 failed: .*attempt to index a nil value", text)
    assert.same({ false }, { breakpoint:reach {} })
  end)

  it("with a text writes it, and does not stop", function()
    local breakpoint = breakpoints.new(1, "a.lua", 7, { logMessage = "i={i} {i * 2} {nothing.x} {} x" })
    local stopped, text = breakpoint:reach { i = 4 }
    assert.is_false(stopped)
    assert.matches("^i=4 8 {error: .*nil value.*} nil x$", text)
  end)

  it("writes of what cannot be text, and of what fails with that, a question mark", function()
    local hostile = setmetatable({}, { __tostring = error })
    local breakpoint = breakpoints.new(1, "a.lua", 7, { logMessage = "{x} {fail(x)} {" })
    assert.same({ false, "? {error: ?} {" }, { breakpoint:reach { x = hostile, fail = function(e) error(e) end } })
  end)
end)
