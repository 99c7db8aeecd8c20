-- Waiting for several: gather, its return_exceptions, wait until the first, as_completed, wait_for.
-- In Python: `await asyncio.gather(…)`, `done, pending = await asyncio.wait(…)`, `for f in asyncio.as_completed(…)`.
-- Here gather returns several values (a list when given a list), and an error is caught by pcall where Python has try.

local async = require "strobe.async"

local start

local function say(text, ...)
  print(("%4.1f s  " .. text):format(async.time() - start, ...))
end

local function lesson(title, f)
  print("-- " .. title)
  start = async.time()
  f()
end

-- A page that takes a while; the third one is broken.
local fetch = async.fn(function(page, seconds)
  async.sleep(seconds)
  if page == "c" then
    error("page c is broken", 0)
  end
  return "page " .. page
end)

local function names(tasks)
  local list = {}
  for i, task in ipairs(tasks) do
    list[i] = task:get_name()
  end
  table.sort(list)
  return table.concat(list, ", ")
end

-- Tasks, because async.wait takes no coroutine objects (nor does Python's, since 3.11).
local function three_tasks()
  local tasks = {}
  for i, page in ipairs { "a", "b", "c" } do
    tasks[i] = async.create_task(fetch(page, i))
    tasks[i]:set_name(page)
  end
  return tasks
end

lesson("gather: all at once, results in the order of the arguments", function()
  local first, second = async.gather(fetch("b", 2), fetch("a", 1))
  say("%s, %s", first, second)
end)

lesson("gather with an error: it is raised at once, and cancels nothing", function()
  local slow = async.create_task(fetch("slow", 5))
  local ok, e = pcall(async.gather, slow, fetch("c", 1))
  say("%s: %s; the other goes on: %s", ok, e, not slow:done())
  say("%s", slow:await())
end)

lesson("gather with return_exceptions: errors are results", function()
  local results = async.gather({ fetch("a", 1), fetch("c", 2), fetch("b", 3) }, { return_exceptions = true })
  say("%s | %s | %s", table.unpack(results, 1, results.n))
end)

lesson("wait: until the first has ended", function()
  local tasks = three_tasks()
  local done, pending = async.wait(tasks, { return_when = async.FIRST_COMPLETED })
  say("done: %s; pending: %s", names(done), names(pending))
  done, pending = async.wait(tasks, { return_when = async.FIRST_EXCEPTION })
  say("done: %s; pending: %d; c failed: %s", names(done), #pending, tasks[3]:exception())
end)

lesson("wait with a timeout: it raises nothing and cancels nothing", function()
  local task = async.create_task(fetch("late", 3))
  local done, pending = async.wait({ task }, { timeout = 1 })
  say("done: %d; pending: %d", #done, #pending)
  say("%s", task:await())
end)

lesson("as_completed: in the order in which they end", function()
  for future in async.as_completed { fetch("slow", 3), fetch("quick", 1), fetch("middling", 2) } do
    say("%s", future:result())
  end
end)

lesson("wait_for: no longer than that, then it is cancelled", function()
  local task = async.create_task(fetch("late", 3))
  local ok, e = pcall(async.wait_for, task, 1)
  say("%s: %s; cancelled: %s", ok, e.name, task:cancelled())
end)

lesson("move_on_after: the same without an error", function()
  say("%s, %s", async.move_on_after(1, async.sleep, 3))
end)
