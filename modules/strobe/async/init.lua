--- strobe.async: Python's asyncio, for Lua. Same names, same meaning; where Python writes
-- `await f(x)`, Lua writes `f(x)`.
--
-- The parts are loaded when first used, so a script pays for what it needs.

---@class strobe.async
local async = {}

local homes = {
  coroutine = { "fn", "await", "is_awaitable" },
  task = {
    "all_tasks", "as_completed", "create_task", "current_task", "ensure_future", "gather", "run",
    "shield", "wait",
  },
  timeout = { "move_on_after", "timeout", "timeout_at", "wait_for" },
  taskgroup = { "TaskGroup" },
  time = { "sleep", "sleep_until", "time", "wall_time" },
  future = { "Future" },
  lock = { "Lock" },
  event = { "Event" },
  condition = { "Condition" },
  semaphore = { "BoundedSemaphore", "Semaphore" },
  barrier = { "Barrier" },
  queue = { "LifoQueue", "PriorityQueue", "Queue" },
  channel = { "Channel" },
  generator = { "generator" },
  iter = { "iter" },
  timer = { "every", "timer" },
  loop = { "get_debug", "get_running_loop", "set_debug" },
  graph = {
    "capture_call_graph", "ended_tasks", "format_call_graph", "format_task_tree", "print_call_graph",
    "print_task_tree",
  },
  trace = { "trace" },
  context = { "Context", "ContextVar", "copy_context" },
  fs = { "fs" },
  subprocess = { "create_subprocess_exec", "create_subprocess_shell", "subprocess" },
  standard = { "connect_read_pipe", "connect_write_pipe", "stderr", "stdin", "stdout" },
  executor = { "ThreadPoolExecutor", "to_thread" },
  streams = {
    "StreamReader", "StreamWriter", "open_connection", "open_unix_connection", "start_server",
    "start_unix_server",
  },
  error = {
    "BrokenBarrierError", "BrokenThreadPool", "CancelledError", "ConnectionError", "DeadlockError", "EOFError",
    "Error", "ExceptionGroup", "GeneratorExit", "IncompleteReadError", "Interrupted", "InvalidStateError",
    "LimitOverrunError", "QueueEmpty", "QueueFull", "QueueShutDown", "TimeoutError", "UnicodeDecodeError", "is",
  },
}

-- Names that stand for a whole module: async.fs.open, …
local is_submodule = { fs = true, subprocess = true, trace = true }

local home_of = {}
for home, names in pairs(homes) do
  for _, name in ipairs(names) do
    home_of[name] = home
  end
end

--- For wait: it returns when one has ended. asyncio.FIRST_COMPLETED
async.FIRST_COMPLETED = "FIRST_COMPLETED"
--- For wait: it returns when one has failed, or all have ended. asyncio.FIRST_EXCEPTION
async.FIRST_EXCEPTION = "FIRST_EXCEPTION"
--- For wait, the default: it returns when all have ended. asyncio.ALL_COMPLETED
async.ALL_COMPLETED = "ALL_COMPLETED"

local function load_home(home)
  local module = require("strobe.async." .. home)
  for _, name in ipairs(homes[home]) do
    if rawget(async, name) == nil then -- else somebody put something else in its place
      async[name] = is_submodule[name] and module or module[name]
    end
  end
end

return setmetatable(async, {
  __index = function(_, name)
    local home = home_of[name]
    if not home then
      return nil
    end
    load_home(home)
    return rawget(async, name)
  end,
  __pairs = function()
    for home in pairs(homes) do
      load_home(home)
    end
    return next, async
  end,
})
