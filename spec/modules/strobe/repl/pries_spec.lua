local async = require "strobe.async"
local captured = require "spec.support.captured"
local pries = require "strobe.repl.pries"

-- A task that waits in it, quietly.
local function parked(f)
  local task = captured.run(function()
    local task = async.create_task(f)
    async.sleep(0)
    async.sleep(0)
    return task
  end)
  return task
end

describe("a task that pries", function()
  it("has its variables read and set, the innermost of a name", function()
    local around = 1
    local task = parked(function()
      local x = "outer" -- luacheck: ignore
      do
        local x = "inner" -- luacheck: ignore
        local hook = pries.wait()
        return x, hook, around
      end
    end)
    local frame = pries.frame(task)
    assert.same({ true, "inner" }, { frame:get "x" })
    assert.same({ true, 1 }, { frame:get "around" })
    assert.same({ false }, { frame:get "nothing" })
    assert.is_true(frame:set("x", "set"))
    assert.is_true(frame:set("around", 2))
    assert.is_false(frame:set("nothing", 2))
    local names = {}
    for i, variable in ipairs(frame:variables()) do
      names[i] = variable.name
    end
    assert.same({ "x", "pries", "around" }, { names[1], names[2], names[3] })
    assert.is_true(pries.release(task))
    assert.same({ "set", true, 2 }, { task:await() })
  end)

  it("is seen inside a generator", function()
    local task = parked(function()
      local numbers = async.generator(function(yield)
        local deep = 7
        pries.wait()
        yield(deep)
      end)
      return (numbers():next())
    end)
    local frame = pries.frame(task)
    assert.same({ true, 7 }, { frame:get "deep" })
    frame:set("deep", 8)
    pries.release(task)
    assert.equal(8, task:await())
  end)

  it("is no longer seen once it has gone on, even if it waits again", function()
    local task = parked(function()
      for i = 1, 2 do
        pries.wait()
        assert(i)
      end
    end)
    local frame = pries.frame(task)
    captured.run(function()
      pries.release(task)
      async.sleep(0)
      async.sleep(0)
    end)
    assert.is_true(pries.is_parked(task))
    assert.same({ false }, { frame:get "i" })
    assert.same({ true, 2 }, { pries.frame(task):get "i" })
    assert.same({ task }, pries.list())
    pries.release(task)
    task:await()
    assert.is_nil(pries.frame(task))
    assert.is_false(pries.release(task))
  end)

  it("goes on by itself after its time-out, or when it is cancelled", function()
    local task = parked(function()
      return pries.wait(3)
    end)
    assert.is_false(task:await())
    task = parked(function()
      pries.wait()
    end)
    task:cancel()
    async.wait { task }
    assert.is_true(task:cancelled())
    assert.same({}, pries.list())
  end)
end)
