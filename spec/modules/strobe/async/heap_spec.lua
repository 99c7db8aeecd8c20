local Heap = require "strobe.async.heap"
local dice = require "spec.support.dice"

local function by_rank(a, b)
  return a.key < b.key
end

describe("a heap", function()
  -- Pushes and shifts at random, beside a sorted list; `make` gives a value to a key.
  local function compare_with_list(heap, make)
    local random, list = dice(3), {}
    for i = 1, 3000 do
      if random(3) <= (i < 1500 and 2 or 1) then
        local key = random(10)
        local value, place = make(key), #list + 1
        heap:push(value)
        while place > 1 and key < list[place - 1].key do
          place = place - 1
        end
        table.insert(list, place, { key = key, value = value })
      elseif #list > 0 then
        assert.equal(table.remove(list, 1).value, heap:shift())
      end
      assert.equal(#list, heap.count)
    end
  end

  it("gives values in order, and equal ones in the order in which they came", function()
    compare_with_list(Heap.new(by_rank), function(key)
      return { key = key }
    end)
    compare_with_list(Heap.new(), function(key)
      return { key, {} }
    end)
    compare_with_list(Heap.new(), function(key)
      return { ("%02d"):format(key) }
    end)
    compare_with_list(Heap.new(), function(key)
      return key / 4
    end)
  end)

  it("gives what was put back before its equals", function()
    local heap = Heap.new(by_rank)
    local a, b, c = { key = 1 }, { key = 1 }, { key = 1 }
    heap:push(a)
    heap:push(b)
    heap:push(c)
    assert.equal(a, heap:shift())
    assert.equal(b, heap:shift())
    heap:unshift(b)
    heap:unshift(a)
    assert.same({ a, b, c }, { heap:shift(), heap:shift(), heap:shift() })
    assert.equal(0, heap.count)
  end)

  it("stays as it was when a comparison raises", function()
    local broken = false
    local heap = Heap.new(function(a, b)
      assert(not broken, "cannot compare")
      return a < b
    end)
    for _, value in ipairs { 5, 3, 8, 1, 9, 2 } do
      heap:push(value)
    end
    broken = true
    assert.has_error(function()
      heap:push(0)
    end)
    assert.has_error(function()
      heap:shift()
    end)
    broken = false
    local seen = {}
    while heap.count > 0 do
      seen[#seen + 1] = heap:shift()
    end
    assert.same({ 1, 2, 3, 5, 8, 9 }, seen)
  end)
end)
