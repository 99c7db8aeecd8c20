local Attached = require("spec.support.attached").Attached
local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local captured = require "spec.support.captured"
local directory = require "strobe.attach.directory"
local json = require "strobe.json"
local net = require "strobe.net"
local program = require("strobe.core.host").program
local ps = require "strobe.attach.ps"
local uv = require "luv"

local PID = math.tointeger(uv.os_getpid())
local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

describe("strobe ps", function()
  it("lists processes with their units", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local status, output = captured.run(ps.main, {})
    assert.equal(0, status)
    local head, row = output:match "^([^\n]*)\n([^\n]*)\n$"
    assert.matches("^PID +UP +UNITS +TASKS +LAG +MEMORY +COMMAND$", head)
    assert.matches(("^%d +0 s +mm:1 +%%d+ +%%- +[%%d.]+ [MG]iB +.*strobe"):format(PID), row)
    assert.truthy(attached)
  end)

  it("lists them as JSON, an object a line", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local status, output = captured.run(ps.main, { "--json" })
    assert.equal(0, status)
    local told = json.decode((output:gsub("\n$", "")))
    assert.same({ PID, { { unit = "mm", gen = 1, state = "running" } } }, { told.pid, told.units })
    assert.truthy(attached)
  end)

  it("says that a process is busy when it does not answer", function()
    local folder <close> = RuntimeFolder.new()
    local busy = assert(net.listen_unix(directory.socket(directory.open(), 97)))
    local began = require("strobe.async").time()
    assert.same({ { pid = 97, busy = true } }, ps.list())
    assert.near(0.5, require("strobe.async").time() - began, 0.1)
    local _, output = captured.run(ps.main, {})
    busy:close()
    assert.matches("\n97 +busy +%- ", output)
    assert.truthy(folder)
  end)

  it("lists a process that lets nobody in any more", function()
    local attached <close> = Attached.new()
    for _ = 1, 8 do
      attached:raw()
    end
    local list = ps.list()
    assert.same({ PID, true }, { list[1].pid, list[1].busy })
    assert.matches("strobe", list[1].command)
  end)

  it("says when there is none", function()
    local folder <close> = RuntimeFolder.new()
    local status, output, complaint = captured.run(ps.main, {})
    assert.same({ 0, "" }, { status, output })
    assert.equal(("strobe: no process with an attach socket in %s/strobe\n"):format(folder.path), complaint)
    assert.same({ 0, "", "" }, { captured.run(ps.main, { "--json" }) })
  end)

  it("tells how it is used", function()
    local status, output = captured.run(ps.main, { "--help" })
    assert.equal(0, status)
    assert.matches("^usage: strobe ps", output)
    for _, words in ipairs { { "x" }, { "--what" }, { "--json=1" } } do
      local wrong, _, complaint = captured.run(ps.main, words)
      assert.equal(2, wrong)
      assert.matches("^strobe: ps: .*\nusage: strobe ps", complaint)
    end
  end)

  it("writes times, units and what is not known for people", function()
    local told = { pid = 7, uptime = 90061, tasks = 3, lag_p99 = 0.0123, rss = 1048576 * 1.5, command = "strobe\tx\27",
      units = { { unit = "a", gen = 3, state = "running" }, { unit = "b", state = "starting" } } }
    assert.matches("7 +1d 1h +a:3,b:%- starting +3 +12.3 ms +1.5 MiB +strobe\\x09x\\x1b", ps.text { told })
    told.uptime = 3725
    assert.matches(" 1h 2m ", ps.text { told })
    told.uptime, told.units = 65.9, {}
    assert.matches(" 1m 5s +%- ", ps.text { told })
  end)

  it("sees a process from another one", function()
    local folder <close> = RuntimeFolder.new()
    local script = [[
      local server <close> = assert(require("strobe.attach").serve())
      print "ready"
      require("strobe.async").sleep(60)]]
    local child <close> = Child.spawn(program, { "-e", script })
    child:expect("stdout", "ready")
    local list = ps.list()
    assert.equal(1, #list)
    assert.equal(child.pid, list[1].pid)
    assert.matches("%-e", list[1].command)
    child:kill "sigkill"
    child:wait()
    assert.same({}, ps.list())
    assert.same({}, directory.list()) -- what it had left is gone
    assert.truthy(folder)
  end)
end)
