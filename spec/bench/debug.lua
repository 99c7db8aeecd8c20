--- What a debugger costs: a loop that calls a function, without one, with breakpoints elsewhere, in its own file, and
--- in the loop: with a condition that is false, one that looks at a variable, and a text to write.
-- usage: strobe debug.lua [COUNT]
local async = require "strobe.async"
local debuggers = require "strobe.debug.debugger"
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local count = tonumber(arg[1] or 1000000)

local here, elsewhere = os.tmpname(), os.tmpname()
local file = assert(io.open(here, "w"))
file:write [[
local function add(a, b)
  return a + b
end
local sum = 0
for i = 1, ... do
  sum = add(sum, i)
end
if sum < 0 then
  error "no sum"
end]]
file:close()
file = assert(io.open(elsewhere, "w"))
file:write "return 1\n"
file:close()
local loop = assert(loadfile(here))

local function run(name, times)
  local seconds = measure.best(function()
    async.create_task(loop, times):await()
  end)
  measure.result(name, seconds / times * 1e9, "ns")
end

run("without_ns", count)
local debugger <close> = debuggers.open(function() end)
run("open_ns", count)
debugger:set_breakpoints(elsewhere, { { line = 1 } })
run("elsewhere_ns", count)
debugger:set_breakpoints(here, { { line = 9 } })
run("same_file_ns", count)
debugger:set_breakpoints(here, { { line = 6, condition = "false" } })
run("condition_ns", count // 100)
debugger:set_breakpoints(here, { { line = 6, condition = "i < 0 and sum" } })
run("variable_ns", count // 100)
debugger:set_breakpoints(here, { { line = 6, logMessage = "i is {i}" } })
run("text_ns", count // 100)
os.remove(here)
os.remove(elsewhere)
