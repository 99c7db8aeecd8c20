-- A request is cancelled, its update goes on: shield.
-- In Python: `await asyncio.shield(update_db(…))` in a handler; the web framework cancels it when the client goes away.
-- Here it is the same; the update is a task of its own, which somebody holds on to and waits for before the end.

local async = require "strobe.async"

local start = async.time()

local function say(text, ...)
  print(("%3.1f s  " .. text):format(async.time() - start, ...))
end

local accounts = { ada = 100, grace = 0 }

-- Two steps, of which one without the other would be wrong.
local function transfer(from, to, amount)
  accounts[from] = accounts[from] - amount
  say("update: %d taken from %s", amount, from)
  async.sleep(2)
  accounts[to] = accounts[to] + amount
  say("update: %d given to %s", amount, to)
end

-- Updates that are under way: who ends the program waits for them.
local updates = {}

local function shielded(f, ...)
  local task = async.create_task(f, ...)
  updates[task] = true
  task:add_done_callback(function()
    updates[task] = nil
  end)
  return async.shield(task)
end

local function handle(request)
  say("handler: %s", request)
  -- Python's `try … finally`.
  local cleanup <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      say("handler: ends%s", e and " by " .. e.name or "")
    end,
  })
  shielded(transfer, "ada", "grace", 40):await()
  say "handler: 200 OK"
end

local function drain()
  local left = {}
  for task in pairs(updates) do
    left[#left + 1] = task
  end
  say("%d update under way", #left)
  if #left > 0 then
    async.wait(left)
  end
end

local request = async.create_task(handle, "POST /transfer")
async.sleep(1)
say "the client goes away: its handler is cancelled"
request:cancel "client disconnected"
async.wait { request }
say("handler cancelled: %s; ada has %d, grace %d", request:cancelled(), accounts.ada, accounts.grace)

drain()
say("ada has %d, grace %d: %d in all", accounts.ada, accounts.grace, accounts.ada + accounts.grace)
