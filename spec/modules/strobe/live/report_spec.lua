local UnitFolder = require "spec.support.unit_folder"
local json = require "strobe.json"
local reports = require "strobe.live.report"

local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

-- A report that says all there is to say.
local function full()
  return {
    unit = "mm", from = 7, to = 8, verdict = "committed", files = { "mm.lua" }, rebuilt = { "mm.lua" },
    carried = { "book.lua" }, version = { 2, 3 }, pause_us = 840, backlog_max = 12, tasks_cancelled = 2,
    kept = { "gw" }, remade = { "db" }, skipped = 4, warnings = { "'cache' was reset" }, cut = { 17 },
  }
end

describe("a report", function()
  it("of a change as text says what changed, how long it took, and what to know", function()
    assert.equal([[
mm: committed, generation 8 takes over from 7 (mm.lua), paused 0.84 ms, 12 events waited
  the state of version 2 became one of version 3
  not loaded again: book.lua
  kept: gw
  made anew: db
  the handler of event 17 was cut short
  4 events of streams no longer subscribed were skipped
  warning: 'cache' was reset]], reports.text(full()))
  end)

  it("of a refusal says where, why, and what to do, for files below a folder without that", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = UNIT }
    local folder = units.folder.path
    assert.equal("mm: committed, generation 1 starts (mm.lua)", reports.text(units:start "mm"))
    local text = reports.text(units:reload("mm", UNIT .. "\nx ="), { folder = folder })
    assert.equal([[
mm: rejected:syntax, generation 1 goes on
  mm.lua:2: <eof> expected near 'x'
  remedy: fix the line, save, reload]], text)
    assert.matches("  " .. folder:gsub("%p", "%%%0") .. "/mm.lua:2: ", reports.text(units.reports[2]))
    units:write("other.lua", "return 1")
    text = reports.text(units:start "other", { folder = folder })
    assert.matches("^other: rejected:empty, it does not start\n  other.lua:1: ", text)
  end)

  it("of a reload that was undone says so", function()
    local told = { unit = "mm", from = 2, to = 1, verdict = "rolled_back:error", error = "mm.lua:7: no", replayed = 3 }
    assert.equal([[
mm: rolled_back:error, generation 1 takes over again from 2, 3 events processed again
  mm.lua:7: no]], reports.text(told))
    told.verdict = "rolled_back:failed"
    assert.matches("^mm: rolled_back:failed, generation 2 failed, and 1 too: it stands still\n", reports.text(told))
  end)

  it("has its verdict in colour if that is asked for, and nothing else steers the terminal", function()
    local told = { unit = "mm", from = 1, to = 2, verdict = "rejected:load", error = "a\27[2Jb\n\tc", files = {} }
    assert.equal("mm: \27[31mrejected:load\27[0m, generation 1 goes on\n  a\\x1b[2Jb\n    c",
      reports.text(told, { color = true }))
    assert.matches("^mm: \27%[32mcommitted\27%[0m, ", reports.text(full(), { color = true }))
  end)

  it("as JSON is one line with all fields in their order, and empty lists that are lists", function()
    local line = reports.json(full())
    assert.matches('^{"unit":"mm","from":7,"to":8,"verdict":"committed","files":%["mm.lua"%],"rebuilt":', line)
    assert.matches('"version":%[2,3%],"pause_us":840,"backlog_max":12,"tasks_cancelled":2,"kept":%["gw"%]', line)
    assert.matches('"remedy":null,"cut":%[17%]}$', line)
    assert.not_matches("\n", line)
    local units <close> = UnitFolder.new { ["mm.lua"] = UNIT }
    line = reports.json(units:start "mm")
    assert.matches('"carried":%[%],"version":%[null,1%],', line)
    assert.equal("committed", json.decode(line).verdict)
    line = reports.json { unit = "mm", from = 2, to = 1, verdict = "rolled_back:error", replayed = 3 }
    assert.matches('"files":%[%].+"pause_us":null.+"replayed":3}$', line)
  end)
end)
