local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local host = require "strobe.core.host"
local runaway = require "strobe.async.runaway"
local watchdog = require "strobe.core.watchdog"

-- A unit that adds up what comes; at 13 it does something else first.
local function unit(word, at_13, more)
  return ([[
    local function spin() while true do local _ = {} end end
    return {
      version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m)
        if m.data == 13 then %s end
        st.sum = (st.sum or 0) + m.data
        ctx:emit("out", "%s " .. st.sum)
      end,
      %s
    }]]):format(at_13 or "", word, more or "")
end

describe("a unit's quota", function()
  local before
  setup(function()
    before = host.slow_step()
    host.slow_step(9)
  end)
  teardown(function()
    host.slow_step(before)
  end)

  local function units_with(files, more)
    local options = { quota = { seconds = 0.02 } }
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return UnitFolder.new(files, options)
  end

  describe("on probation", function()
    for name, code in pairs {
      ["spins"] = "spin()",
      ["catches all errors"] = "while true do pcall(spin) end",
      ["handles all errors"] = "while true do xpcall(spin, function(e) while true do end end) end",
      ["spins in coroutines of coroutines"] = [[
        local function inner() while true do pcall(spin) end end
        while true do pcall(coroutine.wrap(function() while true do pcall(coroutine.wrap(inner)) end end)) end]],
      ["spins, and returns as if nothing was"] = "return pcall(spin)",
      ["spins in a task of its own"] = "ctx:create_task(function() while true do pcall(spin) end end) ctx:sleep(1)",
    } do
      it("undoes code that " .. name, function()
        local units <close> = units_with { ["mm.lua"] = unit "old" }
        units:start "mm"
        units:offer("ticks", 1)
        assert.equal("committed", units:reload("mm", unit("new", code)).verdict)
        units:offer("ticks", 2, 13, 4)
        async.sleep(3)
        assert.same({ "old 1", "new 3", "old 16", "old 20" }, units:values())
        local report = units.reports[#units.reports]
        assert.equal("rolled_back:budget", report.verdict)
        assert.matches("mm.lua:%d+: it ran for [%d.]+ s without waiting; its quota is 0.02 s", report.error)
        assert.equal("running", units.runtime.units.mm.state)
      end)
    end
  end)

  it("is looked at twice in each step: what was held up once may end", function()
    local watch, judge = runaway.watch, nil
    runaway.watch = function(key, seconds, f)
      judge = f
      return watch(key, seconds, f)
    end
    local units <close> = units_with { ["mm.lua"] = [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(_, _, m) m.data() end }]] }
    runaway.watch = watch
    units:start "mm"
    local verdicts
    units:offer("ticks", function()
      verdicts = {
        judge(0.021, "mm.lua:1: ", 1), judge(0.0255, "mm.lua:1: ", 1), judge(0.03, "mm.lua:1: ", 2),
        judge(0.08, "mm.lua:1: ", 3),
      }
    end)
    async.sleep(0.1)
    local cut = "mm.lua:1: it ran for %g s without waiting; its quota is 0.02 s"
    assert.near(0.026, verdicts[1], 1e-9)
    assert.equal(cut:format(0.0255), verdicts[2].message)
    assert.near(0.035, verdicts[3], 1e-9)
    assert.equal(cut:format(0.08), verdicts[4].message)
  end)

  it("is no other unit's matter: it goes on being served", function()
    local units <close> = units_with({
      ["bad.lua"] = unit("bad", "while true do pcall(spin) end"), ["good.lua"] = unit "good",
    }, { supervision = { max_restarts = 2 } })
    units:start "bad"
    units:start "good"
    for i = 11, 16 do
      units:offer("ticks", i)
      async.sleep(0.01)
    end
    async.sleep(10)
    local good = {}
    for _, value in ipairs(units:values()) do
      good[#good + 1] = value:match "^good %d+$"
    end
    assert.same({ "good 11", "good 23", "good 36", "good 50", "good 65", "good 81" }, good)
    assert.same({ "failed", "running" }, { units.runtime.units.bad.state, units.runtime.units.good.state })
  end)

  it("outside of probation stops the unit when restarts do not help; a reload goes on with the event", function()
    local units <close> = units_with { ["mm.lua"] = unit("old", "spin()") }
    units:start "mm"
    units:offer("ticks", 1, 13, 4)
    async.sleep(10)
    assert.equal("failed", units.runtime.units.mm.state)
    assert.equal(6, units.runtime.units.mm.failed_events)
    assert.equal("committed", units:reload("mm", unit "new").verdict)
    async.sleep(1)
    assert.same({ "old 1", "new 14", "new 18" }, units:values())
  end)

  it("refuses new code whose init spins", function()
    local units <close> = units_with { ["mm.lua"] = unit "old" }
    units:start "mm"
    local report = units:reload("mm", unit("new", "", "init = function() while true do pcall(spin) end end"))
    assert.equal("rejected:init_timeout", report.verdict)
    assert.matches("mm.lua:%d+: it ran for", report.error)
    units:offer("ticks", 1)
    assert.same({ "old 1" }, units:values())
  end)

  it("refuses new code whose migrate spins", function()
    local units <close> = units_with { ["mm.lua"] = unit "old" }
    units:start "mm"
    local text = unit("new", "", "migrate = function(st) while true do pcall(spin) end end")
    assert.equal("rejected:migrate", units:reload("mm", (text:gsub("version = 1", "version = 2"))).verdict)
    units:offer("ticks", 1)
    assert.same({ "old 1" }, units:values())
  end)

  it("ends a dispose that spins", function()
    local units <close> = units_with { ["mm.lua"] = unit("old", "", "dispose = function() spin() end") }
    units:start "mm"
    local report = units:reload("mm", unit "new")
    assert.equal("committed", report.verdict)
    assert.matches("dispose failed: .*it ran for", table.concat(report.warnings, "\n"))
  end)

  it("lets go of what the unit holds of the runtime", function()
    local units <close> = units_with { ["mm.lua"] = unit("old", [[
      local hold <close> = ctx:forbid_reload "busy"
      spin()]]) }
    units:start "mm"
    units:offer("ticks", 13)
    assert.equal("committed", units:reload("mm", unit "new").verdict)
  end)

  it("is nobody's who has not asked, and ends with the runtime", function()
    do
      local units <close> = UnitFolder.new { ["mm.lua"] = unit("slow", "for _ = 1, 1e6 do end") }
      units:start "mm"
      assert.is_false(watchdog.alive())
      local others <close> = units_with {} -- luacheck: ignore
      assert.is_true(watchdog.alive())
    end
    assert.is_false(watchdog.alive())
    assert.error_matches(function()
      UnitFolder.new({}, { quota = { seconds = 0 } })
    end, "quota: {seconds = 0.001 or more} expected")
  end)
end)
