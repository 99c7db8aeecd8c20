local Attached = require("spec.support.attached").Attached
local Child = require "spec.support.child"
local Pace = require "spec.support.pace"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local Terminal = require "spec.support.terminal"
local captured = require "spec.support.captured"
local inspect = require "strobe.core.inspect"
local program = require("strobe.core.host").program
local top = require "strobe.attach.top"
local uv = require "luv"

local PID = tostring(math.tointeger(uv.os_getpid()))
local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

-- A process whose task "busy" is the busiest.
local SCRIPT = [[
local async = require "strobe.async"
local busy = async.create_task(function()
  while true do
    for _ = 1, 1e5 do end
    async.sleep(0.01)
  end
end)
busy:set_name "busy"
print "ready"
io.stdout:flush()
async.sleep(60)
]]

local function start()
  local process = Child.spawn(program, { "--attach=rw", "-e", SCRIPT })
  process:expect("stdout", "ready")
  return process
end

describe("strobe top", function()
  it("prints one page without a terminal, and no escape sequence", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local status, output = captured.run(top.main, { PID })
    assert.equal(0, status)
    assert.matches(("^process %s   up "):format(PID), output)
    assert.matches("\nmm +1 +running +0 +0 ", output)
    assert.matches("\n *TASK +NAME ", output)
    assert.not_matches("\27", output)
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    assert.is_false(inspect.times()) -- nothing is measured any more
  end)

  it("says when there is no process, or which are there", function()
    local folder <close> = RuntimeFolder.new()
    local status, _, complaint = captured.run(top.main, {})
    assert.same({ 1, "strobe: top: no process runs that could be reached\n" }, { status, complaint })
    status, _, complaint = captured.run(top.main, { "99" })
    assert.equal(1, status)
    assert.matches("there is no process 99", complaint)
    assert.truthy(folder)
  end)

  it("tells how it is used", function()
    local status, output = captured.run(top.main, { "--help" })
    assert.equal(0, status)
    assert.matches("^usage: strobe top %[PID%]", output)
    for _, words in ipairs { { "x" }, { "1", "2" }, { "--what" } } do
      local wrong, _, complaint = captured.run(top.main, words)
      assert.equal(2, wrong)
      assert.matches("^strobe: top: .*\nusage: strobe top", complaint)
    end
  end)

  Terminal.stories(_ENV)("shows page after page on a terminal until q is pressed", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start()
    local terminal <close> = Terminal.open { "top", tostring(process.pid) }
    terminal:expect(("^process %d   up [^\n]+\n[^\n]+steps/s"):format(process.pid))
    terminal:expect "\n +%d+  busy +%- +waiting +[1-9]"
    terminal:expect "\nq ends it"
    terminal:press "x"
    terminal:press "q"
    assert.equal(0, terminal:wait())
    assert.truthy(folder)
  end)

  Terminal.stories(_ENV)("says when the process does not answer, and when it has ended", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start()
    local terminal <close> = Terminal.open { "top", tostring(process.pid) }
    terminal:expect "q ends it"
    process:kill "sigstop"
    terminal:expect(("no answer for %%d s: 'strobe dump %d' lets it print what it does"):format(process.pid))
    process:kill "sigcont"
    terminal:expect "q ends it"
    process:kill "sigkill"
    assert.equal(3, terminal:wait())
    assert.truthy(folder)
  end)
end)
