--- Edges in Lua, through the binding alone: to a callback, to a waiting task, back and forth between two
-- tasks, to 1,000 tasks of components; and a divider chain whose flip-flops are callbacks. The board is paused and
-- stepped, so it goes as fast as it can.
-- usage: strobe edges.lua [COUNT]      edges of each
local async = require "strobe.async"
local gpio = require "strobe.core.gpio"
local measure = dofile((arg[0]:match("^.*/") or "") .. "../measure.lua")

local STEP = 1000 -- ns from one edge to the next
local TASKS, STAGES = 1000, 16
local count = tonumber(arg[1] or 500000)

-- An output of a part, wired to an input of another.
local function pair(board, name)
  local output, input = board:component(name, "out"), board:component(name .. "_in", "pin")
  assert(output:configure { direction = "output" })
  assert(output:connect(input))
  return output, input
end

-- A board that stands still, and a clock on it that changes at each STEP once it is wound up.
local function board_with_clock()
  local board = gpio.board {}
  board:pause()
  local clock, input = pair(board, "clock")
  return board, input, function() assert(clock:pwm(2 * STEP, STEP)) end
end

-- Winds the clock up once all tasks wait for it; then the edges of each `work` are counted.
local function report(name, edges, wind, work)
  async.sleep(0)
  wind()
  measure.result(name, edges / measure.best(work), "edges/s")
end

local function to_callback()
  local board, input, wind = board_with_clock()
  local seen = 0
  board:subscribe({ input }, "both", nil, function() seen = seen + 1 end)
  report("callback_edges_per_s", count, wind, function() assert(board:step(count * STEP)) end)
  assert(seen >= count * 6)
  board:close()
end

local function to_task()
  local board, input, wind = board_with_clock()
  local edges, seen = board:subscribe({ input }, "both"), 0
  local task = async.create_task(function()
    while edges:wait() do seen = seen + 1 end
  end)
  report("task_edges_per_s", count, wind, function() assert(board:step(count * STEP)) end)
  assert(seen >= count * 6 - 1 and edges:overruns() == 0)
  board:close()
  task:await()
end

-- Sets the line to the opposite of each value that comes, or to the same.
local function answer(edges, line, inverts)
  local value = edges:wait()
  while value do
    line:set(inverts and 1 - value or value)
    value = edges:wait()
  end
end

-- Two tasks, each of which answers the edges of the other's line a step later.
local function to_and_fro()
  local board = gpio.board {}
  board:pause()
  local ping, ping_seen = pair(board, "ping")
  local pong, pong_seen = pair(board, "pong")
  assert(ping:configure { delay = STEP } and pong:configure { delay = STEP })
  local pings, pongs = board:subscribe({ ping_seen }, "both"), board:subscribe({ pong_seen }, "both")
  local tasks = { async.create_task(answer, pings, pong, false), async.create_task(answer, pongs, ping, true) }
  assert(board:step(0))
  report("answered_edges_per_s", count, function() ping:set(1) end, function() assert(board:step(count * STEP)) end)
  assert(board:stats().changes >= count * 6)
  board:close()
  async.gather(table.unpack(tasks))
end

-- Parts that all wait for one clock, and answer on a line of their own.
local function to_components()
  local board, input, wind = board_with_clock()
  local tasks = {}
  for i = 1, TASKS do
    local sense, out = board:component("part" .. i, "sense", "out")
    assert(out:configure { direction = "output" })
    assert(sense:connect(input))
    local edges = board:subscribe({ sense }, "both")
    tasks[i] = async.create_task(answer, edges, out, false)
  end
  local steps = count // TASKS
  report("tasks_1000_edges_per_s", steps * TASKS, wind, function() assert(board:step(steps * STEP)) end)
  assert(board:stats().changes >= steps * 6 * TASKS)
  board:close()
  async.gather(table.unpack(tasks))
end

-- Flip-flops in a row, each of which toggles when the one before it falls.
local function divider()
  local board, input, wind = board_with_clock()
  for i = 1, STAGES do
    local q, next_input = pair(board, "q" .. i)
    local high = 0
    board:subscribe({ input }, "falling", nil, function()
      high = 1 - high
      q:set(high)
    end)
    input = next_input
  end
  wind()
  local before = board:stats().changes
  local wall = measure.best(function() assert(board:step(count // 2 * STEP)) end)
  measure.result("lua_divider_changes_per_s", (board:stats().changes - before) / 6 / wall, "changes/s")
  board:close()
end

to_callback()
to_task()
to_and_fro()
to_components()
divider()
