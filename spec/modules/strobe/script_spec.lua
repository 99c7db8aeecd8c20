local sh = require("spec.support.shell").run

describe("a script", function()
  it("runs with its arguments, and ends with status 0", function()
    assert.same({ "FILE\ta b\tc\n", 0 }, { sh("$S $F 'a b' c", "print(arg[0], ...)") })
  end)

  it("may begin with a byte order mark and a line for the shell; line numbers stay", function()
    local output, status = sh("$S $F", "\u{FEFF}#!/usr/bin/env strobe\nprint 'hi'\nerror 'here'")
    assert.matches("^hi\n", output)
    assert.matches("FILE:3: here", output)
    assert.equal(1, status)
  end)

  it("comes from the standard input as -", function()
    assert.same({ "hi\tx\n", 0 }, { sh("$S - x <$F", "print('hi', ...)") })
  end)

  it("that is not there, or is a folder, is told, with status 1", function()
    local output, status = sh "$S /nowhere/x.lua"
    assert.equal("strobe: cannot read the script: /nowhere/x.lua: No such file or directory\n", output)
    assert.equal(1, status)
    output, status = sh "$S /"
    assert.matches("^strobe: cannot read the script: .*directory\n", output)
    assert.equal(1, status)
  end)

  it("that does not parse shows file and line", function()
    assert.same({ "strobe: FILE:2: syntax error near <eof>\n", 1 }, { sh("$S $F", "\nx") })
    assert.matches("^strobe: %(command line%):1: ", (sh "$S -e 'x'"))
  end)

  it("that fails shows the error, where, and ends with status 1", function()
    local output, status = sh("$S $F", "local function f()\n  error 'mine'\nend\nf()")
    assert.matches("^strobe: FILE:2: mine\nin main:\n", output)
    assert.matches("FILE:4: in ", output)
    assert.is_nil(output:find("strobe:modules", 1, true))
    assert.equal(1, status)
  end)

  it("that fails with no string is told too", function()
    for _, value in ipairs { "nil", "{}", "setmetatable({}, {__tostring = function() return 'odd' end})" } do
      local output, status = sh("$S $F", "error(" .. value .. ")")
      assert.matches("^strobe: ", output)
      assert.equal(1, status)
    end
  end)

  it("of another task's error goes on", function()
    local output, status = sh("$S $F", [[
      local async = require "strobe.async"
      async.create_task(function() error "lost" end)
      async.sleep(0.01)
      collectgarbage()
      print "on"]])
    assert.matches("lost", output)
    assert.matches("on\n", output)
    assert.equal(0, status)
  end)

  it("ends the tasks it leaves, whose cleanup may wait", function()
    local output, status = sh("$S $F", [[
      local async = require "strobe.async"
      async.create_task(function()
        local _ <close> = setmetatable({}, { __close = function() async.sleep(0.01) print "clean" end })
        async.sleep(100)
      end)
      async.sleep(0)
      print "end"]])
    assert.same({ "end\nclean\n", 0 }, { output, status })
  end)

  it("may exit with a status", function()
    assert.same({ "x", 7 }, { sh("$S $F", "io.write 'x' os.exit(7)") })
    assert.equal(1, select(2, sh("$S $F", "os.exit(false, true)")))
  end)

  describe("run by name", function()
    it("may be a file; a name that nothing has is told", function()
      assert.same({ "hi\n", 0 }, { sh("$S run $F", "print 'hi'") })
      assert.equal(1, select(2, sh "$S run no-such-script"))
      assert.equal(2, select(2, sh "$S run"))
    end)
  end)

  describe("at a signal", function()
    local waits = [[
      local async = require "strobe.async"
      local _ <close> = setmetatable({}, { __close = function() async.sleep(WAIT) print "clean" end })
      io.stdout:write "ready\n"
      io.stdout:flush()
      async.sleep(100)]]

    -- Starts the script, and signals it once it is ready.
    local function signalled(text, ...)
      local kills = {}
      for _, name in ipairs { ... } do
        table.insert(kills, ("kill -%s $P; sleep 0.2;"):format(name))
      end
      local line = "$S $F >$F.out 2>&1 & P=$!; until [ -s $F.out ]; do sleep 0.02; done; %s wait $P; E=$?; "
        .. "cat $F.out; rm $F.out; exit $E"
      return sh(line:format(table.concat(kills, " ")), text)
    end

    it("SIGINT cleans up and ends with 130, SIGTERM with 143", function()
      -- A shell's background job ignores SIGINT, unless it is told to handle it.
      local text = waits:gsub("WAIT", "0")
      assert.same({ "ready\nclean\n", 130 }, { signalled(text, "INT") })
      assert.same({ "ready\nclean\n", 143 }, { signalled(text, "TERM") })
    end)

    it("a second SIGINT ends it at once with 130", function()
      local output, status = signalled(waits:gsub("WAIT", "100"), "INT", "INT")
      assert.equal("ready\nstrobe: second signal: ended without cleaning up\n", output)
      assert.equal(130, status)
    end)
  end)
end)
