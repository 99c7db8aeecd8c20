local sample = require "spec.support.vcd_sample"
local terminal = require "strobe.vcd.terminal"
local vcd = require "strobe.vcd"

local trace, pwm = sample.trace(), sample.pwm

describe("a diagram in the terminal", function()
  it("is one line for each signal", function()
    local lines = {
      "            ╵0",
      "board.led   ▁▁▁▁▁▁▁▔▔▔▔▔▔▔▁▁▁▁▁▁▁▔▔▔▔▔▔▔",
      "board.sda   ───────▁▁▁▁▁▁▁░░░░░░░▔▔▔▔▔▔▔",
      "board.bus   |x     |0F    |z     |00    ",
      "board.level ▃▃▃▃▃▃▃▇▇▇▇▇▇▇▁▁▁▁▁▁▁▁▁▁▁▁▁▁",
      "board.state |      |<on&off>            ",
      "board.irq          ↑             ↑      ",
    }
    assert.equal(table.concat(lines, "\n") .. "\n", terminal.text(trace, { width = 40 }))
  end)

  it("marks what changes more often than a column shows", function()
    assert.matches("█", assert(terminal.text(pwm(), { width = 60 })))
  end)

  it("cuts names and labels that are too long", function()
    local long = assert(vcd.read("$scope module a_rather_long_scope $end $var string 0 % and_a_long_name $end "
      .. "$upscope $end $enddefinitions $end #0 sa\\040long\\040label %\n#10 sx %\n#40\n"))
    assert.equal("                     ╵0\na_rather_long_scope… |a l…|x             \n",
      terminal.text(long, { width = 40 }))
  end)

  it("is as wide as it is told, but for what has to be", function()
    for _, width in ipairs { 1, 20, 60, 200 } do
      for line in assert(terminal.text(trace, { width = width })):gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= math.max(width, 34), line)
      end
    end
  end)
end)
