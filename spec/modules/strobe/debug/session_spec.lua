local DebugClient = require "spec.support.debug_client"
local async = require "strobe.async"

local COUNT = [[
local async = require "strobe.async"
local function add(total, i)
  local sum = total + i
  return sum
end
local total = 0
for i = 1, 3 do
  total = add(total, i)
  async.sleep(0)
end
return total
]]

describe("a debugged task", function()
  it("stops at a breakpoint while others go on, tells what it sees, and continues", function()
    local client <close> = DebugClient.here { ["count.lua"] = COUNT }
    local set = client:breakpoints("count.lua", { 4 })
    assert.same({ true, 4 }, { set[1].verified, set[1].line })
    client:must "configurationDone"
    local ticks = 0
    local ticker = async.create_task(async.every, 1, function()
      ticks = ticks + 1
    end)
    local task, thread = client:run "count.lua"
    local stopped = client:event "stopped"
    assert.same({ "breakpoint", thread, false }, { stopped.reason, stopped.threadId, stopped.allThreadsStopped })
    async.sleep(5.5)
    assert.is_true(ticks >= 5)
    assert.is_false(task:done())
    local frame, stack = client:top(thread)
    assert.same({ "add", 4, client.folder.path .. "/count.lua" }, { frame.name, frame.line, frame.source.path })
    assert.same({ "main chunk", 8 }, { stack[2].name, stack[2].line })
    assert.same({ total = "0", i = "1", sum = "1" }, (client:scope(frame, "Locals")))
    client:breakpoints("count.lua", {})
    client:must("continue", { threadId = thread })
    assert.equal(6, task:await())
    ticker:cancel()
    async.wait { ticker }
  end)
end)
