local Attached = require("spec.support.attached").Attached
local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local async = require "strobe.async"
local captured = require "spec.support.captured"
local json = require "strobe.json"
local program = require("strobe.core.host").program
local reload = require "strobe.attach.reload"
local uv = require "luv"

local PID = ("%d"):format(uv.os_getpid())

local function adder(step)
  return ([[
    return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
      if m.data == 13 and STEP > 1 then error "unlucky" end
      ctx:emit("out", m.data * STEP)
    end }]]):gsub("STEP", step)
end

local function attached_with(rights)
  return Attached.new {
    units = { ["mm.lua"] = (adder(1)) }, rights = rights, runtime = { probation = { events = 2, seconds = 1 } },
  }
end

local function run(...)
  return captured.run(reload.main, { ... })
end

describe("strobe reload", function()
  it("gives a unit its new code, prints the report, and ends with 0", function()
    local attached <close> = attached_with()
    attached.units:write("mm.lua", (adder(10)))
    local status, output, complaint = run(PID, "mm")
    assert.same({ 0, "" }, { status, complaint })
    assert.matches("^mm: committed, generation 2 takes over from 1 %(mm.lua%), paused [%d.]+ ms\n$", output)
    attached.units:offer("ticks", 1)
    assert.same({ 10 }, attached.units:values())
  end)

  it("takes the one process that runs, and the units that have changed", function()
    local attached <close> = attached_with()
    assert.same({ 0, "", "strobe: reload: no file of a unit has changed\n" }, { run() })
    attached.units:write("mm.lua", (adder(10)))
    assert.matches("^mm: committed", select(2, run()))
    assert.matches("^mm: committed", select(2, run "mm"))
    assert.matches("^mm: committed", select(2, run(PID, "mm")))
  end)

  it("prints reports as JSON", function()
    local attached <close> = attached_with()
    local status, output = run("--json", "mm")
    assert.equal(0, status)
    local report = json.decode((output:gsub("\n$", "")))
    assert.same({ "mm", 1, 2, "committed" }, { report.unit, report.from, report.to, report.verdict })
    assert.truthy(attached)
  end)

  it("ends with 3 when it is refused, and says what to do", function()
    local attached <close> = attached_with()
    attached.units:write("mm.lua", "return {")
    local status, output = run "mm"
    assert.equal(3, status)
    assert.matches("^mm: rejected:syntax, generation 1 goes on\n  .*mm.lua:1: ", output)
    assert.matches("\n  remedy: fix the line, save, reload\n$", output)
    local refused, line = run("mm", "--json")
    assert.equal(3, refused)
    assert.equal("rejected:syntax", json.decode((line:gsub("\n$", ""))).verdict)
  end)

  it("ends with 3 when the process lets nobody change it", function()
    local attached <close> = attached_with "ro"
    local status, output, complaint = run "mm"
    assert.same({ 3, "" }, { status, output })
    assert.equal("strobe: reload: this process lets nobody change it: it was started with --attach=ro\n", complaint)
    assert.truthy(attached)
  end)

  it("with --nowait ends with 3 while another reload is under way", function()
    local attached <close> = attached_with()
    local status, output
    do
      local held <close> = attached.units.runtime.lock:acquire() -- luacheck: ignore
      status, output = run("mm", "--nowait")
    end
    assert.equal(3, status)
    assert.matches("^mm: rejected:barrier, generation 1 goes on\n  another reload is under way\n", output)
    assert.matches("\n  remedy: ask again in a moment\n$", output)
  end)

  it("with --proven waits until the new code has proven itself", function()
    local attached <close> = attached_with()
    local began = async.time()
    local market = async.create_task(function()
      async.sleep(0.5)
      attached.units:offer("ticks", 1, 2, 3)
    end)
    local status, output = run("mm", "--proven")
    market:await()
    assert.equal(0, status)
    assert.matches("^mm: committed", output)
    assert.is_true(async.time() - began > 1)
  end)

  it("with --proven ends with 4 when it is rolled back", function()
    local attached <close> = attached_with()
    attached.units:write("mm.lua", (adder(10)))
    local market = async.create_task(function()
      async.sleep(0.5)
      attached.units:offer("ticks", 13)
    end)
    local status, output = run("mm", "--proven")
    market:await()
    assert.equal(4, status)
    assert.matches("^mm: rolled_back:error, generation 1 takes over again from 2", output)
    assert.matches("unlucky", output)
  end)

  it("ends with 1 when there is no such process or unit", function()
    local attached <close> = attached_with()
    assert.same({ 1, "", "strobe: reload: there is no unit 'zz'; there are: mm\n" }, { run "zz" })
    local status, _, complaint = run("999999999", "mm")
    assert.equal(1, status)
    assert.matches("^strobe: reload: there is no process 999999999 with a socket in ", complaint)
    attached.server:close()
    assert.same({ 1, "", "strobe: reload: no process runs that could be reached\n" }, { run "mm" })
  end)

  it("ends with 1 when the process ends meanwhile", function()
    local attached <close> = attached_with()
    async.create_task(function()
      async.sleep(0.5)
      attached.server:close()
    end)
    local status, _, complaint = run("mm", "--proven")
    assert.equal(1, status)
    assert.equal(("strobe: reload: process %s: the process ends\n"):format(PID), complaint)
  end)

  it("ends with 2 when it is used in another way, or when there are several processes", function()
    for _, words in ipairs { { "1", "2", "3" }, { "a", "b" }, { "--what" } } do
      local status, _, complaint = run(table.unpack(words))
      assert.equal(2, status)
      assert.matches("^strobe: reload: .*\nusage: strobe reload", complaint)
    end
    assert.matches("^usage: strobe reload", select(2, run "--help"))
    local attached <close> = attached_with()
    local child <close> = Child.spawn(program, { "-e", [[
      local server <close> = assert(require("strobe.attach").serve())
      print "ready"
      require("strobe.async").sleep(60)]] })
    child:expect("stdout", "ready")
    local status, _, complaint = run "mm"
    assert.equal(2, status)
    assert.matches("^strobe: reload: there are several processes, say which by its PID:\nPID .*\n" .. child.pid,
      complaint)
    assert.truthy(attached)
  end)

  it("is a command of strobe's", function()
    local folder <close> = RuntimeFolder.new()
    local child <close> = Child.spawn(program, { "reload", "99", "mm" })
    assert.equal(1, child:wait())
    assert.matches("^strobe: reload: there is no process 99 with a socket in " .. folder.path:gsub("%p", "%%%0"),
      child.output.stderr)
    local other <close> = Child.spawn(program, { "ps", "--help" })
    assert.equal(0, other:wait())
    assert.matches("^usage: strobe ps", other.output.stdout)
  end)
end)
