local Folder = require "spec.support.folder"
local async = require "strobe.async"
local descriptors = require "spec.support.descriptors"
local peer = require "spec.support.peer"
local raised = require("spec.support.errors").raised
local strobe = require("spec.support.shell").lua
local uv = require "luv"

local subprocess = async.subprocess
local PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT

local tells = peer.stories(_ENV, uv.fs_stat "/proc/self/fd", "there is no /proc here, which tells of a child")

local exec, shell = async.create_subprocess_exec, async.create_subprocess_shell

-- What a line of the shell prints, started with these options.
local function output_of(line, options)
  options = options or {}
  options.stdout = options.stdout or PIPE
  local process <close> = shell(line, options)
  return process:communicate()
end

local function mistake(f, ...)
  local ok, message = pcall(function(...)
    local process = f(...) -- this line is to blame
    return process
  end, ...)
  assert.is_false(ok)
  assert.is_string(message)
  assert.matches("^spec/modules/strobe/async/subprocess_spec.lua:%d+: ", message)
  return (message:gsub("^[^ ]* ", ""))
end

describe("create_subprocess_exec", function()
  it("starts a program of PATH with its arguments as they are", function()
    local process <close> = exec("printf", "%s|", "a b", "$HOME", "", 5, 1.5, { stdout = PIPE })
    assert.equal("a b|$HOME||5|1.5|", process:communicate())
  end)

  it("needs neither arguments nor options", function()
    local process <close> = exec "true"
    assert.equal(0, process:wait())
  end)

  it("starts it in a folder, from where its own path counts", function()
    local folder <close> = Folder.new { ["tool"] = "#!/bin/sh\npwd" }
    uv.fs_chmod(folder.path .. "/tool", 448)
    local process <close> = exec("./tool", { cwd = folder.path, stdout = PIPE })
    assert.equal(uv.fs_realpath(folder.path) .. "\n", process:communicate())
  end)

  it("gives it our environment, or another, and nothing else", function()
    uv.os_setenv("STROBE_SPEC", "ours")
    assert.equal("ours\n", output_of "echo $STROBE_SPEC")
    uv.os_unsetenv "STROBE_SPEC"
    local process <close> = exec("/usr/bin/env", { env = { B = "b=2", A = 1, EMPTY = "" }, stdout = PIPE })
    assert.equal("A=1\nB=b=2\nEMPTY=\n", process:communicate())
    local bare <close> = exec("env", { env = {}, stdout = PIPE })
    assert.equal("", bare:communicate())
  end)

  describe("that fails raises an error which tells what, where and why:", function()
    local function fails(code, pattern, ...)
      local before = descriptors()
      local e = raised(async.Error, exec, ...)
      assert.equal(code, e.code)
      assert.matches(pattern, e.message)
      async.sleep(0)
      assert.equal(before, descriptors())
    end

    it("no such program", function()
      fails("ENOENT", "^cannot start nonesuch: no such program in PATH %(check the name, or give its path%)$",
        "nonesuch")
      fails("ENOENT", "^cannot start /none/such: no such file %(check the path%)$", "/none/such")
      fails("ENOENT", "no such program in PATH", "ls", { env = { PATH = "/nonesuch" } })
    end)

    it("no such folder", function()
      fails("ENOENT", "^cannot start ls in /none: there is no folder /none %(check cwd%)$", "ls", { cwd = "/none" })
      fails("ENOTDIR", "there is no folder /etc/passwd", "ls", { cwd = "/etc/passwd" })
    end)

    it("no interpreter", function()
      local folder <close> = Folder.new { tool = "#!/none/such\n" }
      uv.fs_chmod(folder.path .. "/tool", 448)
      fails("ENOENT", "the interpreter in its first line is not there", folder.path .. "/tool")
      fails("ENOENT", "the interpreter in its first line is not there", "./tool", { cwd = folder.path })
    end)

    it("no program", function()
      fails("EACCES", "permission denied %(look at its permissions: is it a program%?%)", "/etc/passwd")
      fails("EACCES", "permission denied", "/")
    end)

    it("too many arguments", function()
      fails("E2BIG", "argument list too long %(pass less", "true", ("x"):rep(1 << 20))
    end)

    it("and its pipes are closed", function()
      fails("ENOENT", "no such program", "nonesuch", { stdin = PIPE, stdout = PIPE, stderr = PIPE })
    end)
  end)

  it("without a free descriptor fails, wherever it has got to, and leaks none", function()
    local output, status = require("spec.support.shell").run("ulimit -n 64; $S $F", [[
      local async, uv = require "strobe.async", require "luv"
      local descriptors = require "spec.support.descriptors"
      local PIPE = async.subprocess.PIPE
      async.get_running_loop().slow_callback_duration = 60
      async.create_subprocess_exec("true", { stdin = PIPE }):close()
      local taken, started = {}, 0
      repeat
        taken[#taken + 1] = uv.fs_open("/dev/null", "r", 0)
      until #taken > 0 and not uv.fs_fstat(3) or not uv.fs_open("/dev/null", "r", 0)
      for free = 0, 12 do
        uv.fs_close(table.remove(taken))
        local before = descriptors()
        local ok, e = pcall(async.create_subprocess_exec, "true", { stdin = PIPE, stdout = PIPE, stderr = PIPE })
        if ok then
          started = started + 1
          e:close()
        elseif e.code ~= "EMFILE" or not e.message:find("close files, run fewer programs", 1, true) then
          print(e)
        end
        async.sleep(0)
        if descriptors() ~= before then print("leaked", free, before, descriptors()) end
      end
      print(started > 0 and started < 13)]])
    assert.equal("true\n", output)
    assert.equal(0, status)
  end)

  it("tells the caller of a mistake, and where it was made", function()
    assert.equal("create_subprocess_exec: program: a string expected, got nil", mistake(exec))
    assert.equal("create_subprocess_exec: program: a name expected, got an empty string", mistake(exec, ""))
    assert.equal([[create_subprocess_exec: program: it has no NUL byte, as "l\0s" has]], mistake(exec, "l\0s"))
    assert.equal([[create_subprocess_exec: argument 2: it has no NUL byte, as "\0" has]],
      mistake(exec, "ls", "a", "\0"))
    assert.equal("create_subprocess_exec: argument 1: a string expected, got boolean", mistake(exec, "ls", true))
    assert.equal("create_subprocess_exec: cwd: a string expected, got table", mistake(exec, "ls", { cwd = {} }))
    assert.equal("create_subprocess_exec: env: a table expected, got string", mistake(exec, "ls", { env = "A=1" }))
    for _, name in ipairs { "A=B", "", "A\0", 1 } do
      assert.matches("env: .* cannot be a variable's name", mistake(exec, "ls", { env = { [name] = "x" } }))
    end
    assert.equal([[create_subprocess_exec: env: A: it has no NUL byte, as "\0" has]],
      mistake(exec, "ls", { env = { A = "\0" } }))
    assert.matches("env: A: a string expected, got table", mistake(exec, "ls", { env = { A = {} } }))
    assert.matches("limit: a number of 1 or more expected, got 0", mistake(exec, "ls", { limit = 0 }))
    assert.matches("grace: a number of 0 or more expected, got %-1", mistake(exec, "ls", { grace = -1 }))
    assert.matches("pass_fds: descriptors from 3 on expected, got 2", mistake(exec, "ls", { pass_fds = { 2 } }))
    assert.matches("uid: a number of 0 or more expected, got root", mistake(exec, "ls", { uid = "root" }))
    assert.equal("create_subprocess_exec: there is no option sdtout", mistake(exec, "ls", { sdtout = PIPE }))
    assert.equal("subprocess.run: there is no option checked", mistake(subprocess.run, "ls", { checked = true }))
    assert.equal("create_subprocess_exec: there is no option 1", mistake(exec, "ls", { "-l" }))
    assert.matches("create_subprocess_shell: command: a string expected, got table", mistake(shell, { "ls" }))
  end)
end)

describe("create_subprocess_shell", function()
  it("runs a line of the shell", function()
    assert.equal("5\n", output_of "echo a b c d e | wc -w | tr -d ' '")
  end)
end)

describe("a child's", function()
  local folder

  before_each(function()
    folder = Folder.new { input = "from a file\n" }
  end)

  after_each(function()
    folder:__close()
  end)

  it("input is ours, nothing, or a file", function()
    assert.equal("", output_of("cat", { stdin = DEVNULL }))
    local file <close> = assert(io.open(folder.path .. "/input"))
    assert.equal("from a file\n", output_of("cat", { stdin = file }))
    local descriptor = assert(uv.fs_open(folder.path .. "/input", "r", 0))
    assert.equal("from a file\n", output_of("cat", { stdin = descriptor }))
    uv.fs_close(descriptor)
  end)

  it("output goes to a file, of io as of async.fs, behind what we wrote", function()
    local path = folder.path .. "/log"
    local file <close> = assert(io.open(path, "w"))
    file:write "ours\n"
    output_of("echo theirs; echo problem >&2", { stdout = file, stderr = STDOUT })
    assert.equal("ours\ntheirs\nproblem\n", async.fs.read_file(path))
    local other <close> = assert(async.fs.open(path, "a"))
    output_of("echo more", { stdout = other })
    assert.equal("ours\ntheirs\nproblem\nmore\n", async.fs.read_file(path))
  end)

  it("input and output are nothing when we have none ourselves", function()
    local output, status = require("spec.support.shell").run("$S $F <&- 2>&-", [[
      local async = require "strobe.async"
      local PIPE = async.subprocess.PIPE
      async.get_running_loop().slow_callback_duration = 60
      for _, options in ipairs { { stdout = PIPE }, { stdin = PIPE, stdout = PIPE, stderr = PIPE } } do
        local process <close> = async.create_subprocess_shell("cat; echo out; echo err >&2", options)
        local output, said = process:communicate(options.stdin and "in ")
        print((output:gsub("%s+$", "")), said and said:match "%w+")
      end]])
    assert.equal("out\tnil\nin out\terr\n", output)
    assert.equal(0, status)
  end)

  it("errors come with its output, by a pipe of their own, or not at all", function()
    assert.equal("out\nerr\n", output_of("echo out; echo err >&2", { stderr = STDOUT }))
    local process <close> = shell("echo out; echo err >&2", { stdout = PIPE, stderr = PIPE })
    local output, said = process:communicate()
    assert.equal("out\n", output)
    assert.equal("err\n", said)
    assert.equal("out\n", output_of("echo out; echo err >&2", { stderr = DEVNULL }))
    local nowhere <close> = shell("echo out; echo err >&2", { stdout = DEVNULL, stderr = STDOUT })
    assert.equal(0, nowhere:wait())
  end)

  tells("pipes can be opened again by name, as /dev/stdin", function()
    local process <close> = shell("cat /dev/stdin; echo err > /dev/stderr", {
      stdin = PIPE, stdout = PIPE, stderr = PIPE,
    })
    local output, said = process:communicate "in"
    assert.equal("in", output)
    assert.equal("err\n", said)
  end)

  it("lines have a limit", function()
    local process <close> = shell("echo 0123456789; echo rest", { stdout = PIPE, limit = 5 })
    raised(async.LimitOverrunError, process.stdout.readline, process.stdout)
    assert.equal("rest\n", process.stdout:readline())
  end)

  tells("descriptors are those meant for it", function()
    local file <close> = assert(io.open(folder.path .. "/input")) -- not one of these
    local passed = assert(uv.fs_open(folder.path .. "/input", "r", 0))
    local seen = output_of("for fd in 0 1 2 3 4 5 6 7 8 9; do [ -e /dev/fd/$fd ] && echo $fd; done; true")
    assert.equal("0\n1\n2\n", seen)
    assert.equal("from a file\n", output_of(("cat /dev/fd/%d"):format(passed), { pass_fds = { passed } }))
    uv.fs_close(passed)
    assert.equal("from a file\n", file:read "L")
  end)

  it("signals are as a program expects them", function()
    if not uv.fs_stat "/proc/self/status" then
      pending "this system has no /proc"
    end
    local loop = async.get_running_loop()
    loop:add_signal_handler("SIGUSR1", print)
    local masks = output_of [[while read line; do
      case $line in Sig[BI]*) echo "$line" ;; esac
    done < /proc/$$/status]]
    loop:remove_signal_handler "SIGUSR1"
    assert.equal("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n", masks)
  end)

  tells("session is its own on request", function()
    local function session(options)
      return tonumber(output_of("ps -o sid= -p $$ 2>/dev/null || cut -d' ' -f6 /proc/$$/stat", options))
    end
    local ours = session()
    assert.equal(ours, session())
    assert.not_equal(ours, session { start_new_session = true })
  end)

  it("user is another, if we may", function()
    if uv.getuid() ~= 0 then
      assert.equal("EPERM", raised(async.Error, shell, "id -u", { uid = 0 }).code)
      pending "only root may start programs as somebody else"
    end
    assert.equal("65534 65534\n", output_of("echo $(id -u) $(id -g)", { uid = 65534, gid = 65534 }))
  end)

  it("target that is none is refused and named", function()
    local closed = assert(io.open(folder.path .. "/input"))
    closed:close()
    for _, wrong in ipairs { "file", -1, 1.5, true, {}, closed, print } do
      assert.matches("stdout: PIPE, DEVNULL, an open file or a descriptor expected, got ",
        mistake(exec, "ls", { stdout = wrong }))
    end
    assert.matches("stdin: .* got async.subprocess.STDOUT", mistake(exec, "ls", { stdin = STDOUT }))
    assert.matches("stderr: descriptor 999 is not open", mistake(exec, "ls", { stderr = 999 }))
  end)

  it("printing comes after what we have printed", function()
    assert.equal("first\nsecond\nthird\n", (strobe [[
      print "first"
      async.create_subprocess_exec("echo", "second"):wait()
      print "third"]]))
  end)
end)

describe("run", function()
  it("runs a program to its end", function()
    local completed = subprocess.run({ "sh", "-c", "cat; echo oops >&2; exit 3" }, {
      input = "hello", capture_output = true, text = true,
    })
    assert.equal(3, completed.returncode)
    assert.equal("hello", completed.stdout)
    assert.equal("oops\n", completed.stderr)
  end)

  it("runs a line of the shell", function()
    assert.equal("a\n", subprocess.run("echo a", { stdout = PIPE }).stdout)
    assert.is_nil(subprocess.run("true").stdout)
  end)

  it("raises what failed, if it is to check", function()
    local e = raised(subprocess.CalledProcessError, subprocess.run, { "sh", "-c", "echo bad luck >&2; exit 3" }, {
      check = true, capture_output = true,
    })
    assert.equal("sh -c echo bad luck >&2; exit 3 returned 3: bad luck", e.message)
    assert.equal(3, e.returncode)
    assert.equal("bad luck\n", e.stderr)
    e = raised(subprocess.CalledProcessError, subprocess.run, "kill -9 $$", { check = true })
    assert.equal("kill -9 $$ was ended by signal 9", e.message)
    subprocess.run("true", { check = true }):check_returncode()
  end)

  it("kills it when the time is over", function()
    raised(async.TimeoutError, subprocess.run, "trap '' TERM; exec sleep 1000", { timeout = 0.05 })
  end)

  it("ends it when it is cancelled", function()
    local t = async.create_task(subprocess.run, { "sleep", "1000" })
    async.sleep(0.01)
    t:cancel()
    async.wait { t }
    assert.is_true(t:cancelled())
  end)

  it("cannot start what is not there", function()
    assert.equal("ENOENT", raised(async.Error, subprocess.run, { "nonesuch" }).code)
    assert.equal("subprocess.run: command: a string expected, got nil", mistake(subprocess.run))
    assert.matches("subprocess.run: argument 1: a string expected, got table", mistake(subprocess.run, { "ls", {} }))
    assert.matches("subprocess.run: program: a string expected, got nil", mistake(subprocess.run, {}))
    assert.matches("subprocess.run: cwd: a string expected", mistake(subprocess.run, "ls", { cwd = 5 > 4 }))
  end)
end)
