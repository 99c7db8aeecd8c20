local async = require "strobe.async"
local collector = require "spec.support.collector"
local descriptors = require "spec.support.descriptors"
local raised = require("spec.support.errors").raised
local reports = require "spec.support.reports"
local start = require("spec.support.tasks").start
local uv = require "luv"

local PIPE, DEVNULL = async.subprocess.PIPE, async.subprocess.DEVNULL

local exec, shell = async.create_subprocess_exec, async.create_subprocess_shell

-- A process beside those that a spec is about: for grandchildren, virtual time would not wait.
local function bystander()
  return exec("sleep", 1000)
end

-- Whether there is a process of that number, be it a zombie.
local function exists(pid)
  return uv.kill(pid, 0) == 0
end

-- A shell which has done the line up to "ready".
local function ready(line, options)
  options = options or {}
  options.stdout = PIPE
  local process = shell(line, options)
  assert.equal("ready\n", process.stdout:readline())
  return process
end

-- A shell that waits for a signal, and does what the trap says.
local function trapped(signal, trap)
  return ready(("sleep 1000 & trap 'kill $!; %s' %s; echo ready; wait"):format(trap, signal))
end

-- A process that ignores SIGTERM.
local function deaf(grace)
  return ready("trap '' TERM; echo ready; exec sleep 1000", { grace = grace })
end

describe("a process", function()
  local before

  setup(function()
    exec("true", { stdin = PIPE }):close() -- the loop opens what it keeps
  end)

  before_each(function()
    before = descriptors()
  end)

  after_each(function()
    async.sleep(0) -- handles close in the next turn
    assert.equal(before, descriptors())
  end)

  it("tells how it has ended", function()
    local good <close> = exec("true")
    local bad <close> = shell("exit 7")
    local shot <close> = shell("kill -9 $$")
    assert.is_nil(good.returncode)
    assert.equal(0, good:wait())
    assert.equal(7, bad:wait())
    assert.equal(-9, shot:wait())
    assert.equal(0, good.returncode)
    assert.equal(7, bad:wait(), "as often as one asks")
    assert.is_false(exists(good.pid))
    assert.equal(("<Process %d true, returncode 0>"):format(good.pid), tostring(good))
  end)

  it("may be waited for by many tasks", function()
    local process <close> = shell("read line", { stdin = PIPE })
    local a, b = start(process.wait, process), start(process.wait, process)
    process.stdin:close()
    assert.equal(1, a:await())
    assert.equal(1, b:await())
  end)

  it("has pipes that are asyncio's streams", function()
    local process <close> = exec("cat", { stdin = PIPE, stdout = PIPE })
    process.stdin:write "one\n"
    process.stdin:drain()
    assert.equal("one\n", process.stdout:readline())
    process.stdin:writelines { "two\n", "three" }
    process.stdin:write_eof()
    assert.equal("two\nthree", process.stdout:read())
    assert.is_true(process.stdout:at_eof())
    assert.equal(0, process:wait())
  end)

  it("reads its pipe to the end after it has ended", function()
    local process <close> = shell("echo last words", { stdout = PIPE })
    process:wait()
    assert.equal("last words\n", process.stdout:read())
  end)

  it("lives on with its output closed by itself", function()
    local process <close> = shell("exec >&-; read line; exit 4", { stdin = PIPE, stdout = PIPE })
    assert.equal("", process.stdout:read())
    assert.is_nil(process.returncode)
    process.stdin:write "go\n"
    assert.equal(4, process:wait())
  end)

  it("tells who writes to it that it has gone", function()
    local process <close> = exec("true", { stdin = PIPE })
    process:wait()
    process.stdin:write "who reads this?"
    assert.equal("EPIPE", raised(async.ConnectionError, process.stdin.drain, process.stdin).code)
  end)

  describe("communicate", function()
    it("writes and reads at once, however much", function()
      local process <close> = exec("cat", { stdin = PIPE, stdout = PIPE })
      local input = ("0123456789"):rep(1000000)
      local output, said = process:communicate(input)
      assert.is_true(input == output)
      assert.is_nil(said)
      assert.equal(0, process.returncode)
    end)

    it("reads both outputs at once", function()
      local process <close> = shell("dd if=/dev/zero bs=1000 count=500 status=none >&2; echo out; "
        .. "dd if=/dev/zero bs=1000 count=500 status=none >&2", { stdout = PIPE, stderr = PIPE })
      local output, said = process:communicate()
      assert.equal("out\n", output)
      assert.equal(1000000, #said)
    end)

    it("needs no reader of its input", function()
      local process <close> = shell("exec <&-; echo done", { stdin = PIPE, stdout = PIPE })
      assert.equal("done\n", process:communicate(("x"):rep(1000000)))
    end)

    it("gives the end to who reads, also without input", function()
      local process <close> = exec("cat", { stdin = PIPE, stdout = PIPE })
      assert.equal("", process:communicate())
    end)

    it("only waits when there are no pipes", function()
      local process <close> = shell("exit 2")
      local output, said = process:communicate()
      assert.is_nil(output)
      assert.is_nil(said)
      assert.equal(2, process.returncode)
    end)

    it("refuses input without a pipe, what is no text, and a wrong limit", function()
      local process <close> = exec("true")
      assert.matches("give stdin = async.subprocess.PIPE", select(2, pcall(process.communicate, process, "x")))
      assert.matches("input: a string expected, got table", select(2, pcall(process.communicate, process, {})))
      local ok, message = pcall(process.communicate, process, nil, { limit = -1 })
      assert.is_false(ok)
      assert.matches("limit: a number of bytes expected, got %-1", message)
      process:wait()
    end)

    it("stops at its limit, and the other output does not keep it", function()
      local process <close> = shell("yes >&2", { stdout = PIPE, stderr = PIPE })
      raised(async.LimitOverrunError, process.communicate, process, nil, { limit = 100000 })
    end)

    it("waits for a grandchild that keeps the pipe, as wait does not", function()
      local process <close> = shell("sleep 1000 & echo $!", { stdout = PIPE })
      local grandchild = tonumber(process.stdout:readline())
      assert.equal(0, process:wait())
      local output = start(process.communicate, process)
      assert.is_false(output:done())
      uv.kill(grandchild, "sigkill")
      assert.equal("", output:await())
    end)

    it("may be cancelled at each of its waits", function()
      for turns = 0, 8 do
        local process <close> = shell("echo a; echo b >&2; read line; read line", {
          stdin = PIPE, stdout = PIPE, stderr = PIPE,
        })
        local t = async.create_task(process.communicate, process, ("line"):rep(100000))
        for _ = 1, turns do
          async.sleep(0)
        end
        t:cancel()
        async.wait { t }
        assert.is_true(t:cancelled())
      end
    end)
  end)

  it("that does not read may be given up in drain", function()
    local process <close> = exec("sleep", 1000, { stdin = PIPE })
    process.stdin:write(("x"):rep(1000000))
    local t = start(process.stdin.drain, process.stdin)
    t:cancel()
    async.wait { t }
    assert.is_true(t:cancelled())
  end)

  it("that is closed while a task reads gives it the end", function()
    local process = exec("sleep", 1000, { stdout = PIPE })
    local reader = start(process.stdout.read, process.stdout, 10)
    process:close()
    assert.equal("", reader:await())
  end)

  describe("signals", function()
    it("reach it by name or number", function()
      for _, signal in ipairs { "SIGUSR1", "sigusr1", 10 } do
        local process <close> = trapped("USR1", "exit 5")
        assert.is_true(process:send_signal(signal))
        assert.equal(5, process:wait())
      end
    end)

    it("terminate and kill it", function()
      local one <close> = exec("sleep", 1000)
      local other <close> = exec("sleep", 1000)
      assert.is_true(one:terminate())
      assert.is_true(other:kill())
      assert.equal(-15, one:wait())
      assert.equal(-9, other:wait())
    end)

    it("to one that has ended go nowhere, for its number may be another's", function()
      local kill = uv.kill
      local process <close> = exec("true")
      process:wait()
      local sent = 0
      uv.kill = function()
        sent = sent + 1
      end
      local term, last = process:terminate(), process:kill()
      process:close()
      uv.kill = kill
      assert.is_false(term)
      assert.is_false(last)
      assert.equal(0, sent)
    end)

    it("that are none are refused and named", function()
      local process <close> = exec("true")
      for _, wrong in ipairs { "TERM", "O_RDONLY", 0, 65, 1.5, {} } do
        local ok, message = pcall(process.send_signal, process, wrong)
        assert.is_false(ok)
        assert.matches("send_signal: a signal's name or number expected, got ", message)
      end
    end)
  end)

  describe("whose block is left", function()
    it("is asked to end, and reaped", function()
      local left
      do
        local process <close> = exec("sleep", 1000)
        left = process
      end
      assert.equal(-15, left.returncode)
      assert.is_false(exists(left.pid))
    end)

    it("may clean up, and say so", function()
      local beside <close> = bystander() -- luacheck: ignore
      local process = trapped("TERM", "echo cleaned up; exit 3")
      local output = start(process.stdout.read, process.stdout)
      process:close()
      assert.equal("cleaned up\n", output:await())
      assert.equal(3, process.returncode)
    end)

    it("is killed when it does not listen", function()
      local began = async.time()
      local process
      do
        local inner <close> = deaf(0.05)
        process = inner
      end
      assert.equal(-9, process.returncode)
      assert.is_true(async.time() - began >= 0.05)
    end)

    it("is killed at once when its task is cancelled meanwhile", function()
      local process
      local t = start(function()
        local inner <close> = deaf(1000)
        process = inner
        error "out"
      end)
      while not process do
        async.sleep(0.001)
      end
      async.sleep(0)
      t:cancel()
      async.wait { t }
      assert.equal(-9, process.returncode)
      assert.is_true(t:cancelled())
    end)

    it("ends also when it is stopped, fills its pipe, or was closed before", function()
      do
        local stopped <close> = ready("echo ready; kill -STOP $$", { grace = 0.05 })
        local full <close> = shell("yes", { stdout = PIPE })
        local closed <close> = exec("sleep", 1000)
        closed:close()
        closed:close()
        assert.equal(-15, closed.returncode)
        assert.is_nil(stopped.returncode)
        assert.is_nil(full.returncode)
      end
    end)

    it("takes its group along, if it has one of its own", function()
      local beside <close> = bystander() -- luacheck: ignore
      local process = ready("echo ready; sleep 1000 & echo $!; wait", { start_new_session = true })
      local grandchild = tonumber(process.stdout:readline())
      local rest = start(process.stdout.read, process.stdout)
      assert.is_true(exists(grandchild))
      process:close()
      assert.equal("", rest:await(), "nobody holds the pipe")
    end)

    it("ends with the script", function()
      local output, status = require("spec.support.shell").lua([[
        local process <close> = async.create_subprocess_exec("sleep", 1000)
        require("luv").kill(require("luv").os_getpid(), "sigterm")
        process:wait()]], "live")
      assert.equal("", output)
      assert.equal(143, status)
    end)
  end)

  describe("that is dropped", function()
    it("while it runs is reported, runs on, and is reaped", function()
      local pid
      local told = reports.of(function()
        pid = exec("sleep", 1000).pid
      end)
      assert.equal(1, #told)
      local expected = "process %d (sleep) was dropped and runs on: close it, or wait for it"
      assert.equal(expected:format(pid), told[1].message)
      assert.is_true(exists(pid))
      uv.kill(pid, "sigkill")
      while exists(pid) do
        async.sleep(0.001)
      end
    end)

    it("is not so while somebody waits for it", function()
      local told = reports.of(function()
        local t = start(function()
          return exec("sleep", 0.05):wait()
        end)
        collector.collect()
        assert.equal(0, t:await())
      end)
      assert.same({}, told)
    end)

    it("after its end, or in a session of its own, is nobody's concern", function()
      local pid
      local told = reports.of(function()
        exec("true"):wait()
        pid = exec("sleep", 1000, { start_new_session = true }).pid
      end)
      assert.same({}, told)
      uv.kill(pid, "sigkill")
      while exists(pid) do
        async.sleep(0.001)
      end
    end)

    it("lives as long as one of its pipes is held", function()
      local output = shell("read line; echo $line", { stdin = PIPE, stdout = PIPE }).stdout
      local told = reports.of(function() end)
      assert.same({}, told)
      output.process.stdin:write "still there\n"
      assert.equal("still there\n", output:read())
      output.process:close()
    end)

    it("at the script's end is left alone", function()
      local output, status = require("spec.support.shell").lua([[
        p = async.create_subprocess_exec("sleep", 1000, { stdout = async.subprocess.DEVNULL,
          stderr = async.subprocess.DEVNULL })
        print(p.pid)]], "live")
      local pid = tonumber(output:match "^(%d+)")
      assert.equal(0, status)
      assert.is_true(exists(pid))
      uv.kill(pid, "sigkill")
    end)
  end)

  it("takes its time: virtual time passes as real time does while it runs", function()
    local process <close> = shell("read line; echo $line", { stdin = PIPE, stdout = PIPE })
    async.sleep(0.02) -- the child waits for us, and we for the clock
    process.stdin:write "good\n"
    assert.equal("good\n", async.wait_for(process.stdout.readline, 100, process.stdout))
    process:wait()
    local now = async.time()
    assert.is_true(now >= 0.02 and now < 20)
    async.sleep(50)
    assert.equal(now + 50, async.time())
  end)

  it("may be one of 200", function()
    local list = {}
    for i = 1, 200 do
      list[i] = shell("read code; exit $code", { stdin = PIPE, stdout = DEVNULL })
    end
    for i, process in ipairs(list) do
      process.stdin:write(("%d\n"):format(i))
    end
    for i, process in ipairs(list) do
      assert.equal(i, process:wait())
      process:close()
    end
  end)
end)
