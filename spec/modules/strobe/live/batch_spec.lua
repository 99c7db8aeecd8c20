local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

-- A unit that says what its batches are, and adds them up.
local function batcher(word, limits, more)
  return ([[
    return { version = 1, subscribe = { "ticks" }, batch = %s,
      on_batch = function(ctx, st, batch)
        st.batches = (st.batches or 0) + 1
        for _, m in ipairs(batch) do
          st.sum = (st.sum or 0) + m.data
        end
        ctx:emit("out", ("%s %%d-%%d"):format(batch[1].seq, batch[#batch].seq))
        %s
      end }]]):format(limits or "nil", word, more or "")
end

local function started(text, options)
  local units = UnitFolder.new({ ["mm.lua"] = text }, options)
  local report = units:start "mm"
  assert.message(report.error).equal("committed", report.verdict)
  return units
end

describe("on_batch", function()
  it("gets all that waits, up to a size", function()
    local units <close> = started(batcher("got", "{ size = 3 }"))
    units:offer("ticks", 1, 1, 1, 1, 1)
    units:offer("ticks", 1)
    assert.same({ "got 1-3", "got 4-5", "got 6-6" }, units:values())
  end)

  it("waits for more, but not longer than it says", function()
    local units <close> = started(batcher("got", "{ size = 4, wait = 2 }"))
    units:offer("ticks", 1)
    async.sleep(1)
    units:offer("ticks", 1, 1)
    assert.same({}, units:values())
    async.sleep(1)
    assert.same({ "got 1-3" }, units:values())
    units:offer("ticks", 1, 1, 1, 1)
    assert.same({ "got 1-3", "got 4-7" }, units:values())
  end)

  it("leaves what it waits with in the inbox, for a reload to go on with", function()
    local units <close> = started(batcher("old", "{ size = 4, wait = 100 }"))
    units:offer("ticks", 1, 1)
    assert.equal("committed", units:reload("mm", batcher("new", "{ size = 4, wait = 1 }")).verdict)
    async.sleep(2)
    assert.same({ "new 1-2" }, units:values())
  end)

  it("has its batch again when it fails, with the ids of what it had sent", function()
    local units <close> = started(batcher("got", "{ size = 3 }", [[
      if not batch[1].redelivered then
        ctx:sleep(1)
        error "once"
      end]]))
    units:offer("ticks", 1, 1, 1)
    async.sleep(3)
    assert.same({ "got 1-3", "got 1-3" }, units:values())
    assert.same({ "mm/1/1", "mm/1/1" }, { units.sent[1].id, units.sent[2].id })
    assert.equal(6, units.runtime.units.mm.run.st.sum) -- the state of a failed step is as it left it
    assert.equal(3, units.runtime.units.mm.events)
  end)

  it("is undone by whole batches, and has the same ones in the replay", function()
    local units <close> = started(batcher("old", "{ size = 2 }"))
    units:reload("mm", batcher("new", "{ size = 2 }", "if batch[1].seq == 5 then error 'five' end"))
    units:offer("ticks", 1)
    units:offer("ticks", 1, 1, 1)
    units:offer("ticks", 1, 1, 1)
    async.sleep(1)
    assert.same({ "new 1-1", "new 2-3", "new 4-4", "old 5-6", "old 7-7" }, units:values())
    assert.same({ sum = 7, batches = 5 }, units.runtime.units.mm.run.st)
    local report = units.reports[#units.reports]
    assert.same({ "rolled_back:error", 4 }, { report.verdict, report.replayed })
  end)

  it("may follow on_event, and be followed by it", function()
    local single = [[return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
      st.sum = (st.sum or 0) + m.data
      ctx:emit("out", "one " .. m.seq)
    end }]]
    local units <close> = started(single)
    units:offer("ticks", 1, 1)
    assert.equal("committed", units:reload("mm", batcher "many").verdict)
    units:offer("ticks", 1, 1)
    units.runtime:rollback "mm"
    units:offer("ticks", 1)
    assert.same({ "one 1", "one 2", "many 3-4", "one 5" }, units:values())
    assert.equal(5, units.runtime.units.mm.run.st.sum)
  end)

  it("that is cut counts as processed, all of it", function()
    local units <close> = started(batcher("got", "{ size = 2 }", "ctx:sleep(60)"))
    units:offer("ticks", 1, 1, 1)
    local report = units:reload("mm", batcher("new"), { on_drain = "cancel" })
    assert.same({ "committed", { 1, 2 } }, { report.verdict, report.cut })
    async.sleep(0)
    assert.same({ "got 1-2", "new 3-3" }, units:values())
  end)

  it("is checked", function()
    local units <close> = started(batcher "old")
    for text, message in pairs {
      [batcher("x", "5")] = "batch: {size=, wait=} expected, got number",
      [batcher("x", "{ size = 0 }")] = "batch.size: a whole number of 1 or more expected, got 0",
      [batcher("x", "{ wait = -1 }")] = "batch.wait: seconds expected, got -1",
      ["return { version = 1, batch = {}, main = function() end }"] = "batch is for units with on_batch",
      ["return { version = 1, on_batch = print, main = print }"] =
        "exactly one of main, on_event and on_batch expected, got main and on_batch",
    } do
      local report = units:reload("mm", text)
      assert.same({ "rejected:contract", message }, { report.verdict, report.error })
    end
  end)
end)
