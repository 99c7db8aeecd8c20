local async = require "strobe.async"
local waiting = require "strobe.async.waiting"

-- Runs f in a task until it waits, and tells what of.
local function text_of(f)
  local task = async.create_task(f)
  async.sleep(0)
  local text, record = waiting.text(task), waiting.record(task)
  task:cancel()
  async.wait { task }
  return text, record
end

describe("what a task waits for", function()
  it("is told in words, with the time that is left", function()
    assert.equal("sleeps (5.000 s left)", (text_of(function() async.sleep(5) end)))
    assert.equal("awaits a future", (text_of(function() async.Future():await() end)))
    local other = async.create_task(async.sleep, 1)
    other:set_name "other"
    assert.equal("awaits other", (text_of(function() async.shield(other) other:await() end)))
    other:cancel()
    assert.equal("has not begun", waiting.text(async.create_task(function() end)))
  end)

  it("counts futures that are not done", function()
    local done, open = async.Future(), { async.Future(), async.Future() }
    done:set_result(1)
    assert.equal("awaits 2 futures", (text_of(function() async.wait { done, open[1], open[2] } end)))
  end)

  it("names a lock and who holds it", function()
    local lock = async.Lock()
    local holder = async.create_task(function()
      local held <close> = lock:acquire() -- luacheck: ignore
      async.sleep(3)
    end)
    holder:set_name "holder"
    async.sleep(0)
    assert.matches("^waits for lock .*held by holder$", (text_of(function() lock:acquire() end)))
    holder:await()
    assert.equal(3, async.get_running_loop():time())
  end)

  it("has the earliest deadline of the scopes around it", function()
    local _, record = text_of(function()
      local outer <close> = async.timeout(7) -- luacheck: ignore
      local inner <close> = async.timeout(9) -- luacheck: ignore
      async.Event():wait()
    end)
    assert.is_true(math.abs(record.waiting_on.deadline - 7) < 1e-6)
    assert.matches("waiting_spec%.lua:%d+", record.defined)
  end)

  it("is known from the other side too: who waits for a future", function()
    local future = async.Future()
    local direct = async.create_task(function() future:await() end)
    local gathered = async.create_task(async.gather, future)
    async.sleep(0)
    local waiters = waiting.waiters()(future)
    assert.equal(2, #waiters)
    assert.is_true(waiters[1] == direct or waiters[2] == direct)
    future:set_result(1)
    async.wait { direct }
    gathered:await()
  end)
end)
