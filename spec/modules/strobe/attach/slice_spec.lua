local Slice = require "strobe.attach.slice"
local async = require "strobe.async"
local time = require "strobe.core.time"

describe("a slice", function()
  it("lets others run when it has lasted for 5 ms", function()
    local turns = 0
    local other = async.create_task(function()
      while true do
        turns = turns + 1
        async.sleep(0)
      end
    end)
    local real, now, seen = time.real, 0, {}
    local kept <close> = setmetatable({}, { __close = function() time.real = real end }) -- luacheck: ignore kept
    time.real = function()
      return now
    end
    local slice = Slice.new()
    for i, at in ipairs { 0.004, 0.006, 0.006, 0.010, 0.0115, 10, 10 } do
      now = at
      slice:rest()
      seen[i] = turns
    end
    other:cancel()
    assert.same({ 0, 1, 1, 1, 2, 3, 3 }, seen)
  end)
end)
