local Folder = require "spec.support.folder"
local Pty = require "spec.support.pty"
local child = require "spec.support.child"
local program = require("strobe.core.host").program

local CTRL_D = "\4"

describe("strobe without a file", function()
  local function run(arguments, input)
    local process <close> = child.spawn(program, arguments, { input = input })
    local status = process:wait()
    return status, process.output.stdout, process.output.stderr
  end

  it("runs what comes from a pipe as one script, and tells no values", function()
    for _, arguments in ipairs { {}, { "repl" } } do
      local status, out, err = run(arguments, "local a = 1\n5 + 5 == 10 or error()\nprint(a)\n")
      assert.equal(1, status)
      assert.equal("", out)
      assert.matches("^strobe: stdin:2: ", err)
      assert.same({ 0, "1\n", "" }, { run(arguments, "local a = 1\nprint(a)\nreturn 7") })
      assert.same({ 0, "", "" }, { run(arguments, "") })
    end
  end)

  it("ends with 1 when that raises", function()
    local status, out, err = run({}, "print 'before' error 'oh'")
    assert.same({ 1, "before\n" }, { status, out })
    assert.matches("oh", err)
  end)

  it("takes a file as standard input, too", function()
    local folder <close> = Folder.new { ["a.lua"] = "print(async == nil, ...)" }
    local process <close> = child.spawn("sh", { "-c", ("%s < %s/a.lua"):format(program, folder.path) })
    assert.equal(0, process:wait())
    assert.equal("true\n", process.output.stdout)
  end)

  it("refuses what it does not know", function()
    local status, _, err = run({ "repl", "--what" }, "")
    assert.equal(2, status)
    assert.matches("%-%-what", err)
    assert.matches("^usage: strobe ", select(2, run({ "repl", "--help" }, "")))
  end)

  describe("on a terminal", function()
    local shows = Pty.stories(_ENV)

    local function plain_output(pty)
      assert.is_nil(pty:output():find "\27")
    end

    shows("is the console", function()
      local pty <close> = Pty.open {}
      pty:shows "\n>"
      pty:type "6*7\r"
      pty:shows "\n42\n>"
    end)

    shows("has colours, unless NO_COLOR or --no-color says no", function()
      local pty <close> = Pty.open {}
      pty:shows "\n>"
      pty:type "nil + 1\r"
      pty:shows "nil value"
      assert.matches("\27%[3%dm", pty:output())
      for _, case in ipairs { { {}, { "NO_COLOR=1" } }, { { "--no-color" }, {} } } do
        local other <close> = Pty.open(case[1], { environment = case[2] })
        other:shows "\n>"
        other:type "nil + 1\r"
        other:shows "nil value"
        assert.is_nil(other:output():find "\27%[[%d;]*m")
      end
    end)

    shows("has no editor and no escape byte with TERM=dumb", function()
      local pty <close> = Pty.open({ "--norc" }, { environment = { "TERM=dumb" } })
      pty:shows "\n>"
      pty:type "1 + 1\n"
      pty:shows "> 1 + 1\n2\n>"
      pty:type "for i = 1, 2 do\n"
      pty:shows "\n>>"
      pty:type "print(i)\n"
      pty:shows "\n>> print(i)\n>>"
      pty:type "end\n"
      pty:shows "\n>> end\n1\n2\n>"
      pty:type "print 'begun' async.sleep(100)\n"
      pty:shows "\nbegun"
      pty:type "\3"
      pty:shows "ctrl-c\n>"
      pty:type "x = (\n"
      pty:shows "\n>>"
      pty:type "\3"
      pty:shows "^C\n>"
      pty:type "'fresh'\n"
      pty:shows "\n\"fresh\"\n>"
      pty:type(CTRL_D)
      assert.equal(0, pty:wait())
      plain_output(pty)
    end)

    shows("prompts on standard error when standard output is none", function()
      local folder <close> = Folder.new {}
      local pty <close> = Pty.open({ "-c", ("%s --norc > %s/out"):format(program, folder.path) }, { program = "sh" })
      pty:expect "> *$"
      pty:type "6 * 7\n"
      pty:expect "> 6 %* 7\n>"
      pty:type(CTRL_D)
      pty:wait()
      plain_output(pty)
      local file <close> = assert(io.open(folder.path .. "/out"))
      assert.matches("42\n$", file:read "a")
    end)

    shows("runs ~/.config/strobe/repl.lua first, and starts whatever is wrong with that", function()
      local home <close> = Folder.new {
        [".config/strobe/repl.lua"] = [[
          settings.depth = 1
          repl.command("twice", function(text) return text .. text end, "says it twice")
          error "and then this"
        ]],
      }
      local pty <close> = Pty.open({}, { home = home.path })
      pty:shows "\n>"
      assert.matches("repl%.lua:3: and then this", pty:text())
      pty:type ":twice ab\r"
      pty:shows "\nabab\n>"
      pty:type "{{1}}\r"
      pty:shows "\n{{…}}\n>"
      local other <close> = Pty.open({ "repl", "--norc" }, { home = home.path })
      other:shows "\n>"
      other:type ":twice ab\r"
      other:shows "no such command"
    end)

    shows("runs the file of -i first, whose tasks and globals are there then", function()
      local folder <close> = Folder.new {
        ["a.lua"] = [[
          local async = require "strobe.async"
          given = { ... }
          count = 0
          async.create_task(function() while true do async.sleep(0.01) count = count + 1 end end)
          print "ready"
        ]],
        ["b.lua"] = "local async = require 'strobe.async' print 'waits' async.sleep(100)",
        ["c.lua"] = "error 'oh'",
      }
      local pty <close> = Pty.open { "-i", folder.path .. "/a.lua", "x", "y" }
      pty:shows "ready\n"
      pty:shows "\n>"
      pty:type "async.sleep(0.1) return count > 1, given\r"
      pty:shows "\ntrue\n{\"x\", \"y\"}\n>"
      local waits <close> = Pty.open { "-i", folder.path .. "/b.lua" }
      waits:shows "waits"
      waits:type "\3"
      waits:shows "\n>"
      local fails <close> = Pty.open { "-i", folder.path .. "/c.lua" }
      fails:shows "c.lua:1: oh"
      fails:shows "\n>"
    end)
  end)
end)
