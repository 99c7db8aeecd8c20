--- Traces to draw: one of each kind of variable, and one that changes faster than a picture shows.

local vcd = require "strobe.vcd"

local sample = {}

sample.text = [[
$timescale 1 us $end
$scope module board $end
$var wire 1 ! led $end $var wire 1 " sda $end $var wire 8 # bus [7:0] $end
$var real 64 $ level $end $var string 0 % state $end $var event 1 & irq $end
$upscope $end $enddefinitions $end
#0 $dumpvars 0! z" bxxxxxxxx # r0 $ s % $end
#10 1! 0" b00001111 # r1.5 $ s<on&off> % 1&
#20 0! x" bz # r-1 $
#30 1! 1" b0 # 1&
#40
]]

--- That text, read.
---@return strobe.vcd.Trace
function sample.trace()
  return assert(vcd.read(sample.text))
end

--- 10,000 edges, each 100 us after the one before.
---@return strobe.vcd.Trace
function sample.pwm()
  local parts = { "$timescale 1 us $end $var wire 1 ! pwm $end $enddefinitions $end" }
  for i = 0, 9999 do
    parts[#parts + 1] = ("#%d %d!"):format(i * 100, i % 2)
  end
  return assert(vcd.read(table.concat(parts, "\n") .. "\n#1000000\n"))
end

return sample
