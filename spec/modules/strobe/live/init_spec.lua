local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local live = require "strobe.live"

local function text(word)
  return ([[
    return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
      ctx:emit("venue", "%s " .. m.data .. " of " .. tostring(ctx:query("venue", "free")))
    end }]]):format(word)
end

-- Until the block ends the runtime of these units is the process's.
local function current(units)
  live.set_runtime(units.runtime)
  return cleanup(function()
    live.set_runtime(nil)
  end)
end

describe("strobe.live", function()
  it("reloads, lists and rolls back units of the current runtime", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text "old", ["ema.lua"] = text "ema" }
    local _ <close> = current(units)
    assert.equal(units.runtime, live.runtime())
    local sent = {}
    live.port("venue", {
      send = function(value)
        sent[#sent + 1] = value
        return true
      end,
      query = function()
        return 7
      end,
    })
    units:start "ema"
    units:start "mm"
    units:write("mm.lua", text "new")
    local report, reports = live.reload("mm", { drain = 1 })
    assert.same({ "mm", "committed", 1 }, { report.unit, report.verdict, #reports })
    units:offer("ticks", 1)
    assert.equal("rolled_back:manual", live.rollback("mm").verdict)
    assert.is_nil(live.rollback "mm")
    units:offer("ticks", 2)
    table.sort(sent)
    assert.same({ "ema 1 of 7", "ema 2 of 7", "new 1 of 7", "old 2 of 7" }, sent)
    local verdicts = {}
    for i, attempt in ipairs(live.gens "mm") do
      verdicts[i] = attempt.number .. " " .. attempt.verdict
    end
    assert.same({ "1 committed", "2 committed", "1 rolled_back:manual" }, verdicts)
  end)

  it("reloads what has changed when no unit is named, and nothing if nothing has", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text "old", ["ema.lua"] = text "ema" }
    local _ <close> = current(units)
    units:start "ema"
    units:start "mm"
    local report, reports = live.reload()
    assert.same({ nil, {} }, { report, reports })
    units:write("mm.lua", text "new")
    report, reports = live.reload()
    assert.same({ "mm", 1 }, { report.unit, #reports })
  end)

  it("answers for the unit that was named, when others share its files", function()
    local shared = "local _ = require 'shared' " .. text "x"
    local units <close> = UnitFolder.new { ["a.lua"] = shared, ["b.lua"] = shared, ["shared.lua"] = "return 1" }
    local _ <close> = current(units)
    units:start "a"
    units:start "b"
    units:write("shared.lua", "return 2")
    local report, reports = live.reload "b"
    assert.same({ "b", 2 }, { report.unit, #reports })
  end)

  it("requests a reload without waiting, once for all who ask", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text "old" }
    local _ <close> = current(units)
    units:start "mm"
    for _ = 1, 5 do
      live.request_reload "mm"
    end
    assert.equal(1, #live.gens "mm")
    async.sleep(0.01) -- it is under way
    for _ = 1, 5 do
      live.request_reload "mm"
    end
    async.sleep(1)
    assert.equal(3, #live.gens "mm")
  end)

  it("lets units ask for it: of themselves without waiting, of others with the report", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text "old", ["boss.lua"] = [[
      local live = require "strobe.live"
      return { version = 1, subscribe = { "orders" }, on_event = function(ctx, st, m)
        if m.data == "self" then
          live.request_reload()
        else
          local report, reports = live.reload("mm", { drain = 1 })
          ctx:emit("out", ("%s %s %d"):format(report.unit, report.verdict, #reports))
        end
      end }]] }
    units:start "boss"
    units:start "mm"
    units:offer("orders", "mm")
    async.sleep(1)
    units:offer("orders", "self")
    async.sleep(1)
    assert.same({ "mm committed 1" }, units:values())
    assert.same({ 2, 2 }, { #units.runtime:gens "mm", #units.runtime:gens "boss" })
  end)

  it("says so when there is no runtime, or no such unit", function()
    assert.error_matches(function()
      live.reload "mm"
    end, "live.reload: no live runtime; `strobe live` makes one, live.set_runtime names another")
    local units <close> = UnitFolder.new {}
    local _ <close> = current(units)
    for _, name in ipairs { "reload", "request_reload", "gens", "rollback" } do
      assert.error_matches(function()
        live[name] "nobody"
      end, "there is no unit 'nobody'")
    end
  end)

  it("lets a module that declares types be used outside of units", function()
    local Price = {}
    assert.equal(Price, live.type("Price", Price))
  end)
end)
