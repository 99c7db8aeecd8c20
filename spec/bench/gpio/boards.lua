--- Boards as scripts see them, through strobe.gpio: edges to a callback, and to a waiting task; a trace. The board is
-- paused and stepped, so it goes as fast as it can.
-- usage: strobe boards.lua [COUNT]      edges of each, changes in the trace
local async = require "strobe.async"
local gpio = require "strobe.gpio"
local measure = dofile((arg[0]:match("^.*/") or "") .. "../measure.lua")

local HALF = 1e-6 -- seconds from one edge to the next
local count = tonumber(arg[1] or 500000)

-- A board that stands still, an input on it, and what makes that change every microsecond.
local function board_with_clock()
  local board = gpio.board { name = "bench", pins = { "clock", "sense" }, paused = true }
  local clock = assert(board:line("clock", { direction = "output" }))
  local sense = assert(board:line("sense", { direction = "input" }))
  board:wire("clock", "sense")
  return board, sense, function() assert(clock:pwm(0.5 / HALF, 0.5)) end
end

local function report(name, unit, board, wind)
  async.sleep(0)
  wind()
  measure.result(name, count / measure.best(function() assert(board:step(count * HALF)) end), unit)
end

local function to_callback()
  local board <close>, sense, wind = board_with_clock()
  local seen = 0
  sense:on_edge("both", function(value) seen = seen + value end)
  report("board_callback_edges_per_s", "edges/s", board, wind)
  assert(seen >= count * 3 - 1)
end

local function to_task()
  local board, sense, wind = board_with_clock()
  local seen = 0
  local task = async.create_task(function()
    for event in sense:edges "both" do seen = seen + event.value end
  end)
  report("board_task_edges_per_s", "edges/s", board, wind)
  assert(seen >= count * 3 - 1)
  task:cancel()
  async.wait { task }
  board:close()
end

local function to_trace()
  local board <close>, _, wind = board_with_clock()
  local trace <close> = assert(board:trace("/dev/null", { reals = false }))
  report("board_vcd_changes_per_s", "changes/s", board, wind)
  assert(trace:counters().changes >= count * 6 - 2) -- the first is where it begins, the last may not be written yet
end

to_callback()
to_task()
to_trace()
