--- Who waits for whom: call graphs, as in asyncio of Python 3.14, and the tree of all tasks.
--
-- A graph holds the tasks it tells of only as long as you hold it. Everything is walked without recursion,
-- and every task is told once: chains may be of any length, and waits may go in circles.

local inspect = require "strobe.core.inspect"
local mistake = require "strobe.mistake"
local report = require "strobe.report"
local stack = require "strobe.async.stack"
local task = require "strobe.core.task"
local waiting = require "strobe.async.waiting"

---@class strobe.FrameCallGraphEntry : strobe.Frame

---@class strobe.FutureCallGraph
---@field future strobe.Future
---@field call_stack strobe.FrameCallGraphEntry[] the innermost frame first
---@field awaited_by strobe.FutureCallGraph[]
---@field again? "cycle"|"seen" it waits for itself, or was told elsewhere: its own awaited_by is left out

local graph = {}

-- Lines are indented no deeper than that; their level is written then.
local MOST_INDENT = 30

-- `limit` as in asyncio: the innermost frames, or, below 0, the outermost ones.
local function limited(frames, limit)
  if not limit or math.abs(limit) >= #frames then
    return frames
  elseif limit >= 0 then
    return table.move(frames, 1, limit, 1, {})
  end
  return table.move(frames, #frames + limit + 1, #frames, 1, {})
end

local function node_of(future, options)
  local frames = {}
  if waiting.is_task(future) then
    frames = stack.of(future)
    if future == task.current() then
      frames = table.move(frames, math.max(options.depth or 1, 1), #frames, 1, {})
    end
  end
  return { future = future, call_stack = limited(frames, options.limit), awaited_by = {} }
end

-- Walks from a future along `nexts(future)`, which is asked once for each. `enter(future, row, again, rows)`
-- makes the node of a row; the last of the rows, which lead there, is `row`. Those in `done` are not entered.
local function walk(root, nexts, enter, done)
  local path = { [root] = true }
  local rows = { { future = root, node = enter(root, nil), list = nexts(root), i = 0 } }
  while #rows > 0 do
    local row = rows[#rows]
    row.i = row.i + 1
    local future = row.list[row.i]
    if not future then
      path[row.future], done[row.future] = nil, true
      rows[#rows] = nil
    elseif path[future] or done[future] then
      enter(future, row, path[future] and "cycle" or "seen", rows)
    else
      path[future] = true
      rows[#rows + 1] = { future = future, node = enter(future, row), list = nexts(future), i = 0 }
    end
  end
end

local function check_options(name, future, options)
  if future ~= nil and not require("strobe.core.future").is(future) then
    error(("%s: a Future, a Task or nil expected, got %s"):format(name, tostring(future)), 3)
  end
  options = options or {}
  if type(options) ~= "table" then
    error(("%s: options expected as a table, as in {limit = 3}, got %s"):format(name, tostring(options)), 3)
  end
  for _, option in ipairs { "depth", "limit" } do
    local value = options[option]
    if value ~= nil and math.type(value) ~= "integer" then
      error(("%s: %s has to be a whole number, not %s"):format(name, option, tostring(value)), 3)
    end
  end
  return future or task.current(), options
end

local function capture(future, options)
  local root
  walk(future, waiting.waiters(), function(each, row, again)
    local node = node_of(each, options)
    node.again = again
    if row then
      table.insert(row.node.awaited_by, node)
    else
      root = node
    end
    return node
  end, {})
  return root
end

--- The call stack of a future or task, and of all who wait for it: directly, through gather, wait, shield,
--- a TaskGroup, or for a Lock that it holds. asyncio.capture_call_graph
---
--- `depth` leaves out so many frames less one of the task that runs; `limit` keeps the innermost frames of
--- each stack, below 0 the outermost ones.
---@param future? strobe.Future by default the task that runs; nil in a callback
---@param options? {depth?: integer, limit?: integer}
---@return strobe.FutureCallGraph?
function graph.capture_call_graph(future, options)
  future, options = check_options("capture_call_graph", future, options)
  return future and capture(future, options)
end

local function title(future)
  if waiting.is_task(future) then
    return ("* Task(name='%s', id=%d)"):format(stack.printable(future:get_name()), inspect.id(future))
  end
  return ("* Future(id=%s)"):format(("%p"):format(future))
end

local notes = { cycle = " (a cycle: see above)", seen = " (see above)" }

local function node_lines(lines, node, level)
  local indent = ("    "):rep(math.min(level, MOST_INDENT))
  if level > MOST_INDENT then
    indent = ("%s(level %d) "):format(indent, level)
  end
  lines[#lines + 1] = indent .. title(node.future) .. (notes[node.again] or "")
  if node.again then
    return
  end
  if #node.call_stack > 0 then
    lines[#lines + 1] = indent .. "  + Call stack:"
    for _, frame in ipairs(node.call_stack) do
      local file, name = stack.printable(frame.file), stack.name_of(frame)
      lines[#lines + 1] = ("%s  |   File '%s', line %d, in %s"):format(indent, file, frame.line, name)
    end
  end
  local created = waiting.is_task(node.future) and node.future:get_detail "created_by"
  if created then
    lines[#lines + 1] = indent .. "  + Created at:"
    for _, line in ipairs(report.user_lines(created)) do
      lines[#lines + 1] = indent .. "  |   " .. stack.printable(line:match "^%s*(.*)")
    end
  end
  if #node.awaited_by > 0 then
    lines[#lines + 1] = indent .. "  + Awaited by:"
  end
end

local function format(root)
  local lines, rows = {}, { { node = root, level = 0 } }
  while #rows > 0 do
    local row = table.remove(rows)
    node_lines(lines, row.node, row.level)
    local awaited_by = row.node.awaited_by
    for i = #awaited_by, 1, -1 do
      rows[#rows + 1] = { node = awaited_by[i], level = row.level + 1 }
    end
  end
  return table.concat(lines, "\n")
end

--- The call graph as text. asyncio.format_call_graph
---@param future? strobe.Future by default the task that runs
---@param options? {depth?: integer, limit?: integer} see capture_call_graph
---@return string text "" in a callback
function graph.format_call_graph(future, options)
  future, options = check_options("format_call_graph", future, options)
  return future and format(capture(future, options)) or ""
end

--- Prints the call graph. asyncio.print_call_graph
---@param future? strobe.Future by default the task that runs
---@param options? {file?: file*, depth?: integer, limit?: integer} file: by default io.stdout
function graph.print_call_graph(future, options)
  future, options = check_options("print_call_graph", future, options)
  if future then
    (options.file or io.stdout):write(format(capture(future, options)), "\n")
  end
end

-- --- The tree of all tasks ----------------------------------------------------------------------

local function no_rest() end

-- What each task waits for, as lists of Tasks and Futures; and those for which nobody waits.
local function awaited(rest)
  local waiters, children, is_child, queue = waiting.waiters(), {}, {}, task.all()
  local queued, i = {}, 0
  for _, t in ipairs(queue) do
    queued[t] = true
  end
  local roots = queue
  while i < #queue do
    i = i + 1
    rest()
    for _, who in ipairs(waiters(queue[i])) do
      children[who] = children[who] or {}
      table.insert(children[who], queue[i])
      is_child[queue[i]] = true
      if not queued[who] then
        queued[who] = true
        queue[#queue + 1] = who
      end
    end
  end
  return children, is_child, roots
end

local function tree_line(future, again)
  if not waiting.is_task(future) then
    return ("(F) %s%s"):format(stack.printable(tostring(future)), notes[again] or "")
  end
  local line = "(T) " .. stack.printable(future:get_name())
  if again then
    return line .. notes[again]
  end
  local frame = stack.of(future, 1)[1]
  return ("%s: %s%s"):format(line, waiting.text(future), frame and " at " .. stack.place(frame) or "")
end

local none = {}

local function add_tree(lines, root, children, done, rest)
  walk(root, function(future)
    rest()
    return children[future] or none
  end, function(future, row, again)
    local level = row and row.node.level + 1 or 0
    local last = not row or row.i == #row.list
    local lead = row and row.node.lead or ""
    local mark = level > MOST_INDENT and ("(level %d) "):format(level) or last and "└── " or "├── "
    lines[#lines + 1] = lead .. mark .. tree_line(future, again)
    return { level = level, lead = level >= MOST_INDENT and lead or lead .. (last and "    " or "│   ") }
  end, done)
end

--- All tasks as a tree, as text: below each those it waits for, and what it does and where. Waits that go
--- in a circle are marked. What `python -m asyncio pstree` prints
---@param rest? fun() is called for each task: it may wait, so that others get their turn
---@return string
function graph.format_task_tree(rest)
  rest = mistake.expect("format_task_tree", "rest", "function", rest or no_rest)
  local children, is_child, tasks = awaited(rest)
  local lines, told = {}, {}
  for _, t in ipairs(tasks) do
    if not is_child[t] then
      add_tree(lines, t, children, told, rest)
    end
  end
  for _, t in ipairs(tasks) do -- what is left waits in circles
    if not told[t] then
      add_tree(lines, t, children, told, rest)
    end
  end
  return table.concat(lines, "\n")
end

--- Prints the tree of all tasks, see format_task_tree.
---@param options? {file?: file*} by default io.stdout
function graph.print_task_tree(options)
  options = mistake.options("print_task_tree", options);
  (options.file or io.stdout):write(graph.format_task_tree(), "\n")
end

-- The tasks of the rows from that future on.
local function circle(future, rows)
  local tasks, inside = {}, false
  for _, row in ipairs(rows) do
    inside = inside or row.future == future
    tasks[#tasks + 1] = inside and waiting.is_task(row.future) and row.future or nil
  end
  return tasks
end

--- The circles in which tasks wait for each other, for ever: lists of tasks, each of which waits for the next,
--- and the last for the first.
---@param rest? fun() is called for each task: it may wait, so that others get their turn
---@return strobe.Task[][]
function graph.cycles(rest)
  rest = rest or no_rest
  local children, _, tasks = awaited(rest)
  local found, done = {}, {}
  for _, root in ipairs(tasks) do
    if not done[root] then
      walk(root, function(future)
        rest()
        return children[future] or none
      end, function(future, _, again, rows)
        found[#found + 1] = again == "cycle" and circle(future, rows) or nil
      end, done)
    end
  end
  return found
end

--- The records of the last 100 tasks that ended, the newest first: how, when, and of failed ones the trace.
---@return strobe.TaskRecord[]
function graph.ended_tasks()
  return inspect.ended()
end

return graph
