local Child = require "spec.support.child"
local async = require "strobe.async"
local budget = require "strobe.repl.budget"
local host = require "strobe.core.host"
local watchdog = require "strobe.core.watchdog"

local function spin()
  while true do
  end
end

describe("a budget", function()
  local before
  setup(function()
    before = host.slow_step(9)
  end)
  teardown(function()
    host.slow_step(before)
  end)

  it("ends what does not wait, and says where it was", function()
    local ok, e = pcall(budget.run, 0.01, spin)
    assert.is_false(ok)
    assert.is_true(async.is(e, async.Interrupted))
    assert.matches("budget_spec.lua:%d+: after running 10 ms without waiting$", e.message)
  end)

  it("lets what waits go on, and hands over arguments and values", function()
    assert.same({ 3, 4 }, { budget.run(0.01, function(a, b)
      for _ = 1, 50 do
        local began = os.clock()
        while os.clock() - began < 0.001 do
        end
        async.sleep(0)
      end
      return a, b
    end, 3, 4) })
  end)

  it("holds for tasks that are made meanwhile, also later, and for nobody else", function()
    local task = budget.run(0.01, async.create_task, function()
      async.sleep(1)
      pcall(spin)
      spin()
    end)
    local ok, e = pcall(task.await, task)
    assert.is_false(ok)
    assert.is_true(async.is(e, async.Interrupted))
    local other = async.create_task(function()
      local began = os.clock()
      while os.clock() - began < 0.05 do
      end
      return "done"
    end)
    assert.equal("done", other:await())
  end)

  it("calls no handler of xpcall when it ends something, which would run without an end", function()
    local ok = pcall(budget.run, 0.01, function()
      while true do
        budget.xpcall(spin, spin)
      end
    end)
    assert.is_false(ok)
    assert.same({ false, "handled x" }, { budget.xpcall(error, function(e)
      return "handled " .. e
    end, "x") })
  end)

  it("may outlive the process's code", function()
    local code = [[
      local async, budget = require "strobe.async", require "strobe.repl.budget"
      kept = async.ContextVar("kept")
      budget.run(1, function() kept:set(1) held = async.copy_context() end)
      print "done" ]]
    local child <close> = Child.spawn(host.program, { "-e", code })
    child:expect("stdout", "done")
    assert.equal(0, child:wait())
    assert.equal("", child:complaints())
  end)

  it("costs nothing when the last task that has one is gone", function()
    collectgarbage()
    collectgarbage()
    assert.is_false(watchdog.alive())
  end)
end)
