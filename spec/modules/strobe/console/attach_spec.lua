local Attached = require("spec.support.attached").Attached
local Child = require "spec.support.child"
local RuntimeFolder = require("spec.support.attached").RuntimeFolder
local Terminal = require "spec.support.terminal"
local attach = require "strobe.console.attach"
local captured = require "spec.support.captured"
local program = require("strobe.core.host").program
local uv = require "luv"

local PID = tostring(math.tointeger(uv.os_getpid()))

-- A process to attach to; it says "ready" and waits.
local WAITING = [[
local async = require "strobe.async"
count = 0
print "ready"
io.stdout:flush()
async.sleep(60)
]]

local function start(folder, text, option)
  local path = folder.path .. "/script.lua"
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  local process = Child.spawn(program, { option or "--attach=rw", path })
  process:expect("stdout", "ready")
  return process
end

-- Elsewhere on the machine others may run: the process is always named.
local function run(process, words, input)
  local command <close> = Child.spawn(program, { "attach", tostring(process.pid), table.unpack(words) },
    { input = input or "" })
  local status = command:wait()
  return status, command.output.stdout, command:complaints()
end

describe("strobe attach", function()
  it("runs code in the process that is named, and prints what comes of it", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    assert.same({ 0, "hi\n42\n\"x\"\n", "" }, { run(process, { "-e", "print 'hi' return 6 * 7, 'x'" }) })
    assert.same({ 0, "", "" }, { run(process, { "-e", "count = 1" }) })
    assert.same({ 0, "0\n", "" }, { run(process, { "-e", "count" }) }) -- another console: its variables are its own
    assert.same({ 0, "1\n", "" }, { run(process, { "-e", "_G.count = 1 return _G.count" }) })
  end)

  it("runs what stdin holds when that is no terminal, as one input", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    assert.same({ 0, "3\n", "" }, { run(process, {}, "local a = 1\nlocal b = 2\nreturn a + b\n") })
  end)

  it("tells errors on stderr", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    for code, problem in pairs {
      ["error 'no'"] = "no", ["if x then"] = "the code is incomplete", ["x x"] = "near 'x'",
    } do
      local status, output, complaint = run(process, { "-e", code })
      assert.same({ 1, "" }, { status, output })
      assert.matches(problem, complaint)
    end
    assert.is_nil(process.status)
  end)

  it("interrupts by Ctrl-C what was begun, and the process goes on", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    local code = "local async = require 'strobe.async' print 'begun' async.sleep(60)"
    local command <close> = Child.spawn(program, { "attach", tostring(process.pid), "-e", code })
    command:expect("stdout", "begun")
    command:kill "sigint"
    assert.equal(130, command:wait())
    assert.same({ 0, "1\n", "" }, { run(process, { "-e", "1" }) })
    assert.is_nil(process.status)
  end)

  it("says when a process does not answer to Ctrl-C, and names strobe dump", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    local code = "print 'begun' async.sleep(60)"
    local command <close> = Child.spawn(program, { "attach", tostring(process.pid), "-e", code })
    command:expect("stdout", "begun")
    process:kill "sigstop"
    command:kill "sigint"
    assert.equal(130, command:wait())
    assert.matches(("process %d does not answer within 2 s; 'strobe dump %d'"):format(process.pid, process.pid),
      command.output.stderr)
    process:kill "sigkill"
  end)

  it("says when the process lets nobody in as its loop is stuck, and names strobe dump", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, "print 'ready' io.stdout:flush() while true do end")
    local status, _, complaint = run(process, { "-e", "1" })
    assert.equal(1, status)
    assert.matches(("process %d does not answer within 2 s; 'strobe dump %d' lets it"):format(process.pid, process.pid),
      complaint)
  end)

  it("carries out a command", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    local status, output = run(process, { "-e", ":ps" })
    assert.equal(0, status)
    assert.matches("main", output)
    local wrong, _, complaint = run(process, { "-e", ":dance" })
    assert.same({ 1, "strobe: attach: no such command; :help\n" }, { wrong, complaint })
    assert.same({ 0, "", "" }, { run(process, { "-e", ":quit" }) })
    assert.same({ 0, "", "" }, { run(process, { "-e", ":clear" }) })
    assert.same({ 1, "", "strobe: attach: this takes a console, as strobe attach opens one\n" },
      { run(process, { "-e", ":edit" }) })
    assert.is_nil(process.status)
  end)

  it("says when the process ends meanwhile", function()
    local folder <close> = RuntimeFolder.new()
    for signal, why in pairs { sigterm = "the process ends", sigkill = "the connection has ended" } do
      local process <close> = start(folder, WAITING)
      local code = "local async = require 'strobe.async' print 'begun' async.sleep(60)"
      local command <close> = Child.spawn(program, { "attach", tostring(process.pid), "-e", code })
      command:expect("stdout", "begun")
      process:kill(signal)
      assert.equal(3, command:wait())
      assert.matches(("strobe: attach: process %d: %s\n"):format(process.pid, why), command.output.stderr)
    end
  end)

  it("tells how a script gets a socket that runs without one", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING, "--attach=off")
    local status, _, complaint = run(process, { "-e", "1" })
    assert.equal(1, status)
    assert.matches("without one: a script has one by %-%-attach=rw\n$", complaint)
  end)

  it("only looks on with --ro, and where the process lets nobody change it", function()
    local folder <close> = RuntimeFolder.new()
    do
      local process <close> = start(folder, WAITING)
      local status, _, complaint = run(process, { "--ro", "-e", "1" })
      assert.equal(1, status)
      assert.matches("it needs the rights rw", complaint)
      end
    local process <close> = start(folder, WAITING, "--attach=ro")
    local status, _, complaint = run(process, { "-e", "1" })
    assert.equal(1, status)
    assert.matches(("^strobe: process %d lets nobody change it: you may look on\n"):format(process.pid), complaint)
  end)

  it("asks which when there are several processes, and says when there is none", function()
    local folder <close> = RuntimeFolder.new()
    local status, _, complaint = captured.run(attach.main, { "-e", "1" })
    assert.same({ 1, "strobe: attach: no process runs that could be reached\n" }, { status, complaint })
    local one <close> = start(folder, WAITING)
    local two <close> = start(folder, WAITING)
    status, _, complaint = captured.run(attach.main, { "-e", "1" })
    assert.equal(2, status)
    assert.matches("^strobe: attach: there are several processes, say which by its PID:\nPID ", complaint)
    assert.matches(("\n%d "):format(one.pid), complaint)
    assert.matches(("\n%d "):format(two.pid), complaint)
  end)

  Terminal.stories(_ENV)("is a console on a terminal, which leaves the process as it was", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    local terminal <close> = Terminal.open({ "attach", tostring(process.pid) },
      { environment = { "XDG_STATE_HOME=" .. folder.path } })
    terminal:expect(("process %d, strobe .*\n%d>"):format(process.pid, process.pid))
    terminal:press "local a = 6\r"
    terminal:press "a * 7\r"
    terminal:expect "\n42\n"
    terminal:press ":ps main\r"
    terminal:expect "\n +%d+ +main "
    terminal:press "async.sleep(60)\r"
    terminal:expect "sleep%(60%)"
    terminal:press "\3"
    terminal:expect "cancel"
    terminal:press "\4"
    assert.equal(0, terminal:wait())
    assert.is_nil(process.status)
  end)

  Terminal.stories(_ENV)("ends with status 3 when the process ends under the console", function()
    local folder <close> = RuntimeFolder.new()
    local process <close> = start(folder, WAITING)
    local terminal <close> = Terminal.open({ "attach", tostring(process.pid), "--ro" },
      { environment = { "XDG_STATE_HOME=" .. folder.path } })
    terminal:expect(("\n%d>"):format(process.pid))
    terminal:press "1\r"
    terminal:expect "needs the rights rw"
    process:kill "sigterm"
    assert.equal(3, terminal:wait())
  end)

  it("tells how it is used", function()
    local status, output = captured.run(attach.main, { "--help" })
    assert.equal(0, status)
    assert.matches("^usage: strobe attach %[PID%]", output)
    for words, problem in pairs {
      [{ "-e" }] = "%-e: the code is missing", [{ "x" }] = "'x' is no number", [{ "1", "2" }] = "one word too many",
      [{ "--rw" }] = "unknown option",
    } do
      local wrong, _, complaint = captured.run(attach.main, words)
      assert.equal(2, wrong)
      assert.matches("^strobe: attach: .*" .. problem .. ".*\nusage: strobe attach", complaint)
    end
  end)

  it("leaves no trace in the process but a line in its log", function()
    local attached <close> = Attached.new()
    assert.equal(0, (run({ pid = PID }, { "-e", "1" })))
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    local lines = attached:logged()
    assert.matches("op=connect ok$", lines[1])
    assert.matches('name="strobe attach" op=open rw$', lines[2])
    assert.matches('op=eval code="1" ok [%d.]+ ms$', lines[3])
  end)
end)
