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
    local slice, began = Slice.new(), time.real()
    local limit = began + 0.06
    while time.real() < limit do
      slice:rest()
    end
    other:cancel()
    assert.is_true(turns >= 1 and turns <= 13, turns)
  end)
end)
