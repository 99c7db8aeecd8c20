local program = require "spec.support.program"

-- Every so many allocations; the whole sweep is `build/release/allocation_test
-- spec/core/host/allocation_program.lua`.
local EVERY = 13

local function sweep(in_a_row)
  local output, status = program.run("allocation_test", "spec/core/host/allocation_program.lua", EVERY, in_a_row)
  assert.equal(0, status, output)
  local runs = tonumber(output:match "(%d+) runs, 0 bad\n$")
  assert.is_true(runs > 100, output)
end

describe("the host", function()
  it("comes to its end when an allocation fails, whichever", function()
    sweep(2)
  end)

  it("comes to its end when memory is short for a while", function()
    sweep(5)
  end)
end)
