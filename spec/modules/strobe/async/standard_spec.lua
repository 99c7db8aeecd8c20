local Folder = require "spec.support.folder"
local Terminal = require "spec.support.terminal"
local async = require "strobe.async"
local child = require "spec.support.child"
local cleanup = require "spec.support.cleanup"
local descriptors = require "spec.support.descriptors"
local dice = require "spec.support.dice"
local peer = require "spec.support.peer"
local program = require("strobe.core.host").program
local raised = require("spec.support.errors").raised
local sh = require("spec.support.shell").run
local uv = require "luv"

-- Begins the scripts. `flags` tells whether a descriptor blocks: a property it shares with who gave it to us.
local PRELUDE = [[
local async = require "strobe.async"
local function blocks(fd)
  for line in io.lines("/proc/self/fdinfo/" .. fd) do
    local flags = line:match "^flags:%s*(%d+)"
    if flags then return tonumber(flags, 8) & tonumber("4000", 8) == 0 end
  end
end
]]

local COUNT = PRELUDE .. [[
local lines, bytes = 0, 0
for line in async.stdin:lines() do lines, bytes = lines + 1, bytes + #line end
print(lines, bytes, async.stdin:at_eof(), blocks(0))
]]

-- What only /proc tells.
local WHY = "there is no /proc here, which tells whether a descriptor blocks"
local tells = peer.stories(_ENV, uv.fs_stat "/proc/self/fdinfo", WHY)
local on_terminal = Terminal.stories(_ENV)

local folder

-- A strobe of its own that runs a script.
local function start(code, options)
  local path = folder.path .. "/script.lua"
  local file = assert(io.open(path, "w"))
  file:write(PRELUDE, code)
  file:close()
  local arguments = { table.unpack(options and options.options or {}) }
  arguments[#arguments + 1] = path
  return child.spawn(program, arguments, options)
end

describe("async.stdin", function()
  before_each(function()
    folder = Folder.new { ["in.txt"] = "one\ntwo\r\n\nlast" }
  end)

  after_each(function()
    folder:__close()
  end)

  describe("reads lines from", function()
    tells("a pipe", function()
      assert.equal("3\t7\ttrue\ttrue\n", (sh("printf 'one\\ntwo\\r\\nx' | $S $F", COUNT)))
    end)

    tells("a pipe whose writer takes its time", function()
      assert.equal("2\t4\ttrue\ttrue\n", (sh("{ sleep 0.05; echo ab; sleep 0.05; echo cd; } | $S $F", COUNT)))
    end)

    tells("a named pipe whose writer has gone before", function()
      local line = "mkfifo $F.p && { printf 'ab\\ncd' > $F.p & $S $F < $F.p; }; rm $F.p"
      assert.equal("2\t4\ttrue\ttrue\n", (sh(line, COUNT)))
      line = "mkfifo $F.p && { exec 3<>$F.p; printf 'ab\\ncd' >&3; exec 4<$F.p; exec 3>&-; $S $F <&4; }; rm $F.p"
      assert.equal("2\t4\ttrue\ttrue\n", (sh(line, COUNT)))
    end)

    tells("a file, from where the shell has left off", function()
      assert.equal("4\t10\ttrue\ttrue\n", (sh("$S $F <" .. folder.path .. "/in.txt", COUNT)))
      assert.equal("3\t7\ttrue\ttrue\n", (sh("{ read -r line; $S $F; } <" .. folder.path .. "/in.txt", COUNT)))
    end)

    tells("a large file", function()
      local line = "yes 0123456789abcdef 2>/dev/null | head -n 100000 >$F.txt; $S $F <$F.txt; rm $F.txt"
      assert.equal("100000\t1600000\ttrue\ttrue\n", (sh(line, COUNT)))
    end)

    tells("/dev/null", function()
      assert.equal("0\t0\ttrue\ttrue\n", (sh("$S $F </dev/null", COUNT)))
    end)

    tells("a socket", function()
      local run <close> = start(COUNT, { input = "one\ntwo" }) -- libuv's pipes to children are sockets
      assert.equal(0, run:wait())
      assert.equal("2\t6\ttrue\ttrue\n", run.output.stdout)
    end)

    on_terminal("a terminal", function()
      if not uv.fs_stat "/proc/self/fdinfo" then
        pending(WHY)
        return
      end
      local line = "{ printf 'typed\\n'; sleep 0.3; printf '\\004'; } | script -qec \"$S $F\" /dev/null | tr -d '\\r'"
      assert.matches("\n1\t5\ttrue\ttrue\n", (sh(line, COUNT)))
    end)
  end)

  it("that is closed, or a folder, is told, each time it is used", function()
    local code = PRELUDE .. [[
      for _ = 1, 2 do
        local ok, e = pcall(async.stdin.readline, async.stdin)
        print(ok, async.is(e, async.ConnectionError), e.code, e.message)
      end]]
    local closed = "false\ttrue\tEBADF\tstdin: bad file descriptor (it is closed, or not open for that)\n"
    assert.equal(closed:rep(2), (sh("$S $F <&-", code)))
    assert.equal(closed:rep(2), (sh("$S $F 0>/dev/null", code)))
    assert.matches("EISDIR\tstdin: [^\n]*%(it is a folder%)\n", (sh("$S $F </", code)))
  end)

  it("when it is closed is not the place of what is opened next", function()
    local code = PRELUDE .. [[
      local server = assert(require("strobe.net").listen(nil, 0))
      print "not into the server"
      print(io.read())]]
    assert.equal("not into the server\nnil\tBad file descriptor\t9\n", (sh("$S $F <&-", code)))
    assert.same({ "", 0 }, { sh("$S $F <&- >&- 2>&-", code) })
  end)

  it("leaves what it has not asked for to others", function()
    local code = PRELUDE .. "print(async.stdin:readline())"
    local output = sh("{ echo first; until [ -e $F.go ]; do sleep 0.01; done; echo second; } | "
      .. "{ $S $F; touch $F.go; cat; rm $F.go; }", code)
    assert.equal("first\n\nsecond\n", output)
  end)

  it("has all words of a StreamReader", function()
    local code = PRELUDE .. [[
      local stdin = async.stdin
      print(stdin:read(2), stdin:readexactly(2), stdin:readuntil "c", stdin:at_eof())
      print(stdin:readline(), stdin:chunks(3)(), stdin:read(), stdin:at_eof(), stdin)
      print(pcall(stdin.readexactly, stdin, 1))]]
    assert.equal("ab\tab\tabc\tfalse\n\n\tdef\tgh\ttrue\t<StreamReader stdin>\n"
      .. "false\tIncompleteReadError: 0 bytes read on a total of 1 expected bytes\n",
      (sh("printf 'abababc\\ndefgh' | $S $F", code)))
  end)

  it("is for one task at a time", function()
    local run <close> = start([[
      async.create_task(async.stdin.readline, async.stdin)
      async.sleep(0)
      print(pcall(async.stdin.readline, async.stdin))]], { input = false })
    assert.equal(0, run:wait())
    assert.matches("^false\t.*another task is reading this stream already", run.output.stdout)
  end)

  it("lets Ctrl-C end the script that waits for it, which cleans up", function()
    local run <close> = start([[
      local scope <close> = setmetatable({}, { __close = function() async.sleep(0.01) print "clean" end })
      print "ready"
      async.stdin:readline()]], { input = false })
    run:expect("stdout", "ready")
    run:kill "sigint"
    assert.equal(130, run:wait())
    assert.matches("clean\n$", run.output.stdout)
  end)

  it("may be waited for with a time-out; nothing that comes later is lost", function()
    local run <close> = start([[
      print(async.move_on_after(0.02, async.stdin.readline, async.stdin))
      print(async.stdin:readline())]], { input = false })
    run:expect("stdout", "timeout")
    run.pipes.stdin:write "late\n"
    assert.equal(0, run:wait())
    assert.equal("false\ttimeout\nlate\n\n", run.output.stdout)
  end)

  it("holds virtual time while it is waited for, and no longer", function()
    local run <close> = start([[
      local sleeping = async.create_task(async.sleep, 100)
      print "ready"
      print(async.stdin:readline(), async.time())
      local waiting = async.create_task(async.stdin.readline, async.stdin)
      async.sleep(0)
      waiting:cancel()
      sleeping:await()
      print(async.time())]], { input = false, options = { "--clock=virtual" } })
    run:expect("stdout", "ready")
    async.sleep(0.05) -- real: a child process has its own clock
    run.pipes.stdin:write "input\n"
    assert.equal(0, run:wait())
    assert.equal("ready\ninput\n\t0.0\n100.0\n", run.output.stdout)
  end)

  it("closed shows its writer that nobody reads", function()
    local code = PRELUDE .. [[
      print(async.stdin:readline())
      async.stdin:close()
      async.stdin:close()
      while not io.open(arg[1]) do async.sleep(0.01) end
      print "it knows"]]
    local output = sh("{ echo one; trap '' PIPE; while echo more 2>/dev/null; do sleep 0.01; done; touch $F.gone; } | "
      .. "$S $F $F.gone; rm $F.gone", code)
    assert.equal("one\n\nit knows\n", output)
  end)
end)

describe("async.stdout", function()
  before_each(function()
    folder = Folder.new {}
  end)

  after_each(function()
    folder:__close()
  end)

  tells("writes into whatever it is, which goes on blocking", function()
    local code = PRELUDE .. [[
      async.stdout:write "one\n"
      async.stdout:writelines { "two\n", "three\n" }
      async.stdout:drain()
      io.stderr:write(tostring(blocks(1)), "\n")]]
    for _, target in ipairs { "| cat", ">$F.out; cat $F.out; rm $F.out", ">>$F.out; cat $F.out; rm $F.out" } do
      local output = sh("$S $F 2>$F.err " .. target .. "; cat $F.err; rm $F.err", code)
      assert.equal("one\ntwo\nthree\ntrue\n", output)
    end
    assert.same({ "true\n", 0 }, { sh("$S $F >/dev/null", code) })
    local run <close> = start(code)
    assert.equal(0, run:wait())
    assert.same({ "one\ntwo\nthree\n", "true\n" }, { run.output.stdout, run:complaints() })
  end)

  it("stays in order with print and io.write, however slow its reader is", function()
    local code = PRELUDE .. [[
      io.write "a "
      async.stdout:write(("b "):rep(200000))
      print "c"
      io.write "d "
      async.stdout:write(("e "):rep(200000))
      io.stdout:write "f "]]
    local squeeze = " | { sleep 0.1; tr -s 'be' | tr -s ' '; }"
    local output = sh("$S $F 2>/dev/null" .. squeeze .. " | sed 's/\\(b \\)*c/b c/; s/\\(e \\)*f/e f/'", code)
    assert.equal("a b c\nd e f ", output)
  end)

  it("does not end before all is written, however the script ends", function()
    for _, ending in ipairs { "", "os.exit(3)", "error 'mine'" } do
      local code = PRELUDE .. "async.stdout:write(('x'):rep(1000000)) " .. ending
      local output = sh("$S $F 2>/dev/null | { sleep 0.1; wc -c; }", code)
      assert.equal("1000000", output:match "%d+")
    end
  end)

  it("drains as its reader reads, while other tasks run", function()
    local run <close> = start([[
      local ticks = 0
      async.create_task(async.every, 0.001, function() ticks = ticks + 1 end)
      async.sleep(0.01)
      async.stdout:write(("x"):rep(10000000))
      async.stdout:drain()
      io.stderr:write(ticks > 0 and "others ran\n" or "others stood still\n")]])
    assert.equal(0, run:wait())
    assert.equal(10000000, #run.output.stdout)
    assert.matches("others ran\n$", run.output.stderr)
  end)

  tells("and stdin go on blocking, and lose nothing, where pipes may not be opened once more", function()
    local other = "setpriv --reuid=65534 --regid=65534 --clear-groups" -- somebody else's pipes
    if select(2, sh(other .. " $S --version 2>&1 >/dev/null")) ~= 0 then
      pending "we may not become somebody else here, or he may not run this strobe"
      return
    end
    local code = PRELUDE .. [[
      for line in async.stdin:lines() do
        async.stdout:write(line .. "\n")
        async.stdout:drain()
      end
      io.stderr:write(tostring(blocks(0)), " ", tostring(blocks(1)), "\n")]]
    local output = sh("chmod 644 $F; { yes 0123456789 2>/dev/null | head -n 50000; sleep 0.1; echo end; } | "
      .. other .. " $S $F 2>$F.err | { sleep 0.1; md5sum; }; cat $F.err; rm $F.err", code)
    local expected = sh "{ yes 0123456789 2>/dev/null | head -n 50000; echo end; } | md5sum"
    assert.equal(expected .. "true true\n", output)
  end)

  it("that is full is told", function()
    local code = PRELUDE .. [[
      local ok, e = pcall(async.stdout.write, async.stdout, "x")
      io.stderr:write(tostring(ok), " ", e.code, " ", e.message)]]
    assert.equal("false ENOSPC stdout: no space left on device", (sh("$S $F >/dev/full", code)))
  end)

  it("closed shows its reader the end; print goes nowhere", function()
    local run <close> = start([[
      async.stdout:write "all of it"
      async.stdout:close()
      print "nowhere"
      local ok, e = pcall(async.stdout.write, async.stdout, "late")
      io.stderr:write(e.code, " ", e.message)
      async.stdin:read()]], { input = false })
    run:expect("stdout", "all of it")
    while run.open > 1 do -- until its end came
      run.changed:clear()
      run.changed:wait()
    end
    assert.is_nil(run.status)
    run.pipes.stdin:shutdown(function() end)
    assert.equal(0, run:wait())
    assert.same({ "all of it", "ECANCELED stdout: it was closed by this script" },
      { run.output.stdout, run:complaints() })
  end)
end)

describe("async.stderr", function()
  it("writes there, in order with io.stderr", function()
    local code = PRELUDE .. [[
      io.stderr:write "a"
      async.stderr:write(("b"):rep(300000))
      io.stderr:write "c"]]
    local output = sh("$S $F 2>&1 >/dev/null | { sleep 0.1; tr -s b; }", code)
    assert.matches("^abc", output) -- and perhaps that a step took long
  end)
end)

describe("connect_read_pipe", function()
  -- The two ends of a pipe; what is left of them is closed with the block.
  local function new_pipe()
    local ends = uv.pipe()
    return ends.read, ends.write
  end

  it("reads a descriptor, which is the reader's from now on", function()
    async.sleep(1)
    local before = descriptors()
    local from, into = new_pipe()
    do
      local reader <close> = async.connect_read_pipe(from)
      local writer <close> = async.connect_write_pipe(into)
      writer:write "line one\nline"
      assert.equal("line one\n", reader:readline())
      local t = async.create_task(reader.readline, reader)
      async.sleep(1)
      writer:write " two\n"
      assert.equal("line two\n", t:await())
      writer:close()
      assert.equal("", reader:readline())
    end
    async.sleep(1)
    assert.equal(before, descriptors())
  end)

  it("reads a file of Lua's, which stays its owner's", function()
    local file = assert(io.popen "printf 'a\\nb'")
    do
      local reader <close> = async.connect_read_pipe(file)
      assert.same({ "a", "b" }, async.iter(reader:lines()):to_list())
    end
    assert.is_true(file:close())
  end)

  it("reads at most what it was asked for of long lines", function()
    local from, into = new_pipe()
    local reader <close> = async.connect_read_pipe(from, { limit = 4 })
    local writer <close> = async.connect_write_pipe(into)
    writer:write "12345678\nab\n"
    raised(async.LimitOverrunError, reader.readline, reader)
    assert.equal("ab\n", reader:readline())
  end)

  it("shows the writer that the reader has gone", function()
    local from, into = new_pipe()
    local reader, writer <close> = async.connect_read_pipe(from), async.connect_write_pipe(into)
    reader:close()
    async.sleep(1)
    writer:write "x"
    assert.equal("EPIPE", raised(async.ConnectionError, writer.drain, writer).code)
  end)

  it("waits in drain until the reader has taken enough, and loses nothing", function()
    local from, into = new_pipe()
    local reader <close> = async.connect_read_pipe(from)
    local writer <close> = async.connect_write_pipe(into)
    local text = ("0123456789"):rep(50000)
    writer:write(text)
    local t = async.create_task(writer.drain, writer)
    async.sleep(1)
    assert.is_false(t:done())
    assert.is_true(text == reader:readexactly(#text))
    t:await()
  end)

  it("sees the end when the writer says so, behind all that was written", function()
    local pair = uv.socketpair()
    local left, right = new_pipe()
    for _, ends in ipairs { { left, right }, pair } do
      local reader <close> = async.connect_read_pipe(ends[1])
      local writer <close> = async.connect_write_pipe(ends[2])
      assert.is_true(writer:can_write_eof())
      writer:write(("x"):rep(500000))
      writer:write_eof()
      writer:write_eof()
      assert.equal(500000, #reader:read())
      writer:write "late"
      assert.equal("EPIPE", raised(async.ConnectionError, writer.drain, writer).code)
    end
  end)

  it("fails to drain when the reader goes meanwhile", function()
    local from, into = new_pipe()
    local reader <close> = async.connect_read_pipe(from)
    local writer <close> = async.connect_write_pipe(into)
    writer:write(("x"):rep(500000))
    local t = async.create_task(writer.drain, writer)
    async.sleep(1)
    reader:close()
    assert.equal("EPIPE", raised(async.ConnectionError, t.await, t).code)
  end)

  it("cancelled anywhere leaves nothing open", function()
    async.sleep(1) -- until what others have closed is closed
    local before = descriptors()
    for turns = 0, 5 do
      local from, into = new_pipe()
      local t = async.create_task(function()
        local reader <close> = async.connect_read_pipe(from)
        reader:readline()
      end)
      for _ = 1, turns do
        async.sleep(0)
      end
      t:cancel()
      async.wait { t }
      uv.fs_close(into)
      if turns == 0 then
        uv.fs_close(from) -- it never began
      end
    end
    async.sleep(1)
    assert.equal(before, descriptors())
  end)

  it("cancelled at any time loses no byte", function()
    local roll, from, into = dice(5), new_pipe()
    local reader <close> = async.connect_read_pipe(from)
    local expected, got = {}, {}
    local writing = async.create_task(function()
      local writer <close> = async.connect_write_pipe(into)
      for i = 1, 25 do
        expected[i] = ("%d %s"):format(i, ("x"):rep(roll(40)))
        local line, size = expected[i] .. "\n", roll(12)
        for at = 1, #line, size do
          writer:write(line:sub(at, at + size - 1))
          async.sleep(roll(3) * 0.001)
        end
      end
    end)
    local methods = {
      reader.readline, reader.read,
      function()
        return reader:readuntil "\n"
      end,
      function()
        return reader:readexactly(1)
      end,
    }
    while not reader:at_eof() do
      local ok, in_time, bytes = pcall(async.move_on_after, roll(4) * 0.001, methods[roll(4)], reader)
      if ok and in_time then
        got[#got + 1] = bytes
      elseif not ok then
        got[#got + 1] = in_time.partial
      end
    end
    writing:await()
    assert.equal(table.concat(expected, "\n") .. "\n", table.concat(got))
  end)

  it("dropped without a word is closed by the collector, also while a thread reads", function()
    async.sleep(1)
    local before = descriptors()
    local large = Folder.new { large = ("x"):rep(1000000) }
    local guard <close> = cleanup(function() -- luacheck: ignore
      large:__close()
    end)
    for _ = 1, 3 do
      local from, into = new_pipe()
      async.connect_write_pipe(into):write "x"
      async.connect_read_pipe(from):read(1)
      async.connect_read_pipe(assert(uv.fs_open(large.path .. "/large", "r", 0))):read(1)
    end
    for _ = 1, 4 do
      collectgarbage()
      async.fs.stat "/"
    end
    assert.equal(before, descriptors())
  end)

  it("reads files and devices too, by a thread", function()
    local fd = assert(uv.fs_open("/dev/zero", "r", 0))
    local reader <close> = async.connect_read_pipe(fd)
    assert.equal(("\0"):rep(300000), reader:readexactly(300000))
    local nowhere <close> = async.connect_write_pipe(assert(uv.fs_open("/dev/null", "w", 0)))
    nowhere:write "x"
    nowhere:drain()
  end)

  it("refuses what is not open for that, and what is no descriptor", function()
    local from, into = new_pipe()
    assert.equal("EBADF", raised(async.ConnectionError, async.connect_read_pipe, into).code)
    assert.equal("EBADF", raised(async.ConnectionError, async.connect_write_pipe, from).code)
    uv.fs_close(from)
    uv.fs_close(into)
    assert.equal("EBADF", raised(async.ConnectionError, async.connect_read_pipe, from).code)
    local closed = io.tmpfile()
    closed:close()
    for _, pipe in ipairs { "x", {}, 1.5, closed, -1 } do
      assert.is_false(pcall(async.connect_read_pipe, pipe))
    end
  end)
end)
