local Pty = require "spec.support.pty"
local shell = require "spec.support.shell"

-- A screen, whose inputs are lines of Lua about itself.
local PROGRAM = [[
  local Screen = require "strobe.console.screen"
  local async = require "strobe.async"
  local function nothing() end
  local over, screen = async.Event(), nil
  local around = setmetatable({ async = async, over = over }, { __index = _G })
  screen = assert(Screen.open {
    prompt = "> ", more = ">> ", color = false,
    is_complete = function(text) return text:sub(-1) ~= "{" end,
    on_submit = function(text)
      async.create_task(function()
        assert(load(text, "=line", "t", around))()
        screen:ready()
      end)
    end,
    on_eof = function() over:set() end, on_hangup = nothing, on_suspend = nothing, on_interrupt = nothing,
    on_complete = nothing, on_edit = nothing, on_lost = nothing, on_resize = nothing,
  })
  around.screen = screen
  screen:ready()
  over:wait()
  screen:close()]]

describe("a console's screen", function()
  local shows = Pty.stories(_ENV)

  local function opened()
    local pty = Pty.open({ "-e", PROGRAM }, { columns = 120 })
    pty.before = pty:settings()
    pty:shows ">"
    return pty
  end

  shows("gives lines of the background a line of their own, also where an input prints", function()
    local pty <close> = opened()
    pty:type 'screen:print "half" screen:above("x", "news\\n") async.sleep(0.5) screen:print "rest"\r'
    pty:shows "\nhalf\nnews\nrest\n>"
  end)

  shows("gives the next key to who waits for it, and nothing when none comes in time", function()
    local pty <close> = opened()
    pty:type 'screen:print "key?\\n" screen:print(("[%s]"):format(screen:key()))\r'
    pty:shows "\nkey?"
    pty:type "q"
    pty:shows "\n[q]\n>"
    pty:type 'screen:print(("[%s]"):format(screen:key(0.01)))\r'
    pty:shows "\n[nil]\n>"
    pty:type 'screen:print "typed again"\r'
    pty:shows "\ntyped again\n>"
  end)

  shows("keeps back what is printed while it is lent, in its order, and what is typed there", function()
    local pty <close> = opened()
    pty:type(('screen:lend(function() %s end)\r'):format([[
      screen:print "a\n" screen:note "b" screen:above("x", "c\n")
      io.stdout:write "lent\n" io.stdout:flush()
      io.stdout:write("read " .. io.read() .. "\n") io.stdout:flush()]]):gsub("\n%s*", " "))
    pty:shows "\nlent"
    pty:type "word\r"
    pty:shows "read word\na\nb\nc\n>"
  end)

  shows("is itself again when what it was lent to fails", function()
    local pty <close> = opened()
    pty:type 'screen:print(select(2, pcall(screen.lend, screen, function() error("no", 0) end)))\r'
    pty:shows "\nno\n>"
    pty:type 'screen:print "alive"\r'
    pty:shows "\nalive\n>"
  end)

  shows("leaves the cursor on a line of its own and the terminal as it was; closing twice is harmless", function()
    local pty <close> = opened()
    pty:type 'screen:print "half" screen:close() screen:close() over:set()\r'
    assert.equal(0, pty:wait())
    assert.equal(pty.before, pty:settings())
    assert.matches("half\r\n", pty:output())
  end)

  it("needs a terminal", function()
    local output = shell.run [[$S -e 'print(require("strobe.console.screen").open {})' </dev/null]]
    assert.matches("^nil\t.+\t%u+\n", output)
  end)
end)
