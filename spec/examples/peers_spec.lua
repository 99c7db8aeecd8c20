local child = require "spec.support.child"
local program = require("strobe.core.host").program
local sh = require("spec.support.shell").run
local with_group = require("spec.support.multicast").with_group

-- The lines of a component that begin so.
local function lines_of(output, name)
  local list = {}
  for line in output:gmatch(("%%[ %s %%] ([^\n]*)\n"):format(name)) do
    list[#list + 1] = line
  end
  return list
end

local function expected(other)
  return { "found " .. other, other .. " is done", other .. " sends reading 1", other .. " sends reading 2",
    other .. " sends reading 3" }
end

local function sorted(list)
  table.sort(list)
  return list
end

describe("examples/peers.lua", function()
  it("has two components that find each other by name and stream to each other", with_group(function(group)
    local output, status = sh(("STROBE_DISCOVERY=%s $S examples/peers.lua"):format(group))
    assert.same(expected "right", sorted(lines_of(output, "left")))
    assert.same(expected "left", sorted(lines_of(output, "right")))
    assert.equal(0, status, output)
  end))

  it("has them in two programs as well, whichever comes first", with_group(function(group)
    local function start(...)
      return child.spawn("timeout", { "100", "env", "STROBE_DISCOVERY=" .. group, program, "examples/peers.lua", ... })
    end
    local left <close> = start("left", "right")
    local right <close> = start("right", "left")
    assert.same({ 0, 0 }, { left:wait(), right:wait() })
    assert.same(expected "right", sorted(lines_of(left.output.stdout, "left")))
    assert.same(expected "left", sorted(lines_of(right.output.stdout, "right")))
  end))
end)
