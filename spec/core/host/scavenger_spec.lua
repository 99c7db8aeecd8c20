local host = require "strobe.core.host"
local shell = require "spec.support.shell"

-- What a program of its own had to say, as numbers.
local function memory(how)
  local output, status = shell.run("$S spec/core/host/scavenger_program.lua " .. how .. " 2>/dev/null")
  assert.equal(0, status)
  local numbers = {}
  for number in output:gmatch "%S+" do
    numbers[#numbers + 1] = tonumber(number)
  end
  return { most_heap = numbers[1], heap = numbers[2] }, { before = numbers[3], most = numbers[4], after = numbers[5] }
end

local function story(how, least)
  it("is collected while the process is quiet", function()
    local lua = memory(how)
    assert.is_true(lua.most_heap > least, "it took " .. lua.most_heap)
    assert.is_true(lua.heap < lua.most_heap / 4, "it kept " .. lua.heap)
  end)

  it("goes back to the system", function()
    if host.allocator ~= "mimalloc" then
      return pending "this strobe allocates with the system's malloc, which keeps what is free"
    end
    local _, resident = memory(how)
    if resident.before == 0 then
      return pending "there is no /proc here to see the resident memory in"
    end
    local grown, left = resident.most - resident.before, resident.after - resident.before
    assert.is_true(grown > least, "it grew by " .. grown)
    assert.is_true(left < grown / 4, ("of %.1f MiB, %.1f are left"):format(grown, left))
  end)
end

describe("memory that is no longer needed", function()
  describe("of 20,000 tasks that have ended", function()
    story("tasks", 15)
  end)

  describe("of a table of 200,000", function()
    story("tables", 15)
  end)

  it("stays where a script has stopped the collector", function()
    local output, status = shell.lua([[
      local host = require "strobe.core.host"
      collectgarbage "stop"
      host.scavenge_after(0.001)
      for _ = 1, 5000 do async.sleep(0) end
      local list = {}
      for i = 1, 100000 do list[i] = {} end
      list = nil
      for _ = 1, 10 do async.sleep(0.005) end
      print(host.statistics().scavenged, collectgarbage "count" > 4096)]], "live")
    assert.equal("0\ttrue\n", output)
    assert.equal(0, status)
  end)
end)

describe("scavenge_after", function()
  it("wants a time from a millisecond to an hour", function()
    local ok, message = pcall(host.scavenge_after, 0)
    assert.is_false(ok)
    assert.matches("1 ms to 1 h expected", tostring(message), 1, true)
  end)
end)
