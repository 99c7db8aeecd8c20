local DebugClient = require "spec.support.debug_client"
local async = require "strobe.async"

-- The numbers of all thread events of a kind so far.
local function told(client, reason)
  local set, count = {}, 0
  for _, message in ipairs(client.messages) do
    if message.event == "thread" and message.body.reason == reason then
      set[message.body.threadId], count = true, count + 1
    end
  end
  return set, count
end

-- A client that knows all threads there are now.
local function configured(files)
  local client = DebugClient.here(files or {})
  client:must "configurationDone"
  async.sleep(1)
  return client
end

describe("the threads of a debug session", function()
  it("are told when tasks begin, and when they have ended", function()
    local client <close> = configured { ["main.lua"] = "require('strobe.async').sleep(5)" }
    local task, thread = client:run "main.lua"
    repeat
      local event = client:event "thread"
    until event.threadId == thread and event.reason == "started"
    assert.is_nil(told(client, "exited")[thread])
    task:await()
    repeat
      local event = client:event "thread"
    until event.threadId == thread and event.reason == "exited"
  end)

  it("are told those that were there already, and none twice", function()
    local client <close> = DebugClient.here { ["main.lua"] = "require('strobe.async').sleep(5)" }
    local _, first = client:run "main.lua"
    client:must "threads"
    local _, second = client:run "main.lua"
    assert.is_false(client:has_event "thread")
    client:must "configurationDone"
    async.sleep(1)
    local started = told(client, "started")
    assert.same({ nil, true }, { started[first], started[second] })
    client:must "threads"
    async.sleep(1)
    assert.equal(1, select(2, told(client, "started")))
  end)

  it("are none that begin and end between two looks, and none of the debugger's", function()
    local client <close> = configured()
    local _, before = told(client, "started")
    for _ = 1, 10000 do
      async.create_task(function() end):await()
    end
    client:must("evaluate", { expression = "require('strobe.async').sleep(2)" })
    local _, after = told(client, "started")
    assert.equal(before, after)
  end)

  it("are told so many at a time, and at most 1000", function()
    local client <close> = configured()
    local group = {}
    for i = 1, 3000 do
      group[i] = async.create_task(async.sleep, 50)
    end
    local _, before = told(client, "started")
    async.sleep(1)
    local _, count = told(client, "started")
    assert.is_true(count - before > 0 and count - before <= 250, count)
    async.sleep(20)
    assert.equal(1000, #client:must("threads").threads)
    _, count = told(client, "started")
    assert.is_true(count <= 1000)
    async.wait(group)
    async.sleep(20)
    assert.is_true(select(2, told(client, "exited")) >= 990)
    assert.is_true(#client:must("threads").threads < 10)
  end)

  it("are looked for by nobody when nothing changes, and no more when the session ends", function()
    local client <close> = configured()
    local session, looks = client.session, 0
    local look = session.threads.look
    session.threads.look = function(...)
      looks = looks + 1
      return look(...)
    end
    async.sleep(10)
    assert.equal(0, looks)
    async.create_task(async.sleep, 1):await()
    async.sleep(10)
    assert.is_true(looks >= 1 and looks <= 3, looks)
    async.create_task(function() end):await()
    client:must("disconnect", {})
    local last = looks
    async.sleep(10)
    assert.equal(last, looks)
  end)
end)
