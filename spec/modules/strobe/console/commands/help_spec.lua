local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"

local function each(f)
  local attached <close> = Attached.new()
  Console.both(attached, f)
end

describe(":help", function()
  it("lists the commands, one line each, within 80 columns", function()
    each(function(console)
      console.settings.width = 80
      local text = console:command ":help"
      assert.matches("^COMMAND +WHAT IT DOES\n:help %[COMMAND%] +the commands, or all about one of them\n", text)
      assert.matches("\n:cancel TASK %[WHY%] +cancels a task, and tells what became of it\n", text)
      assert.is_nil(text:match "…\n")
    end)
  end)

  it("tells all about one", function()
    each(function(console)
      local text = console:command ":help :where"
      assert.matches("^:where TASK\nwhere a task stands, since when and why\n", text)
      assert.matches("\nneeds the rights ro\nalso :why$", text)
      assert.equal("no such command; :help", console:refused ":help nonsense")
    end)
  end)
end)

describe(":h", function()
  it("tells the reference of a name", function()
    each(function(console)
      local text = console:command ":h async.sleep"
      assert.matches("^async.sleep%(", text)
      assert.equal("a name expected, as in :h ws.connect", console:refused ":h")
    end)
  end)

  it("names what is near to a name that is unknown", function()
    each(function(console)
      local text = console:refused ":h async.slepp"
      assert.matches("; near: sleep", text)
    end)
  end)
end)

describe(":src", function()
  it("shows the source of a function, with its place", function()
    each(function(console)
      local text = console:command ":src async.gather"
      assert.matches("^%-%- %S*modules/strobe/async/task.lua:%d+\nfunction tasks.gather%(%.%.%.%)\n.*\nend$", text)
      console.peer:call("eval", { code = "function double(x)\n  return 2 * x\nend" })
      assert.equal("-- console:1:1\nfunction double(x)\n  return 2 * x\nend", console:command ":src double")
      assert.matches("C function", console:command ":src string.rep")
      assert.is_string(console:refused ":src nothing.here")
    end)
  end)
end)
