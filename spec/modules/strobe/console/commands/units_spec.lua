local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"

local UNIT = [[
return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m) end }]]

local function each(f)
  for _, kind in ipairs { "near", "far" } do
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local console <close> = kind == "near" and Console.near { server = attached.server } or Console.far()
    f(console, attached)
  end
end

describe(":reload", function()
  it("gives a unit new code, and prints the report", function()
    each(function(console, attached)
      attached.units:write("mm.lua", UNIT .. " -- new")
      assert.matches("^mm: committed, generation 2 takes over from 1 %(mm.lua%), paused", console:command ":reload mm")
      assert.equal("no file of a unit has changed", console:command ":reload")
    end)
  end)

  it("shows why code is refused, and what to do", function()
    each(function(console, attached)
      attached.units:write("mm.lua", "return {")
      local text = console:refused ":reload"
      assert.matches("^mm: rejected:syntax, generation 1 goes on", text)
      assert.matches("\n  remedy: fix the line, save, reload", text)
      assert.equal("there is no unit 'nix'; there are: mm", console:refused ":reload nix")
    end)
  end)
end)

describe(":rollback", function()
  it("undoes a reload that is on probation", function()
    each(function(console, attached)
      assert.matches("not on probation", console:refused ":rollback mm")
      attached.units:reload("mm", UNIT .. " -- new")
      assert.matches("^mm: rolled_back:manual, generation 1 takes over again from 2", console:command ":rollback mm")
      assert.matches("^which unit%?", console:refused ":rollback")
    end)
  end)
end)

describe(":gens", function()
  it("shows the attempts, and what is left of probation", function()
    each(function(console, attached)
      attached.units:reload("mm", "return {")
      attached.units:reload("mm", UNIT .. " -- new")
      local text = console:command ":gens"
      assert.matches("^mm  running, generation 3  /%S+/mm.lua\n", text)
      assert.matches("\n  on probation: 50 events and 30.0 s to go; :rollback mm undoes it\n", text)
      assert.matches("\nGEN  VERDICT +AGO  FILES\n 3%*  committed +%S+ %S+  mm.lua\n  2  rejected:syntax +", text)
      assert.equal(text:gsub("%d+ s to go", ""), console:command(":gens mm"):gsub("%d+ s to go", ""))
    end)
  end)

  it("tells of old code that somebody still holds", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    attached.units.runtime.leftovers.list = function(_, unit)
      return { { gen = 7, by = "a port of " .. unit } }
    end
    Console.both(attached, function(console)
      assert.matches("\n  generation 7 can still be reached, by a port of mm$", console:command ":gens mm")
    end)
  end)
end)

describe("commands on units", function()
  it("say that there are none, and are refused to those who look on", function()
    local attached <close> = Attached.new()
    local console <close> = Console.far "ro"
    assert.equal("this process runs no live units", console:refused ":gens")
    for _, line in ipairs { ":reload", ":reload mm", ":rollback mm" } do
      assert.equal("this console may only look on (ro); it takes the rights rw", console:refused(line))
    end
    assert.truthy(attached)
  end)
end)
