local async = require "strobe.async"
local much_reloaded = require "spec.support.much_reloaded"
local host = require "strobe.core.host"

local RELOADS = "timeout 900 '%s' --clock=virtual spec/support/reloads.lua %d %d"

describe("a unit that is reloaded over and over", function()
  local warm_up = tonumber(os.getenv "STROBE_RELOADS_WARM_UP" or 100)
  local count = tonumber(os.getenv "STROBE_RELOADS" or 300)

  it(("takes no more memory after %d reloads"):format(count), function()
    local pipe <close> = assert(io.popen(RELOADS:format(host.program, warm_up, count)))
    local said = pipe:read "a"
    local heap_before, heap, resident_before, resident = said:match "^(%S+) (%S+) (%d+) (%d+)\n$"
    assert.message(said).is_string(heap)
    if os.getenv "STROBE_RELOADS" then
      io.stderr:write(("%d reloads: heap %s -> %s KiB, resident %s -> %s KiB\n"):format(count, heap_before, heap,
        resident_before, resident))
    end
    assert.message(said).is_true(tonumber(heap) <= heap_before * 1.01)
    if host.allocator == "mimalloc" then -- a sanitizer keeps what was freed
      assert.message(said).is_true(tonumber(resident) <= resident_before + 2048)
    end
  end)

  it("has one generation when its probation is over", function()
    local units <close> = much_reloaded.start()
    local seen = setmetatable({}, { __mode = "k" })
    for i = 1, 20 do
      much_reloaded.reload(units, i)
      local generation = units.runtime.units.mm.run.generation
      seen[generation], seen[generation.graph], seen[generation.contract] = "gen", "graph", "contract"
    end
    async.sleep(1)
    collectgarbage()
    collectgarbage()
    local left = {}
    for _, what in pairs(seen) do
      left[what] = (left[what] or 0) + 1
    end
    assert.same({ gen = 1, graph = 1, contract = 1 }, left)
    assert.equal(0, units.runtime:metrics().old_generations)
  end)

  it("says what holds an old generation when the collector has come round", function()
    local units <close> = much_reloaded.start()
    local held = units.runtime.units.mm.run.generation
    much_reloaded.reload(units, 2)
    assert.is_false(units.runtime.units.mm.probation)
    for _ = 1, 4 do
      collectgarbage()
    end
    units:offer("ticks", 1)
    assert.equal(1, units.runtime:metrics().old_generations)
    local level, text = table.unpack(units.logged[1])
    assert.equal("warning", level)
    assert.matches(("gen %d is still held after two rounds of the collector, by"):format(held.number), text)
    local list = units.runtime.leftovers:list "mm"
    assert.equal(1, #list)
    assert.equal(held.number, list[1].gen)
    assert.is_string(list[1].by)
    assert.same({}, units.runtime.leftovers:list "other")
  end)
end)
