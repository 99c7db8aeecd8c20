local program = require("strobe.core.host").program

-- Every so many allocations; the whole sweep is `build/release/allocation_test
-- spec/core/host/allocation_program.lua`.
local EVERY = 13

local function sweep(in_a_row)
  local path = program:gsub("[^/]*$", "") .. "allocation_test"
  local file = io.open(path)
  if not file then
    pending "allocation_test is not built: ninja allocation_test"
    return
  end
  file:close()
  local command = "timeout 100 '%s' spec/core/host/allocation_program.lua %d %d 2>&1"
  local pipe = assert(io.popen(command:format(path, EVERY, in_a_row)))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
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
