local async = require "strobe.async"
local Requests = require "strobe.live.requests"
local UnitFolder = require "spec.support.unit_folder"

describe("requests for reloads", function()
  local lock, requests, count

  -- Asks, and returns the task: its result is the number of the reload that answered.
  local function ask(names, options)
    return async.create_task(requests.perform, requests, names, options, function()
      count = count + 1
      async.sleep(1)
      return count
    end)
  end

  before_each(function()
    lock = async.Lock()
    requests, count = Requests.new(lock), 0
  end)

  it("are one while they wait for their turn and ask for the same", function()
    local first = ask "a"
    async.sleep(0.5)
    local waiting = { ask "a", ask "a", ask "b", ask { "a", "b" }, ask { "a", "b" }, ask(), ask() }
    local numbers = {}
    for i, task in ipairs(waiting) do
      numbers[i] = task:await()
    end
    assert.equal(1, first:await())
    assert.same({ 2, 2, 3, 4, 4, 5, 5 }, numbers)
  end)

  it("are two when they have different wishes", function()
    local first = ask("a", { drain = 1 })
    local second = ask("a", { drain = 2 })
    assert.same({ 1, 2 }, { first:await(), second:await() })
  end)

  it("wait no more for who has gone before its turn", function()
    local held = lock:acquire()
    local first = ask "a"
    async.sleep(0)
    local second, third = ask "a", ask "a"
    async.sleep(0)
    assert.is_true(requests:has "a")
    first:cancel()
    async.wait { first }
    assert.is_true(requests:has "a")
    held:release()
    assert.same({ 1, 1 }, { second:await(), third:await() })
    assert.is_false(requests:has "a")
  end)

  it("wait no more for one that has failed", function()
    local first = async.create_task(requests.perform, requests, "a", nil, function()
      error "no"
    end)
    local second = ask "a"
    assert.is_false(pcall(first.await, first))
    assert.equal(1, second:await())
  end)
end)

describe("a unit", function()
  local text = [[return { version = 1, subscribe = { "ticks" }, on_event = function() end } -- %d]]

  it("is reloaded once for many who ask while another reload is under way", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text:format(1), ["other.lua"] = text:format(1) }
    units:start "mm"
    units:start "other"
    local runtime, asked = units.runtime, {}
    local other = async.create_task(runtime.reload, runtime, "other")
    async.sleep(0)
    for i = 1, 5 do
      asked[i] = async.create_task(runtime.reload, runtime, "mm")
      runtime:request_reload "mm"
    end
    other:await()
    for i = 1, 5 do
      assert.equal(2, asked[i]:await()[1].to)
    end
    async.sleep(1)
    assert.equal(2, runtime.units.mm.run.generation.number)
  end)
end)
