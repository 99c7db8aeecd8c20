local Folder = require "spec.support.folder"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local fs = require "strobe.async.fs"
local json = require "strobe.json"

local unit = [[
  return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
    ctx:log("info", "got %s", m.data)
    ctx:emit("out", m.data)
    if m.data == LIMIT then error "too much" end
  end }]]

local function read(path)
  local lines = {}
  for line in assert(fs.read_file(path)):gmatch "[^\n]+" do
    lines[#lines + 1] = json.decode(line)
  end
  return lines
end

-- Kinds of the lines, and how often each comes in a row.
local function kinds(lines)
  local list = {}
  for i, line in ipairs(lines) do
    list[i] = line.kind
  end
  return table.concat(list, " ")
end

-- The last path that the log names.
local function recorded(units)
  for i = #units.logged, 1, -1 do
    local path = units.logged[i][2]:match "^flight recorder: .-: (/.*)$"
    if path then
      return path, units.logged[i][2]
    end
  end
end

describe("the flight recorder", function()
  it("writes down on demand what happened last", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit:gsub("LIMIT", "0") }
    units:start "mm"
    units:offer("ticks", 1, 2)
    local path = units.folder.path .. "/flight.jsonl"
    assert(units.runtime:record_flight("mm", path))
    local lines = read(path)
    assert.equal("flight report event log effect event log effect", kinds(lines))
    assert.same({ "mm", 1, "on demand", 7 }, { lines[1].unit, lines[1].gen, lines[1].why, lines[1].entries })
    assert.same({ 2, "ticks", 2 }, { lines[6].seq, lines[6].stream, lines[6].data })
    assert.same({ "out", 2, "mm/2/1" }, { lines[8].port, lines[8].value, lines[8].id })
    assert.equal("got 2", lines[7].log.text)
  end)

  it("records a failure, and says where", function()
    local folder <close> = Folder.new {}
    local units <close> = UnitFolder.new({ ["mm.lua"] = unit:gsub("LIMIT", "2") },
      { flight = { folder = folder.path .. "/deep/flight" }, supervision = { restart = "temporary" } })
    units:start "mm"
    units:offer("ticks", 1, 2)
    async.sleep(1)
    local lines = read((recorded(units)))
    assert.equal("flight report event log effect event log error log log", kinds(lines))
    assert.equal("failure", lines[1].why)
    assert.matches("too much", lines[8].error.text)
    assert.matches("mm.lua:4", lines[8].error.trace)
  end)

  it("records a rollback", function()
    local folder <close> = Folder.new {}
    local units <close> = UnitFolder.new({ ["mm.lua"] = unit:gsub("LIMIT", "0") },
      { flight = { folder = folder.path } })
    units:start "mm"
    units:reload("mm", (unit:gsub("LIMIT", "2")))
    units:offer("ticks", 1, 2)
    async.sleep(1)
    local path, text = recorded(units)
    assert.matches("flight recorder: rolled_back:error: ", text)
    local lines = read(path)
    assert.equal("rolled_back:error", lines[1].why)
    assert.matches("report report event log effect event log error log .*report", kinds(lines))
  end)

  it("is bounded: by entries, by seconds, by files", function()
    local folder <close> = Folder.new {}
    local units <close> = UnitFolder.new({ ["mm.lua"] = unit:gsub("LIMIT", "-1") },
      { flight = { folder = folder.path, entries = 6, seconds = 5, files = 2 }, supervision = { max_restarts = 50 } })
    units:start "mm"
    for i = 1, 100 do
      units:offer("ticks", i)
    end
    local path = units.folder.path .. "/flight.jsonl"
    assert(units.runtime:record_flight("mm", path))
    local lines = read(path)
    assert.equal("flight event log effect event log effect", kinds(lines))
    assert.equal(301, lines[1].noted)
    async.sleep(6)
    assert(units.runtime:record_flight("mm", path))
    assert.equal("flight", kinds(read(path)))
    units:offer("ticks", -1)
    async.sleep(100)
    assert.equal(2, #fs.readdir(folder.path))
  end)

  it("keeps nothing when that is asked for", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = unit:gsub("LIMIT", "0") }, { flight = { entries = 0 } })
    units:start "mm"
    units:offer("ticks", 1, 2)
    local path = units.folder.path .. "/flight.jsonl"
    assert(units.runtime:record_flight("mm", path))
    assert.equal("flight", kinds(read(path)))
  end)

  it("tells what JSON has no words for as text", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit:gsub("LIMIT", "0"):gsub('ctx:log.-\n', "\n") }
    units:start "mm"
    local loop = {}
    loop[1] = loop
    units:offer("ticks", print, 0 / 0, loop)
    local path = units.folder.path .. "/flight.jsonl"
    assert(units.runtime:record_flight("mm", path))
    local lines = read(path)
    assert.matches("^function: ", lines[3].data)
    assert.matches("^table: ", lines[7].data)
  end)

  it("that cannot write is a line of the log, and nothing else", function()
    local folder <close> = Folder.new { file = "" }
    local units <close> = UnitFolder.new({ ["mm.lua"] = unit:gsub("LIMIT", "2") },
      { flight = { folder = folder.path .. "/file" }, supervision = { restart = "temporary" } })
    units:start "mm"
    units:offer("ticks", 1, 2)
    async.sleep(1)
    local level, text = table.unpack(units.logged[#units.logged])
    assert.equal("warning", level)
    assert.matches("flight recorder: no recording: .*/file/mm%-.*: not a directory", text)
    local done, message, code = units.runtime:record_flight("mm", "/dev/full")
    assert.same({ nil, "ENOSPC" }, { done, code })
    assert.matches("/dev/full: no space left on device", message)
  end)
end)
