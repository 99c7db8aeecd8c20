--- Lines of standard input: reads all COUNT of them, by async.stdin or, BLOCKING, by io.lines.
-- usage: strobe stdin.lua pipe|file COUNT [blocking] <INPUT
local async = require "strobe.async"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local kind, expected, style = arg[1], tonumber(arg[2]), arg[3]
local wall_start, cpu_start = async.time(), os.clock()
local lines, bytes = 0, 0
for line in style == "blocking" and io.lines() or async.stdin:lines() do
  lines, bytes = lines + 1, bytes + #line
end
assert(lines == expected and bytes > 0, "lines are missing")
measure.result(kind .. "_lines_per_s", lines / (async.time() - wall_start), "lines/s")
measure.result(kind .. "_lines_per_cpu_s", lines / (os.clock() - cpu_start), "lines/cpu-s")
