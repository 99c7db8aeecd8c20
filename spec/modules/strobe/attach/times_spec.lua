local inspect = require "strobe.core.inspect"
local times = require "strobe.attach.times"

describe("the time that tasks take", function()
  it("is measured as long as somebody wants to know", function()
    local one, two = times.hold(), times.hold()
    one()
    one()
    assert.is_true(inspect.times())
    two()
    assert.is_false(inspect.times())
  end)

  it("is measured on when it was before", function()
    inspect.times(true)
    times.hold()()
    local was = inspect.times()
    inspect.times(false)
    assert.is_true(was)
  end)
end)
