local Folder = require "spec.support.folder"
local Pty = require "spec.support.pty"
local async = require "strobe.async"
local child = require "spec.support.child"
local program = require("strobe.core.host").program
local uv = require "luv"

local CTRL_C = "\3"

-- Somebody at the terminal of a console, whose editor is a shell script; its file is $1, its folder where it lies.
local function seated(folder, script, arguments)
  local path = folder.path .. "/editor"
  do
    local file <close> = assert(io.open(path, "w"))
    file:write("#!/bin/sh\ncd '", folder.path, "'\n", script, "\n")
  end
  assert(os.execute(("chmod +x '%s'"):format(path)))
  local pty = Pty.open(arguments or { "repl", "--norc" }, {
    columns = 120, environment = { "VISUAL=" .. path }, home = folder.path,
  })
  pty:expect "\n%d*>"
  return pty
end

-- Waits until a process has ended, though nobody may have asked for its status yet.
local function wait_until_ended(pid)
  repeat
    async.sleep(0.01)
    local stat <close> = io.open(("/proc/%d/stat"):format(pid))
  until not stat or stat:read("a"):find "%) Z "
end

describe(":edit at a terminal", function()
  local shows = Pty.stories(_ENV)

  shows("brings the last input back into the prompt, and does not run it", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, 'sed -i s/1/2/ "$1"')
    pty:enter("x = 1", "> x = 1")
    pty:type ":edit\r"
    pty:shows "> x = 2"
    pty:type "0\r"
    pty:shows "> x = 20\n>"
    pty:enter("x", "> x\n20")
  end)

  shows("lets the editor have the keys, and the terminal as the shell had it", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, 'echo here; read word; echo "y = \'$word\'" > "$1"; echo "read $word"')
    local ours = pty:settings()
    pty:type ":edit\r"
    pty:sends "here"
    assert.not_equal(ours, pty:settings())
    pty:type "hello\r"
    pty:sends "read hello"
    pty:shows "> y = 'hello'"
    assert.equal(ours, pty:settings())
    pty:type "\r"
    pty:enter("y", '"hello"')
  end)

  shows("lets the loop go on, and what others print wait until the editor is gone", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, 'echo here; while [ ! -e beaten ]; do sleep 0.01; done; echo gone')
    pty:enter(([[create_task = async.create_task(function() while not io.open "%s/editing" do async.sleep(0.01) end ]]
      .. [[for i = 1, 3 do print("beat " .. i) async.sleep(0.01) end io.open("%s/beaten", "w"):close() end)]]):format(
      folder.path, folder.path), "")
    pty:type ":edit\r"
    pty:sends "here"
    io.open(folder.path .. "/editing", "w"):close()
    pty:sends "gone"
    pty:shows "beat 1\nbeat 2\nbeat 3\n> create_task"
    assert.is_nil(pty:output():match "here.*beat 1.*gone")
  end)

  shows("changes nothing when the editor fails, or is not there", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, 'echo "x = 2" > "$1"; exit 3')
    pty:enter("x = 1", "> x = 1")
    pty:enter(":edit", "ended with status 3: nothing was changed")
    os.remove(folder.path .. "/editor")
    pty:type ":edit\r"
    pty:expect "the editor does not start: [^>]*\n>"
    pty:enter("x", "> x\n1")
  end)

  shows("leaves Ctrl-C to an editor that has a use for it", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, [[
      trap 'echo caught' INT
      echo here
      read word || read word
      echo "x = 3" > "$1"]])
    pty:enter("x = 1", "> x = 1")
    pty:type ":edit\r"
    pty:sends "here"
    pty:type(CTRL_C)
    pty:sends "caught"
    pty:type "word\r"
    pty:shows "> x = 3"
  end)

  shows("takes no Ctrl-C of the editor for its own, however late it hears of it", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, [[
      trap 'echo "x = 3" > "$1"; exit 0' INT
      echo $$ > pid
      echo here
      read word]])
    pty:enter("x = 1", "> x = 1")
    pty:type ":edit\r"
    pty:sends "here"
    local editor = assert(io.open(folder.path .. "/pid")):read "n"
    pty:signal "SIGSTOP"
    pty:wait_stop()
    uv.kill(pty:pid(), "sigint") -- what Ctrl-C does: to all in the foreground
    uv.kill(editor, "sigint")
    wait_until_ended(editor)
    pty:foreground()
    pty:shows "> x = 3"
  end)

  shows("comes back when Ctrl-C ends the editor", function()
    local folder <close> = Folder.new {}
    local pty <close> = seated(folder, "echo here; exec sleep 100")
    pty:enter("x = 1", "> x = 1")
    local ours = pty:settings()
    pty:type ":edit\r"
    pty:sends "here"
    pty:type(CTRL_C)
    pty:expect "editor ended [^>]*: nothing was\n? ?changed\n>"
    assert.equal(ours, pty:settings())
    pty:enter("x", "> x\n1")
  end)

  shows("offers to reload the unit whose file it was, also from afar", function()
    local folder <close> = Folder.new { ["mm.lua"] = [[
      return { version = 1, subscribe = {}, main = function(ctx)
        ctx:timer("beat", 0.1, function() print "beat" end)
        for _ in ctx:inbox() do end
      end }]] }
    local process <close> = child.spawn(program, { "live", "mm.lua" }, { cwd = folder.path })
    process:expect("stdout", "beat\nbeat")
    local pty <close> = seated(folder, 'echo "-- changed" >> "$1"', { "attach", tostring(process.pid) })
    pty:type((":edit %s/mm.lua\r"):format(folder.path))
    pty:shows "is the unit mm: Enter reloads it\n"
    pty:shows "> :reload mm"
    pty:type "\r"
    pty:shows "generation 2 takes over from 1"
  end)
end)
