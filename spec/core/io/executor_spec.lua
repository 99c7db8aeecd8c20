local program = require "spec.support.program"

-- Every so many allocations of the main state; the whole sweep is `build/release/allocation_test
-- spec/core/io/executor_program.lua`.
local EVERY = 31

local function sweep(in_a_row)
  local output, status = program.run("allocation_test", "spec/core/io/executor_program.lua", EVERY, in_a_row)
  assert.equal(0, status, output)
  local runs = tonumber(output:match "(%d+) runs, 0 bad\n$")
  assert.is_true(runs > 50, output)
end

describe("executors", function()
  it("come to their end when an allocation fails, whichever", function()
    sweep(2)
  end)

  it("come to their end when memory is short for a while", function()
    sweep(5)
  end)
end)
