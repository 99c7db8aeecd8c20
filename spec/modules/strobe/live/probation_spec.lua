local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local UNIT = [[return { version = 1, subscribe = { STREAMS }, on_event = function(ctx, st, m)
  ctx:emit("out", m.data)
end } -- N]]

local function text_of(n, streams)
  return (UNIT:gsub("STREAMS", streams or '"ticks"'):gsub("N$", n))
end

-- A unit which has been reloaded once.
local function on_probation(limits)
  local units = UnitFolder.new({ ["mm.lua"] = text_of(1) }, { probation = limits })
  units:start "mm"
  units:reload("mm", text_of(2))
  return units, units.runtime.units.mm
end

local function offer(units, count, data)
  for _ = 1, count do
    units.runtime:offer("ticks", data or 1)
  end
  async.sleep(0.01)
end

describe("a probation", function()
  it("needs both its events and its time", function()
    local units <close>, mm = on_probation { events = 3, seconds = 10 }
    offer(units, 5)
    assert.is_table(mm.probation)
    async.sleep(11)
    assert.is_false(mm.probation)
    units:reload("mm", text_of(3))
    async.sleep(11)
    assert.is_table(mm.probation)
    offer(units, 3)
    assert.is_false(mm.probation)
  end)

  it("is over in any case after the longest time", function()
    local units <close>, mm = on_probation { longest = 60 } -- luacheck: ignore
    async.sleep(61)
    assert.is_false(mm.probation)
  end)

  it("is 50 events and 30 s, 10 min at the longest, unless it is said", function()
    local units <close>, mm = on_probation()
    offer(units, 50)
    async.sleep(29)
    assert.is_table(mm.probation)
    async.sleep(2)
    assert.is_false(mm.probation)
  end)

  it("is over when its journal is full of events", function()
    local units <close>, mm = on_probation { seconds = 1000, journal = 100 }
    offer(units, 99)
    assert.is_table(mm.probation)
    offer(units, 1)
    assert.is_false(mm.probation)
    assert.is_nil(units.runtime:rollback "mm")
  end)

  it("is over when its journal is full of bytes", function()
    local units <close>, mm = on_probation { seconds = 1000, bytes = 1024 * 1024 }
    offer(units, 7, ("x"):rep(128 * 1024))
    assert.is_table(mm.probation)
    offer(units, 2, { { ("x"):rep(128 * 1024) } })
    assert.is_false(mm.probation)
  end)

  it("is over when there are too many events of a stream that was dropped; these are counted", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = text_of(1, '"ticks", "more"') },
      { probation = { seconds = 1000, journal = 10 } })
    units:start "mm"
    units:reload("mm", text_of(2))
    local mm = units.runtime.units.mm
    units:offer("more", 1, 2, 3, 4, 5, 6, 7, 8, 9)
    assert.is_table(mm.probation)
    units:offer("more", 10)
    assert.same({ false, 10 }, { mm.probation, mm.skipped })
  end)

  it("keeps what waited in the inbox of a stream that was dropped", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = [[
      return { version = 1, subscribe = { "ticks", "more" }, on_event = function(ctx, st, m)
        ctx:sleep(1)
        ctx:emit("out", m.stream .. m.data .. (m.late and " late" or ""))
      end }]] }
    units:start "mm"
    for i = 1, 2 do
      units.runtime:offer("ticks", i)
      units.runtime:offer("more", i)
    end
    assert.equal(2, units:reload("mm", text_of(2)).skipped)
    async.sleep(1)
    units.runtime:rollback "mm"
    async.sleep(5)
    assert.same({ "ticks1", 2, "more1 late", "more2 late" }, units:values())
  end)

  it("is off when that is said, and for units that are unsafe", function()
    local units <close>, mm = on_probation { off = true } -- luacheck: ignore
    assert.is_false(mm.probation)
    local free <close> = UnitFolder.new { ["mm.lua"] = text_of(1) }
    free:start "mm"
    local report = free:reload("mm", (text_of(2):gsub("version = 1", "version = 1, unsafe = true")))
    assert.equal("committed", report.verdict)
    assert.is_false(free.runtime.units.mm.probation)
  end)

  it("is taken over by the next reload: what runs is what would come back", function()
    local units <close>, mm = on_probation()
    units:reload("mm", text_of(3))
    units:reload("mm", "return {")
    assert.equal(2, units.runtime:rollback("mm").to)
    assert.is_false(mm.probation)
    assert.is_nil(units.runtime:rollback "mm")
  end)
end)
