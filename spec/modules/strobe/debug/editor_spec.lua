-- What editors expect beyond the single request: VS Code and nvim-dap.

local DebugClient = require "spec.support.debug_client"
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"

local WAITS = [[
local async = require "strobe.async"
local seen = ...
seen[#seen + 1] = "before"
async.sleep(1)
seen[#seen + 1] = "after"
return seen]]

-- Begins a task that stops at line 3, and waits for that.
local function stopped(client)
  local seen = {}
  local task = client:run("main.lua", seen)
  local event = client:event "stopped"
  assert.equal(inspect.id(task), event.threadId)
  return task, event, seen
end

local function configured(how)
  local client = DebugClient.here({ ["main.lua"] = WAITS }, how)
  client:must "configurationDone"
  return client
end

describe("an editor", function()
  it("is left where it looks when another task stops, but not when that steps or is paused", function()
    local client <close> = configured()
    client:breakpoints("main.lua", { 3 })
    local _, first = stopped(client)
    assert.is_nil(first.preserveFocusHint)
    local _, second = stopped(client)
    assert.is_true(second.preserveFocusHint)
    client:must("next", { threadId = second.threadId })
    assert.is_nil(client:event("stopped").preserveFocusHint)
    client:must("continue", { threadId = first.threadId })
    client:must("continue", { threadId = second.threadId })
  end)

  it("that runs without debugging is stopped by nothing", function()
    local client <close> = DebugClient.here({ ["main.lua"] = WAITS })
    client:breakpoints("main.lua", { 3 })
    client:must("setFunctionBreakpoints", { breakpoints = { { name = "sleep" } } })
    client:must("setExceptionBreakpoints", { filters = { "raised", "uncaught" } })
    client:must("launch", { noDebug = true, stopOnEntry = true })
    client:must "configurationDone"
    client.session.debugger:stop_on_entry(client.folder.path .. "/main.lua")
    client:breakpoints("main.lua", { 3, 5 })
    client:must("setExceptionBreakpoints", { filters = { "raised" } })
    assert.same({ "before", "after" }, client:run("main.lua", {}):await())
    assert.is_false(client:has_event "stopped")
  end)

  it("may end tasks, also those that are stopped", function()
    local client <close> = configured()
    client:breakpoints("main.lua", { 3 })
    local task, event, seen = stopped(client)
    client:must("terminateThreads", { threadIds = { event.threadId } })
    async.wait { task }
    assert.is_true(task:cancelled())
    assert.same({ "before" }, seen)
    client:breakpoints("main.lua", {})
    local other, number = client:run("main.lua", {})
    client:must("terminateThreads", { threadIds = { number } })
    async.wait { other }
    assert.is_true(other:cancelled())
    assert.matches("no task", select(2, client:request("terminateThreads", { threadIds = { number } })))
    assert.matches("whole number", select(2, client:request("terminateThreads", { threadIds = { "x" } })))
    client:must("terminateThreads", {})
  end)

  it("is told when a task goes on that it did not let go, and others with it", function()
    local me = async.current_task()
    local name = me:get_name()
    me:set_name "debug spec" -- is not frozen with the others
    local client <close> = configured { stopAll = true }
    client:breakpoints("main.lua", { 3 })
    local task, event = stopped(client)
    local other = client:run("main.lua", {})
    async.sleep(5)
    task:cancel()
    task:cancel()
    local gone = client:event "continued"
    assert.same({ threadId = event.threadId, allThreadsContinued = false }, gone)
    async.wait { task }
    client:must("continue", { threadId = client:event("stopped").threadId })
    assert.truthy(other:await())
    assert.is_nil(next(client.session.debugger.stops))
    me:set_name(name)
  end)

  it("is told that what it shows has changed, if it can be", function()
    local client <close> = configured()
    client:breakpoints("main.lua", { 3 })
    local _, event = stopped(client)
    local frame = client:top(event.threadId)
    local _, number = client:scope(frame, "Locals")
    local set = { variablesReference = number, name = "seen", value = "{}" }
    client:must("setVariable", set)
    assert.is_false(client:has_event "invalidated")
    client:must("initialize", { supportsInvalidatedEvent = true })
    client:must("setVariable", set)
    assert.same({ areas = { "variables" }, threadId = event.threadId }, client:event "invalidated")
    client:must("evaluate", { expression = "seen[1]", frameId = frame.id, context = "watch" })
    client:must("evaluate", { expression = "seen = { 7 }", frameId = frame.id, context = "repl" })
    assert.equal(event.threadId, client:event("invalidated").threadId)
    local made = client:must("evaluate", { expression = "{ 1 }", context = "repl" })
    assert.is_nil(client:event("invalidated").threadId)
    client:must("setVariable", { variablesReference = made.variablesReference, name = "[1]", value = "2" })
    assert.is_nil(client:event("invalidated").threadId)
    assert.is_false(client:has_event "invalidated")
  end)

  it("learns why its session cannot begin", function()
    local client <close> = configured()
    local answers = {}
    local other <close> = require("strobe.debug.session").new {
      send = function(message)
        answers[#answers + 1] = message
      end,
    }
    other:receive { type = "request", seq = 1, command = "initialize" }
    other:receive { type = "request", seq = 2, command = "attach" }
    other:receive { type = "request", seq = 3, command = "threads" }
    for _, answer in ipairs(answers) do
      assert.equal("another debugger is at work in this process", answer.message)
    end
    assert.same({ true, true, false }, {
      answers[1].body.error.showUser, answers[2].body.error.showUser, answers[3].body.error.showUser,
    })
    assert.truthy(client:must "threads")
  end)
end)
