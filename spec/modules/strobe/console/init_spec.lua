local Folder = require "spec.support.folder"
local Pty = require "spec.support.pty"
local async = require "strobe.async"

local CTRL_C, CTRL_D, CTRL_Z = "\3", "\4", "\26"

describe("the console of a process", function()
  local shows = Pty.stories(_ENV)

  local function opened(options)
    local pty = Pty.open({ "repl", "--norc" }, options)
    pty:shows "\n>"
    return pty
  end

  shows("tells values, one on each line", function()
    local pty <close> = opened()
    pty:enter("1+1", "> 1+1\n2")
    pty:enter("'a', nil, {1}", "\"a\"\nnil\n{1}")
    pty:enter("x = 5", "> x = 5")
    pty:enter("_ == 'a', x", "true\n5")
  end)

  shows("keeps local variables, and has modules at hand", function()
    local pty <close> = opened()
    pty:enter("local a = 20", "> local a = 20")
    pty:enter("a + 22", "\n42")
    pty:enter("async.sleep(0.01, 'slept')", "\n\"slept\"")
  end)

  shows("asks for more while an input is not complete", function()
    local pty <close> = opened()
    pty:type "for i = 1, 2 do\r"
    pty:shows "\n>>"
    pty:type "print(i * 10)\rend\r"
    pty:shows "\n10\n20\n>"
  end)

  shows("tells errors, with what was wrong", function()
    local pty <close> = opened()
    pty:enter("1 + * 2", "unexpected symbol near '*'\n  1 + * 2\n      ^")
    pty:type "error 'oh no'\r"
    pty:shows "oh no"
    pty:enter("'alive'", "\n\"alive\"")
  end)

  shows("goes on turning while an input waits; Ctrl-C ends that", function()
    local pty <close> = opened()
    pty:enter("n = 0; t = async.create_task(function() while true do async.sleep(0.01) n = n + 1 end end)", "end end)")
    pty:type "repeat async.sleep(0.01) until n > 5 print 'it turns' async.sleep(1000)\r"
    pty:shows "\nit turns"
    pty:type(CTRL_C)
    pty:shows "ctrl-c\n>"
  end)

  shows("gives up what is typed when Ctrl-C comes, and hints at the way out", function()
    local pty <close> = opened()
    pty:type "x = "
    pty:shows "> x ="
    pty:type(CTRL_C)
    pty:shows "> x = ^C\n>"
    pty:type(CTRL_C)
    pty:shows "^C\n> ^C\n>"
    pty:type(CTRL_C)
    pty:shows ":q or Ctrl-D leaves\n>"
    pty:enter("x", "\nnil")
  end)

  shows("ends a loop that does not wait when Ctrl-C comes", function()
    local pty <close> = opened()
    pty:type "print 'it spins' while true do end\r"
    pty:shows "\nit spins"
    pty:type(CTRL_C)
    pty:shows "console:1:1"
    pty:enter("'alive'", "\n\"alive\"")
  end)

  shows("moves what waits to the background when Ctrl-Z comes, and tells its end", function()
    local pty <close> = opened()
    pty:enter("gate = async.Event()", "Event()")
    pty:type "print 'it waits' gate:wait() return 6 * 7\r"
    pty:shows "\nit waits"
    pty:type(CTRL_Z)
    pty:shows "[1] bg\n>"
    pty:enter("async.get_running_loop():call_later(0.2, gate.set, gate) and nil", "\nnil")
    pty:type "half"
    pty:shows "[1] done: 42\n> half"
  end)

  shows("has what is typed ahead at the next prompt", function()
    local pty <close> = opened()
    pty:type "print 'it waits' async.sleep(0.3)\r"
    pty:shows "\nit waits"
    pty:type "'typed ' .. 'ahead'\r"
    pty:shows "\n\"typed ahead\"\n>"
  end)

  shows("puts what tasks print above the prompt, and what is typed stays whole", function()
    local pty <close> = opened { rows = 10 }
    pty:enter("function chat() async.sleep(0.3) while true do async.sleep(0.01) print 'line' print 'more' end end",
      "end end")
    pty:enter("a, b = async.create_task(chat), async.create_task(chat)", "(chat)")
    pty:type "x = 'typed"
    for i = 1, 20 do
      pty:type(tostring(i % 10))
      async.sleep(0.1)
      local last = pty:text():match "[^\n]*$"
      assert.equal(last, ("> x = 'typed12345678901234567890"):sub(1, #last))
    end
    pty:shows "> x = 'typed12345678901234567890"
    pty:shows "more (:log)"
    pty:type "'\r"
    pty:type "#x\r"
    pty:shows "\n25\n"
  end)

  shows("shows control bytes of tasks, but passes those of an input on", function()
    local pty <close> = opened()
    pty:enter("async.create_task(function() async.sleep(0.1) print '\\27[2Jwiped?' end) and nil", "\nnil")
    pty:shows "\\x1b[2Jwiped?\n>"
    pty:type "io.write '\\27[1mbold\\27[0m\\n'\r"
    pty:sends "\27%[1mbold\27%[0m\r\n"
  end)

  shows("tells errors that nobody awaits, those of callbacks too", function()
    local pty <close> = opened()
    pty:enter("later = require('strobe.core.handle').call_later", "call_later")
    pty:type "x = later(0.1, function() error 'by a callback' end)\r"
    pty:shows "by a callback\n"
    pty:type "do async.create_task(function() error 'by a task' end) end\r"
    pty:shows "end\n>"
    pty:type "collectgarbage()\r"
    pty:shows "by a task\n"
    pty:enter("'alive'", "\n\"alive\"")
  end)

  shows("begins a line for the prompt when an input leaves one open", function()
    local pty <close> = opened()
    pty:enter("do io.write 'no end' end", "\nno end")
  end)

  shows("completes names, and commands", function()
    local pty <close> = opened()
    pty:type "string.for\t"
    pty:shows "> string.format"
    pty:type(CTRL_C)
    pty:shows "^C\n>"
    pty:type ":metr\t"
    pty:shows "> :metrics"
  end)

  shows("tells the signature of what is called, when the keys rest", function()
    local pty <close> = opened()
    pty:type "function greet(name, times) end\r"
    pty:shows "end\n>"
    pty:type "greet("
    pty:shows "> greet(\n"
    pty:expect "\n[^\n]*name, times"
    pty:type "'ada', 1)\r"
    pty:shows "> greet('ada', 1)\n>"
  end)

  shows("lets virtual time pass while an input waits, and only then", function()
    local pty <close> = Pty.open { "--clock=virtual", "repl", "--norc" }
    pty:shows "\n>"
    pty:enter("n = 0; t = async.create_task(function() while true do async.sleep(1) n = n + 1 end end)", "end end)")
    async.sleep(0.2)
    pty:enter("n", "\n0")
    pty:enter("async.sleep(1000)", "sleep(1000)")
    pty:enter("n >= 999 and n <= 1001", "\ntrue")
  end)

  shows("lets a virtual day with a timer each second pass in a moment, and hears keys meanwhile", function()
    local pty <close> = Pty.open { "--clock=virtual", "repl", "--norc" }
    pty:shows "\n>"
    pty:enter("n = 0; t = async.create_task(async.every, 1, function() n = n + 1 end)", "1 end)")
    pty:enter("async.sleep(86400)", "sleep(86400)")
    pty:enter("n >= 86399 and n <= 86401", "\ntrue")
    pty:type "async.sleep(1e12)\r"
    pty:shows "sleep(1e12)"
    async.sleep(0.2)
    pty:type("6 * 7\r" .. CTRL_C)
    pty:shows "\n42\n>"
  end)

  shows("draws anew when the window gets another size", function()
    local pty <close> = opened()
    pty:type(("x"):rep(30))
    pty:shows(("x"):rep(30))
    pty:resize(24, 20)
    pty:sends("\27%[J.*xxxxx")
    pty:type(CTRL_C)
    pty:shows "^C\n>"
    pty:enter("1+1", "\n2")
  end)

  shows("ends by Ctrl-D and by :q, with the settings as they were", function()
    for _, keys in ipairs { CTRL_D, ":q\r" } do
      local pty <close> = Pty.open { "repl", "--norc" }
      local before = pty:settings()
      pty:shows "\n>"
      pty:type(keys)
      assert.equal(0, pty:wait())
      assert.equal(before, pty:settings())
      assert.matches("\27%[%?2004l[^>]*$", pty:output())
    end
  end)

  shows("shows all that was printed before it ends", function()
    local pty <close> = opened()
    pty:stop()
    pty:type("for i = 1, 50000 do print(i) end\r" .. CTRL_D)
    async.sleep(0.3)
    pty:go()
    assert.equal(0, pty:wait())
    assert.matches("\n49999\r\n50000\r\n", pty:output())
  end)

  shows("ends by SIGTERM and when the window is closed", function()
    local pty <close> = opened()
    pty:signal "SIGTERM"
    assert.equal(143, pty:wait())
    local other <close> = opened()
    other:hang_up()
    assert.equal(129, other:wait())
  end)

  shows("remembers what was typed, but for what begins with a blank", function()
    local home <close> = Folder.new {}
    do
      local pty <close> = opened { home = home.path }
      pty:enter("'first'", "\n\"first\"")
      pty:enter(" secret = 1", "secret = 1")
      pty:type(CTRL_D)
      pty:wait()
    end
    local pty <close> = opened { home = home.path }
    pty:type "\27[A"
    pty:shows "> 'first'"
  end)

  shows("stops on SIGTSTP and goes on with what was typed", function()
    local pty <close> = opened()
    pty:type "1 + 4"
    pty:shows "> 1 + 4"
    pty:signal "SIGTSTP"
    pty:wait_stop()
    pty:foreground()
    async.sleep(0.2)
    pty:type "1\r"
    pty:shows "\n42\n>"
  end)

  shows("does not wait for a terminal that takes nothing", function()
    local pty <close> = opened()
    pty:enter("long = ('x'):rep(99) .. '\\n'", "'\\n'")
    pty:stop()
    pty:type "for i = 1, 30000 do io.write(long) end done = async.time()\r"
    async.sleep(1)
    pty:go()
    pty:sends "%d+ lines were dropped"
    pty:type "async.time() - done > 0.3\r"
    pty:sends "\ntrue\r\n"
  end)
end)
