local async = require "strobe.async"
local freeze = require "strobe.core.freeze"

describe("a frozen task", function()
  it("is not resumed until it is thawed, and then goes on where its wait has ended", function()
    local seen = {}
    local task = async.create_task(function()
      async.sleep(1)
      seen[#seen + 1] = async.time()
      async.sleep(1)
      seen[#seen + 1] = async.time()
    end)
    async.sleep(0.5)
    freeze.freeze { task }
    async.sleep(9.5)
    assert.same({}, seen)
    freeze.thaw { task }
    task:await()
    assert.same({ 10, 11 }, seen)
  end)

  it("keeps its place among those that woke meanwhile", function()
    local order, list = {}, {}
    for i = 1, 3 do
      list[i] = async.create_task(function()
        async.sleep(4 - i)
        order[#order + 1] = i
      end)
    end
    async.sleep(0)
    freeze.freeze(list)
    async.sleep(5)
    freeze.thaw { list[1], list[3] }
    async.sleep(0)
    assert.same({ 3, 1 }, order)
    freeze.thaw { list[2] }
    async.gather(table.unpack(list))
    assert.same({ 3, 1, 2 }, order)
  end)

  it("is cancelled when it is thawed", function()
    local cleaned
    local task = async.create_task(function()
      local _ <close> = setmetatable({}, { __close = function() cleaned = async.time() end })
      async.sleep(100)
    end)
    async.sleep(0)
    freeze.freeze { task }
    task:cancel()
    async.sleep(1)
    assert.is_nil(cleaned)
    freeze.thaw { task }
    pcall(task.await, task)
    assert.equal(1, cleaned)
    assert.is_true(task:cancelled())
  end)

  it("can be closed where it is when it takes no notice of being cancelled", function()
    local closed
    local task = async.create_task(function()
      local _ <close> = setmetatable({}, { __close = function()
        closed = select(2, pcall(async.sleep, 1))
      end })
      while true do
        pcall(async.sleep, 100)
      end
    end)
    async.sleep(0)
    assert.is_false(freeze.close(task)) -- it is not frozen
    freeze.freeze { task }
    assert.is_false(freeze.close(task)) -- nor has its wake-up come
    task:cancel()
    async.sleep(0)
    assert.is_true(freeze.close(task))
    assert.is_true(task:cancelled())
    assert.matches("cannot wait", tostring(closed))
    assert.is_false(freeze.close(task))
  end)

  it("is never the one that freezes", function()
    local ok, message = pcall(freeze.freeze, { async.current_task() })
    assert.is_false(ok)
    assert.matches("cannot freeze itself", tostring(message))
    async.sleep(0)
  end)
end)
