local DebugClient = require "spec.support.debug_client"
local async = require "strobe.async"

-- Stops at the next event; the thread and its innermost frame.
local function stopped(client, reason)
  local event = client:event "stopped"
  assert.equal(reason, event.reason)
  local frame, stack = client:top(event.threadId)
  return event.threadId, frame, stack
end

describe("an error that leaves a task", function()
  it("stops it with the stack where it was raised; then it fails as it would have", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local function divide(a, b)
  local result = a .. b
  return result
end
local ok = pcall(divide, 1)
return divide(7), ok]] }
    client:must("setExceptionBreakpoints", { filters = { "uncaught" } })
    local task, thread = client:run "main.lua"
    local _, frame, stack = stopped(client, "exception")
    assert.same({ 2, 6 }, { frame.line, stack[2].line })
    assert.same({ a = "7", b = "nil" }, (client:scope(frame, "Locals")))
    assert.equal("14", client:evaluate(frame, "a * 2"))
    local info = client:must("exceptionInfo", { threadId = thread })
    assert.matches("attempt to concatenate a nil value", info.description)
    assert.same({ "error", "unhandled" }, { info.exceptionId, info.breakMode })
    assert.matches("a cannot be set any more", select(2, client:evaluate(frame, "a = 1")))
    assert.is_false(task:done())
    client:must("continue", { threadId = thread })
    async.wait { task }
    assert.matches("attempt to concatenate a nil value", task:exception())
  end)

  it("does not stop it by default, and a cancellation is none", function()
    local client <close> = DebugClient.here { ["main.lua"] = "error { code = 7 }",
      ["wait.lua"] = "require('strobe.async').sleep(9)" }
    local task = client:run "main.lua"
    async.wait { task }
    assert.same({ code = 7 }, task:exception())
    client:must("setExceptionBreakpoints", { filters = { "uncaught" } })
    task = client:run "wait.lua"
    async.sleep(1)
    task:cancel()
    async.wait { task }
    assert.is_true(task:cancelled())
    assert.is_false(client:has_event "stopped")
  end)

  it("from a generator stops its task as well", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local broken = async.generator(function(yield)
  yield(1)
  error "broken"
end)
for _ in broken() do
end]] }
    client:must("setExceptionBreakpoints", { filters = { "uncaught" } })
    local task, thread = client:run "main.lua"
    local _, frame = stopped(client, "exception")
    assert.equal(4, frame.line)
    client:must("continue", { threadId = thread })
    local event = client:event "stopped" -- it leaves the task, too
    assert.equal("exception", event.reason)
    client:must("continue", { threadId = thread })
    async.wait { task }
    assert.matches("broken", task:exception())
  end)
end)

describe("an error that is raised", function()
  local CAUGHT = [[
local function inner(x)
  local y = x + 1
  error({ code = y })
end
local function handler(e)
  return "handled " .. e.code
end
local ok, e = pcall(inner, 6)
local _, text = xpcall(inner, handler, 7)
local co = coroutine.wrap(function()
  return select("#", pcall(error))
end)
return ok, e.code, text, co(), select("#", pcall(error)), pcall(select, 2, 1, 2)]]

  it("stops its task where a pcall catches it, with the stack where it was raised", function()
    local client <close> = DebugClient.here { ["main.lua"] = CAUGHT }
    client:must("setExceptionBreakpoints", { filters = { "raised" } })
    local task = client:run "main.lua"
    local lines = {}
    for i = 1, 4 do
      local thread, frame = stopped(client, "exception")
      lines[i] = frame.line
      if i == 1 then
        assert.same({ x = "6", y = "7" }, (client:scope(frame, "Locals")))
        assert.equal("always", client:must("exceptionInfo", { threadId = thread }).breakMode)
      end
      client:must("continue", { threadId = thread })
    end
    assert.same({ 3, 3, 11, 13 }, lines)
    assert.same({ false, 7, "handled 8", 2, 2, true, 2 }, { task:await() })
    client:must("setExceptionBreakpoints", { filters = {} })
    assert.same({ false, 7, "handled 8", 2, 2, true, 2 }, { client:run("main.lua"):await() })
    assert.is_false(client:has_event "stopped")
  end)

  it("leaves pcall as it was when the session ends", function()
    local before, x_before = pcall, xpcall
    do
      local client <close> = DebugClient.here {}
      client:must("setExceptionBreakpoints", { filters = { "raised" } })
      assert.not_equal(before, pcall)
      assert.same({ true, 1, 2 }, { pcall(function(...) return ... end, 1, 2) })
      assert.matches("bad argument #1 to '.*pcall' %(value expected%)", select(2, before(pcall)))
      assert.is_false((before(xpcall, print)))
      local task = async.create_task(function()
        return pcall(async.sleep, 1, "may wait")
      end)
      assert.same({ true, "may wait" }, { task:await() })
    end
    assert.equal(before, pcall)
    assert.equal(x_before, xpcall)
  end)
end)
