local sh = require("spec.support.shell").run

describe("examples/tick_batcher.lua", function()
  local function run()
    return sh "$S --clock=virtual examples/tick_batcher.lua"
  end

  it("reports each second, and counts every tick once", function()
    local output, status = run()
    assert.equal(0, status)
    local second, total = 0, 0
    for when, count in output:gmatch "(%d+) s: (%d+) ticks, volume %d+, vwap %d+%.%d%d\n" do
      second, total = second + 1, total + tonumber(count)
      assert.equal(second, tonumber(when))
    end
    assert.is_true(second >= 5)
    assert.equal(20, total)
    assert.matches("\n20 ticks in all\n$", output)
  end)

  it("prints the same each time it is run", function()
    assert.equal((run()), (run()))
  end)
end)
