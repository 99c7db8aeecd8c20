local DebugClient = require "spec.support.debug_client"
local async = require "strobe.async"
local happenings = require "strobe.debug.happenings"

local function recording()
  local told = {}
  local list = happenings.new(function(event, value)
    told[#told + 1] = ("%s %s"):format(event, value)
  end)
  return list, told
end

describe("what has happened", function()
  it("is told later, in its order", function()
    local list, told = recording()
    list:add("stopped", 1)
    list:add("output", 2)
    list:add("stopped", 3)
    assert.same({}, told)
    async.sleep(0)
    assert.same({ "stopped 1", "output 2", "stopped 3" }, told)
    list:add("stopped", 4)
    async.sleep(0)
    assert.equal("stopped 4", told[4])
  end)

  it("is told bit by bit when it is much", function()
    local list, told = recording()
    for i = 1, 10000 do
      list:add("stopped", i)
    end
    async.sleep(0.01)
    assert.is_true(#told > 0 and #told <= 500)
    async.sleep(10)
    assert.equal(10000, #told)
    assert.equal("stopped 10000", told[10000])
  end)

  it("is counted when too many texts come, and the next ones are told again", function()
    local list, told = recording()
    for i = 1, 5000 do
      list:add("output", i)
    end
    async.sleep(10)
    assert.equal(1001, #told)
    assert.equal("output … 4000 more texts came too fast", told[1001])
    list:add("output", "x")
    async.sleep(1)
    assert.equal("output x", told[1002])
  end)

  it("is told to nobody who has closed it, not even the rest", function()
    local list, told = recording()
    list:add("stopped", 1)
    list:close()
    list:close()
    async.sleep(1)
    assert.same({}, told)
    local other
    other = happenings.new(function(_, value)
      told[#told + 1] = value
      other:close()
    end)
    other:add("stopped", 1)
    other:add("stopped", 2)
    async.sleep(1)
    assert.same({ 1 }, told)
  end)
end)

describe("a session in which much happens", function()
  it("tells of thousands of tasks at one breakpoint, and lets them all go on", function()
    local client <close> = DebugClient.here { ["main.lua"] = "local seen = ...\nseen.n = seen.n + 1" }
    client:breakpoints("main.lua", { 2 })
    local seen, tasks = { n = 0 }, {}
    for i = 1, 3000 do
      tasks[i] = client:run("main.lua", seen)
    end
    for _ = 1, 3000 do
      client:event "stopped"
    end
    assert.equal(3000 + 1, #client:must("threads").threads)
    assert.equal(0, seen.n)
    client:must("disconnect", { terminateDebuggee = false })
    async.wait(tasks)
    assert.equal(3000, seen.n)
  end)

  it("writes the texts of a hot loop as far as they are read", function()
    local client <close> = DebugClient.here { ["main.lua"] = "for i = 1, 3000 do\n  local x = i\nend" }
    client:breakpoints("main.lua", { { line = 2, logMessage = "i is {i}" } })
    client:run("main.lua"):await()
    for i = 1, 1000 do
      assert.equal(("i is %d\n"):format(i), client:event("output").output)
    end
    assert.equal("… 2000 more texts came too fast\n", client:event("output").output)
  end)
end)
