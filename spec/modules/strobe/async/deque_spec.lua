local Deque = require "strobe.async.deque"
local dice = require "spec.support.dice"

describe("a deque", function()
  it("does what a list does with insert and remove", function()
    local random = dice(7)
    local deque, list = Deque.new(), {}
    for i = 1, 5000 do
      local action = random(i % 1000 < 600 and 5 or 8)
      if action <= 2 then
        deque:push(i)
        table.insert(list, i)
      elseif action == 3 then
        deque:unshift(i)
        table.insert(list, 1, i)
      elseif #list > 0 and action % 2 == 0 then
        assert.equal(table.remove(list, 1), deque:shift())
      elseif #list > 0 then
        assert.equal(table.remove(list), deque:pop())
      end
      assert.equal(#list, deque.count)
    end
  end)

  it("keeps its size while values pass through", function()
    local deque = Deque.new()
    for i = 1, 7 do
      deque:push(i)
    end
    collectgarbage()
    local before = collectgarbage "count"
    for i = 8, 20000 do
      deque:push(i)
      assert(deque:shift() == i - 7)
    end
    collectgarbage()
    assert.is_true(collectgarbage "count" < before + 8)
  end)

  it("gives back the memory of a burst", function()
    local deque = Deque.new()
    collectgarbage()
    local before = collectgarbage "count"
    for i = 1, 100000 do
      deque:push(i)
    end
    assert.is_true(collectgarbage "count" > before + 500)
    for i = 1, 100000 do
      assert(deque:shift() == i)
    end
    collectgarbage()
    assert.is_true(collectgarbage "count" < before + 50)
  end)
end)
