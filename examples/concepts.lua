-- The words of asyncio: coroutine object, task, future, awaitable, event loop; and a coroutine that nobody awaits.
-- In Python the call of an `async def` makes a coroutine object, and `await` runs it; without that nothing happens.
-- Here a plain function may wait when it is called; async.fn is for who wants the object, to hand it on or run later.

local async = require "strobe.async"

local start = async.time()

local function say(text, ...)
  print(("%3.1f s  " .. text):format(async.time() - start, ...))
end

local function greet(name, seconds)
  async.sleep(seconds or 1)
  return "hello, " .. name
end

print "-- a call waits: no await, no async"
say("%s", greet "Ada")

print "-- a coroutine object: a call that is put off"
local greeting = async.fn(greet)
local object = greeting "Grace"
say("nothing has run yet: %s", (tostring(object):gsub(" at 0x%x+", "")))
say("%s", async.await(object))
say("a second time: %s", select(2, pcall(async.await, object)))

print "-- a task: it runs beside us"
local task = async.create_task(greeting("Barbara", 2))
say("made; done: %s", task:done())
async.sleep(0.5)
say("we go on meanwhile; done: %s", task:done())
say("%s; done: %s", task:await(), task:done())

print "-- a future: an outcome that somebody sets by hand"
local loop = async.get_running_loop()
local future = async.Future()
loop:call_later(1, function()
  future:set_result("from a callback", 42) -- several results, as a function may return
end)
say("done: %s", future:done())
say("%s, %d", future:await())

print "-- an awaitable: all of these, and any object with __await"
local Tea = {
  __await = function(tea)
    async.sleep(tea.seconds)
    return tea.kind .. " tea"
  end,
}
local tea = setmetatable({ kind = "green", seconds = 2 }, Tea)
say("%s", async.await(tea))
say("a task is one: %s; a number is one: %s", async.is_awaitable(task), async.is_awaitable(42))

print "-- the event loop: callbacks and tasks take turns, first come first"
loop:call_soon(say, "a callback of the next turn")
async.create_task(say, "a task, which begins in the next turn")
say "this goes on until it waits"
async.sleep(0)
say "now both have run"

print "-- what is never awaited never runs; strobe says where it was made"
greeting "nobody"
collectgarbage()
