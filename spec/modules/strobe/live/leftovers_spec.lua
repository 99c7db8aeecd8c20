local Leftovers = require "strobe.live.leftovers"
local async = require "strobe.async"
local contexts = require "strobe.async.context"
local runs = require "strobe.live.run"

local UNIT = { name = "mm" }

-- Rounds of the collector, until what was added before them is looked at.
local function go_round()
  for _ = 1, 4 do
    collectgarbage()
  end
end

local function watched()
  local warnings = {}
  return Leftovers.new(function(unit, text)
    table.insert(warnings, unit .. ": " .. text)
  end), warnings
end

-- A task that sleeps in the code of a generation.
local function sleeper_in(generation, name)
  local task = contexts.Context():run(function()
    runs.variable:set { generation = generation }
    return async.create_task(async.sleep, 1000)
  end)
  task:set_name(name)
  return task
end

describe("a generation that has been replaced", function()
  it("is told of, once, when the collector has come round and it is still there", function()
    local leftovers, warnings = watched()
    local generation = { number = 7 }
    leftovers:add(generation, UNIT)
    leftovers:glance()
    assert.same({ 0, {} }, { leftovers:count(), warnings })
    go_round()
    leftovers:glance()
    leftovers:glance()
    assert.same({ "mm: gen 7 is still held after two rounds of the collector, by something that is kept, a port, or a "
      .. "callback" }, warnings)
    assert.equal(1, leftovers:count())
    assert.equal(7, generation.number) -- here it is held
  end)

  it("is not told of when it is gone", function()
    local leftovers, warnings = watched()
    leftovers:add({ number = 7 }, UNIT)
    go_round()
    leftovers:glance()
    assert.same({ 0, {} }, { leftovers:count(), warnings })
  end)

  it("is told of with the tasks and timers that go on in it, and where they are", function()
    local leftovers, warnings = watched()
    local generation = { number = 3 }
    local tasks = { sleeper_in(generation, "mm task"), sleeper_in(generation, "mm timer beat") }
    local other = sleeper_in({ number = 4 }, "mm main")
    async.sleep(0)
    leftovers:add(generation, UNIT)
    go_round()
    leftovers:glance()
    assert.equal(1, #warnings)
    assert.matches("by mm task at %S+, mm timer beat at %S+$", warnings[1])
    for _, task in ipairs { other, table.unpack(tasks) } do
      task:cancel()
    end
    async.sleep(0)
  end)

  it("waits for its own rounds: one that comes later is not told of with one before", function()
    local leftovers, warnings = watched()
    local first, second = { number = 1 }, { number = 2 }
    leftovers:add(first, UNIT)
    go_round()
    leftovers:add(second, UNIT)
    leftovers:glance()
    assert.same({ 1, 1 }, { #warnings, leftovers:count() })
    go_round()
    leftovers:glance()
    assert.same({ 2, 2 }, { #warnings, leftovers:count() })
    assert.equal(3, first.number + second.number)
  end)
end)
