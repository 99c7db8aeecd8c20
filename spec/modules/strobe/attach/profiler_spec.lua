local Profiler = require "strobe.attach.profiler"
local async = require "strobe.async"

-- In no environment of the specs, whose globals take their time.
local burn = load([[
local function inner(n)
  local x = 0
  for i = 1, n do x = x + i % 7 end
  return x
end
return function(n) return inner(n) + inner(n) end]], "=burning")()

describe("a profiler", function()
  it("folds the stacks of tasks, new ones too", function()
    local profiler = Profiler.start()
    local task = async.create_task(function()
      return burn(100000)
    end)
    task:await()
    profiler:stop()
    local most = profiler:folded()[1]
    assert.matches("^script;.*;inner %(burning:1%)$", most.stack)
    assert.is_true(most.count >= 10 and profiler.samples >= most.count)
  end)

  it("does not count its own beginning, however many threads it has to look at", function()
    local group = {}
    for i = 1, 5000 do
      group[i] = async.create_task(async.sleep, 1000)
    end
    async.sleep(0)
    local profiler = Profiler.start()
    profiler:stop()
    for _, task in ipairs(group) do
      task:cancel()
    end
    async.wait(group)
    for _, folded in ipairs(profiler:folded()) do
      assert.is_nil(folded.stack:find "profiler.lua", folded.stack)
    end
  end)

  it("leaves code alone that has a hook already", function()
    local calls = 0
    local task = async.create_task(function()
      debug.sethook(function()
        calls = calls + 1
      end, "", 1000)
      async.sleep(0.1)
      burn(10000)
      local hook = debug.gethook()
      debug.sethook()
      return hook ~= nil
    end)
    async.sleep(0)
    local profiler = Profiler.start()
    assert.is_true(task:await())
    profiler:stop()
    assert.is_true(calls > 5)
  end)

  it("takes no samples once it has stopped, and stops twice", function()
    local profiler = Profiler.start()
    profiler:stop()
    profiler:stop()
    local samples = profiler.samples
    async.create_task(burn, 50000):await()
    assert.equal(samples, profiler.samples)
    assert.is_nil((debug.gethook()))
  end)
end)
