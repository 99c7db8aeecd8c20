local Attached = require("spec.support.attached").Attached
local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local attach = require "strobe.attach"
local captured = require "spec.support.captured"
local directory = require "strobe.attach.directory"
local dump = require "strobe.attach.dump"
local net = require "strobe.net"
local program = require("strobe.core.host").program
local ps = require "strobe.attach.ps"
local uv = require "luv"

-- A script that can be attached to, and then never waits again.
local STUCK = [[
local function hedge()
  while true do end
end
print "ready"
io.stdout:flush()
hedge()
]]

local function start(folder, text, ...)
  local file <close> = assert(io.open(folder.path .. "/stuck.lua", "w"))
  file:write(text)
  file:close()
  local process = Child.spawn(program, { "--attach=rw", folder.path .. "/stuck.lua", ... })
  process:expect("stdout", "ready")
  return process
end

local function run(...)
  local command <close> = Child.spawn(program, { ... })
  local status = command:wait()
  return status, command.output.stdout, command.output.stderr
end

describe("strobe dump", function()
  it("has a stuck process print the stacks of its tasks, which goes on", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, STUCK)
    for _ = 1, 2 do
      local status, _, said = run("dump", tostring(process.pid))
      assert.equal(0, status)
      assert.matches(("strobe: process %d prints the stacks of its tasks on its standard error: %%S+\n$"):format(
        process.pid), said)
      process:expect("stderr", "stuck.lua:2")
      process.output.parts.stderr = {}
    end
    assert.is_nil(process.status)
  end)

  it("shows them here as well when they go to a file", function()
    local folder <close> = RuntimeFolder.new { ["log"] = "before\n" }
    local log <close> = assert(io.open(folder.path .. "/log", "a"))
    local line = ("exec %s --attach=ro %s/stuck.lua 2>>%s/log"):format(program, folder.path, folder.path)
    local file <close> = assert(io.open(folder.path .. "/stuck.lua", "w"))
    file:write(STUCK)
    file:close()
    local process <close> = Child.spawn("sh", { "-c", line })
    process:expect("stdout", "ready")
    local status, output, said = run("dump", tostring(process.pid))
    assert.equal(0, status)
    assert.matches(": " .. folder.path .. "/log\n", said, 1, true)
    assert.matches("stuck.lua:2", output)
    assert.not_matches("before", output)
    log:close()
  end)

  it("is what others name when a process does not answer", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, STUCK)
    local told = ("process %d does not answer within %%g s; 'strobe dump %d' lets it print what it does"):format(
      process.pid, process.pid)
    assert.same({ nil, told:format(0.2), "ETIMEDOUT" }, { attach.connect(process.pid, { timeout = 0.2 }) })
    local list = ps.list()
    assert.same({ process.pid, true }, { list[1].pid, list[1].busy })
    assert.matches("%-%-attach=rw .*stuck.lua$", list[1].command)
  end)

  it("leaves alone what does not listen at the socket of that number", function()
    local attached <close> = Attached.new()
    local path = directory.socket(attached.folder.path .. "/strobe", 1)
    local other <close> = assert(net.listen_unix(path))
    local status, _, complaint = captured.run(dump.main, { "1" })
    other:close()
    assert.equal(1, status)
    assert.equal(("strobe: dump: %s: process %d listens there: nothing is sent to 1\n"):format(path,
      uv.os_getpid() // 1), complaint)
  end)

  it("says when there is no such process", function()
    local folder <close> = RuntimeFolder.new()
    local status, _, complaint = captured.run(dump.main, { "99" })
    assert.same({ 1, ("strobe: dump: there is no process 99 with a socket in %s/strobe\n"):format(folder.path) },
      { status, complaint })
  end)

  it("tells how it is used", function()
    local status, output = captured.run(dump.main, { "--help" })
    assert.equal(0, status)
    assert.matches("^usage: strobe dump PID", output)
    for words, problem in pairs {
      [{}] = "of which process", [{ "x" }] = "'x' is no number", [{ "0" }] = "'0' is no number",
      [{ "1", "2" }] = "'2' is one word too many", [{ "--what" }] = "unknown option",
    } do
      local wrong, _, complaint = captured.run(dump.main, words)
      assert.equal(2, wrong)
      assert.matches("^strobe: dump: .*" .. problem .. ".*\nusage: strobe dump", complaint)
    end
  end)
end)
