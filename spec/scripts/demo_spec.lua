local child = require "spec.support.child"

local program = require("strobe.core.host").program

describe("the script demo", function()
  -- Under the virtual clock time jumps to the next tick or poll: few of them are soon over.
  local function demo(...)
    return child.spawn(program, { "--clock=virtual", "run", "demo", ... })
  end

  it("shows about a line a second, and that all that was sent was received", function()
    local process <close> = demo("--seconds", "3", "--rate", "20")
    assert.equal(0, process:wait())
    assert.matches("A feed of 20 ticks a second on port %d+;", process.output.stdout)
    local lines = select(2, process.output.stdout:gsub("demo_btc +%d+ ticks[^\n]+/s\n", ""))
    assert.is_true(lines >= 2 and lines <= 4)
    assert.matches("\nsent 60, received 60, dropped 0: received = sent\n$", process.output.stdout)
    assert.equal("", process:complaints())
  end)

  it("refuses what it does not know", function()
    local process <close> = demo "--fast"
    assert.equal(2, process:wait())
    assert.matches("unknown option %-%-fast", process.output.stderr)
  end)
end)
