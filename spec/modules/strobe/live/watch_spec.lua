local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local unit = [[
  return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
    if m.data == "WORD" then error "broken" end
    ctx:log("info", "saw %s", m.data)
  end }]]

local function text(word)
  return (unit:gsub("WORD", word))
end

describe("who looks on at a runtime", function()
  it("is told of its log, of reports, and when new code has proven itself, until it looks away", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = text "1" }, { probation = { events = 1, seconds = 1 } })
    local told = {}
    local stop = units.runtime:watch {
      log = function(level, line, facts)
        told[#told + 1] = { level, line:match "^[^\n]*", facts.unit }
      end,
      report = function(report)
        told[#told + 1] = { report.verdict, report.to }
      end,
      proven = function(proven)
        told[#told + 1] = { "proven", proven.run.generation.number }
      end,
    }
    units:start "mm"
    units:offer("ticks", "a")
    units:reload("mm", text "2")
    async.sleep(1)
    units:offer("ticks", "b")
    units:reload("mm", text "3")
    units:offer("ticks", "3")
    async.sleep(0.1)
    stop()
    stop()
    units:reload("mm", text "4")
    assert.same({
      { "committed", 1 }, { "info", "saw a", "mm" }, { "committed", 2 }, { "info", "saw b", "mm" }, { "proven", 2 },
      { "committed", 3 }, { "error", "gen 3 failed at event 3", "mm" }, { "rolled_back:error", 2 },
      { "info", "saw 3", "mm" },
    }, told)
  end)
end)
