local sh = require("spec.support.shell").run

local BROKEN = "strobe: stdout: broken pipe (whoever read it has gone)\n"
local ASYNC = 'local async = require "strobe.async"\n'

-- What a script prints of which nobody reads more than a line, and its status. (`head` would write that line only after
-- it has stopped reading.)
local function head(code)
  local output = sh("{ $S $F; echo status $? >&2; } | { read -r line; echo \"$line\"; }", ASYNC .. code)
  return output
end

describe("a script whose output nobody reads any more", function()
  local scripts = {
    print = "while true do print 'x' end",
    ["io.write"] = "while true do io.write('x', '\\n') end",
    ["io.stdout"] = "while true do io.stdout:write 'x\\n' io.stdout:flush() end",
    ["async.stdout"] = "while true do async.stdout:write 'x\\n' end",
    ["async.stdout and drain"] = "while true do async.stdout:write 'x\\n' async.stdout:drain() end",
    ["a task of its own"] = "async.create_task(async.every, 0.001, function() print 'x' end) async.sleep(100)",
    ["a group of tasks"] = [[
      local tg <close> = async.TaskGroup()
      tg:create_task(function() while true do async.stdout:write 'x\n' async.sleep(0.001) end end)
      tg:create_task(async.sleep, 100)]],
  }
  for name, code in pairs(scripts) do
    it("ends as SIGPIPE would end it, with one line that says why: " .. name, function()
      assert.equal("x\n" .. BROKEN .. "status 141\n", head(code))
    end)
  end

  it("cleans up, which may wait", function()
    local output = head [[
      local scope <close> = setmetatable({}, { __close = function()
        async.sleep(0.01)
        io.stderr:write "clean\n"
      end})
      while true do print 'x' end]]
    assert.equal("x\nclean\n" .. BROKEN .. "status 141\n", output)
  end)

  it("may take it as an error like others", function()
    local output = head [[
      local ok, e
      repeat ok, e = pcall(async.stdout.write, async.stdout, "x\n") until not ok
      io.stderr:write(e.name, " ", e.code, " ", tostring(e), "\n")]]
    assert.equal("x\nConnectionError EPIPE ConnectionError: stdout: broken pipe (whoever read it has gone)\nstatus 0\n",
      output)
  end)

  it("also hears of it when the last of it is written at its end", function()
    local output = sh("{ sleep 0.1; $S $F; echo status $? >&2; } | true", ASYNC .. "io.write 'x'")
    assert.equal(BROKEN .. "status 141\n", output)
    output = sh("{ $S $F; echo status $? >&2; } | sleep 0.2", ASYNC .. "async.stdout:write(('x'):rep(300000))")
    assert.equal(BROKEN .. "status 141\n", output)
  end)
end)

describe("a script that has ended, and whose output is not read", function()
  -- Nobody reads before the script is over, which gets a signal when it has said on stderr that it is ready.
  local function interrupted(code)
    local output = sh("{ $S $F 2>$F.err & p=$!; until [ -s $F.err ]; do sleep 0.01; done; sleep 0.05; kill -INT $p; "
      .. "wait $p; echo status $? >&2; touch $F.end; } | { until [ -e $F.end ]; do sleep 0.01; done; wc -c; }; "
      .. "rm $F.err $F.end", ASYNC .. "async.stdout:write(('x'):rep(1000000)) " .. code)
    assert.matches("status 130\n", output)
    assert.is_true(tonumber(output:match "%d+\n$") < 1000000)
  end

  it("waits for its reader, and a signal ends it", function()
    interrupted "io.stderr:write 'ready'"
  end)

  it("does not wait for long when a signal had ended it before", function()
    interrupted "io.stderr:write 'ready' async.sleep(100)"
  end)
end)

describe("a script whose output is lost", function()
  it("on a full disk says so, with status 1", function()
    local full = "strobe: stdout: No space left on device (output was lost)\n"
    for _, code in ipairs { "print 'x'", "io.write 'x'", "print 'x' error 'mine'" } do
      local output, status = sh("$S $F >/dev/full", code)
      assert.equal(full, output:match "[^\n]*\n$")
      assert.equal(1, status)
    end
  end)

  it("because standard output was closed by who started it goes on in silence", function()
    assert.same({ "", 0 }, { sh("$S $F >&-", "print 'x' io.write 'y'") })
  end)
end)

describe("in a script", function()
  it("print and io.write are what they were", function()
    local code = [[
      print()
      print(nil, 1, "a\0b", setmetatable({}, { __tostring = function() return "named" end }))
      print(select(2, pcall(print, setmetatable({}, { __tostring = function() return {} end }))):match "'.*")
      print(io.write "" == io.stdout, io.stdout:write("", "") == io.stdout, io.flush() and true)
      print(pcall(function() io.write("", {}) end))
      print(pcall(function() io.stdout:write(nil) end))
      print(pcall(io.stdout.write, "no file", "x"))
      local file = assert(io.open("/dev/full", "w"))
      file:setvbuf "no"
      print(file:write "x")
      io.output(file)
      print(io.write "x")]]
    assert.equal("\nnil\t1\ta\0b\tnamed\n'__tostring' must return a string\ntrue\ttrue\ttrue\n"
      .. "false\tFILE:5: bad argument #2 to 'write' (string expected, got table)\n"
      .. "false\tFILE:6: bad argument #1 to 'write' (string expected, got nil)\n"
      .. "false\tbad argument #1 to 'write' (FILE* expected, got string)\n"
      .. ("nil\tNo space left on device\t28\n"):rep(2), (sh("$S $F", code):gsub("\t[^\t]*output.lua:%d+: ", "\t")))
  end)
end)
