-- Tasks in four lessons: one after another, three at once, gather, and a time-out.
-- In Python each function is `async def` and each wait an `await`; here a call waits.
-- Run it: strobe examples/tasks.lua, or in no time at all: strobe --clock=virtual …

local async = require "strobe.async"

local start

local function say(text, ...)
  print(("%4.1f s  " .. text):format(async.time() - start, ...))
end

-- Waits twice, and returns how long that took.
local lets_wait = async.fn(function(seconds)
  local began = async.time()
  say("Waiting for %g", seconds)
  async.sleep(seconds)
  say("Waited for %g", seconds)
  async.sleep(seconds)
  say("Waited for %g", seconds)
  return async.time() - began
end)

local function lesson(title, f)
  print("-- " .. title)
  start = async.time()
  f()
end

local function main()
  lesson("one after another", function()
    async.await(lets_wait(2))
    async.await(lets_wait(1))
  end)

  lesson("three tasks", function()
    local tasks = {}
    for i, seconds in ipairs { 5, 10, 4 } do
      tasks[i] = async.create_task(lets_wait(seconds))
    end
    for _, task in ipairs(tasks) do
      task:await()
    end
  end)

  lesson("gather", function()
    local a, b, c, d = async.gather(lets_wait(2), lets_wait(1), lets_wait(4), lets_wait(3))
    say("gathered %g, %g, %g, %g", a, b, c, d)
  end)

  lesson("a job of 4 s, given 4 s", function()
    local ok, e = pcall(async.wait_for, lets_wait(4), 4)
    if not ok and async.is(e, async.TimeoutError) then
      say "Timeout"
    end
  end)
end

async.run(main)
