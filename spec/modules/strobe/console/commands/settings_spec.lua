local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"

local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

local function each(f)
  local attached <close> = Attached.new()
  Console.both(attached, f)
end

describe(":set", function()
  it("tells the settings, and sets them", function()
    each(function(console)
      assert.equal("", console:command ":set depth 2")
      assert.equal(2, console.settings.depth)
      assert.equal("depth is 2", console:command ":set depth")
      console:command ":set color off"
      console:command ":set trace full"
      assert.matches("^SETTING  VALUE  WHAT IT IS\ndepth    2 ", console:command ":set")
      assert.matches("\ntrace    full .*\ncolor    off ", console:command ":set")
    end)
  end)

  it("refuses what makes no sense", function()
    each(function(console)
      for line, message in pairs {
        [":set depth x"] = "depth: a whole number from 0 to 100 expected",
        [":set items 0"] = "items: a whole number from 1 to 10000 expected",
        [":set width 5"] = "width: a whole number from 20 to 1000 expected",
        [":set color red"] = "color: on or off expected",
        [":set trace long"] = "trace: short or full expected",
        [":set nix 1"] = "there is no setting 'nix'; :set tells them",
      } do
        assert.equal(message, console:refused(line))
      end
      assert.equal(100, console.settings.width)
    end)
  end)
end)

describe(":vars", function()
  it("shows the variables of the console", function()
    each(function(console)
      assert.equal("no variables yet: x = 1 makes one", console:command ":vars")
      console.peer:call("eval", { code = "local b, a = {1, 2}, 'text'; f = print return 42" })
      assert.matches("^NAME  TYPE +VALUE\na     string +\"text\"\nb     table +{1, 2}\nf     function +%S+",
        console:command ":vars")
    end)
  end)
end)

describe(":clear", function()
  it("clears the screen", function()
    each(function(console)
      assert.equal("", console:command ":clear")
      assert.equal(1, console.cleared)
    end)
  end)
end)

describe(":q", function()
  it("leaves", function()
    each(function(console)
      console:command ":q"
      assert.is_true(console.has_quit)
    end)
  end)

  it("asks once in the process when units run; from afar these go on anyway", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    Console.both(attached, function(console)
      if console.near then
        assert.equal("1 unit runs: :q once more ends it, and the process", console:command ":q")
        assert.is_false(console.has_quit)
      end
      console:command ":quit"
      assert.is_true(console.has_quit)
    end)
  end)
end)
