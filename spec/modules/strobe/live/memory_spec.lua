local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

-- A unit with a module that stays, a type, timers, children and something kept: what could hold an old generation.
local UNIT = [[
  local leaf = require "leaf"
  return { version = 1, subscribe = { "ticks" },
    init = function(ctx, st)
      st.book = st.book or leaf.new()
      ctx:keep("gate", 1, function() return { close = function() end } end)
      ctx:timer("beat", 1, function() ctx:emit("out", "beat") end)
      ctx:create_task(function() while true do ctx:sleep(10) end end)
    end,
    on_event = function(ctx, st, m)
      st.book.n = st.book.n + m.data
      ctx:emit("out", st.book.n)
      FAIL
    end,
    dispose = function(ctx, st, why) end } -- VERSION]]
local LEAF = [[
  local live = require "strobe.live"
  local Book = live.type("book", {})
  return { new = function() return setmetatable({ n = 0 }, Book) end }]]

local function text_of(i, fails)
  return (UNIT:gsub("VERSION", i):gsub("FAIL", fails and "error 'broken'" or ""))
end

local function resident()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmRSS:%s+(%d+)"
    if kilobytes then
      return tonumber(kilobytes)
    end
  end
end

-- One in five fails in its probation, one in five is no Lua.
local function reload(units, i)
  local text = i % 5 == 1 and "return {" or text_of(i, i % 5 == 0)
  local report = units:reload("mm", text)
  assert.equal(i % 5 == 1 and "rejected:syntax" or "committed", report.verdict, report.error)
  units:offer("ticks", 1)
  async.sleep(0.2)
  units.sent, units.reports, units.logged = {}, {}, {}
end

local function reload_often(units, count)
  for i = 1, count do
    reload(units, i)
  end
  collectgarbage()
  collectgarbage()
  return collectgarbage "count", resident()
end

describe("a unit that is reloaded over and over", function()
  local warm_up = tonumber(os.getenv "STROBE_RELOADS_WARM_UP" or 100)
  local count = tonumber(os.getenv "STROBE_RELOADS" or 300)

  it(("takes no more memory after %d reloads"):format(count), function()
    local options = { probation = { events = 1, seconds = 0 } }
    local units <close> = UnitFolder.new({ ["mm.lua"] = text_of(0), ["leaf.lua"] = LEAF }, options)
    assert.equal("committed", units:start("mm").verdict)
    local heap_before, resident_before = reload_often(units, warm_up)
    local heap, resident_after = reload_often(units, count)
    if os.getenv "STROBE_RELOADS" then
      print(("%d reloads: heap %.1f -> %.1f KiB (%+.2f %%), resident %d -> %d KiB"):format(count, heap_before, heap,
        (heap / heap_before - 1) * 100, resident_before or 0, resident_after or 0))
    end
    assert.is_true(heap <= heap_before * 1.01, ("%g KiB, then %g"):format(heap_before, heap))
    if resident_before then
      assert.is_true(resident_after <= resident_before + 2048, ("%d KiB, then %d"):format(resident_before,
        resident_after))
    end
  end)

  it("has one generation when its probation is over", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = text_of(0), ["leaf.lua"] = LEAF },
      { probation = { events = 1, seconds = 0 } })
    units:start "mm"
    local seen = setmetatable({}, { __mode = "k" })
    for i = 1, 20 do
      reload(units, i)
      local generation = units.runtime.units.mm.run.generation
      seen[generation], seen[generation.graph], seen[generation.contract] = "gen", "graph", "contract"
    end
    async.sleep(1)
    collectgarbage()
    collectgarbage()
    local left = {}
    for _, what in pairs(seen) do
      left[what] = (left[what] or 0) + 1
    end
    assert.same({ gen = 1, graph = 1, contract = 1 }, left)
    assert.equal(0, units.runtime:metrics().old_generations)
  end)

  it("says what holds an old generation when the collector has come round", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = text_of(0), ["leaf.lua"] = LEAF },
      { probation = { events = 1, seconds = 0 } })
    units:start "mm"
    local held = units.runtime.units.mm.run.generation
    units:reload("mm", text_of(1))
    units:offer("ticks", 1)
    assert.is_false(units.runtime.units.mm.probation)
    for _ = 1, 4 do
      collectgarbage()
    end
    units:offer("ticks", 1)
    assert.equal(1, units.runtime:metrics().old_generations)
    local level, text = table.unpack(units.logged[1])
    assert.equal("warning", level)
    assert.matches(("gen %d is still held after two rounds of the collector, by"):format(held.number), text)
  end)
end)
