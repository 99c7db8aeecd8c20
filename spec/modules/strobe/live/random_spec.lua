local Random = require "strobe.live.random"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

describe("random numbers", function()
  it("are the same for the same use, and others for another", function()
    local a, b, c = Random.new(7, "mm", 1, "main"), Random.new(7, "mm", 1, "main"), Random.new(7, "mm", 2, "main")
    local differ = 0
    for _ = 1, 100 do
      local x = a:draw()
      assert.equal(x, b:draw())
      assert.is_true(x >= 0 and x < 1)
      differ = differ + (x ~= c:draw() and 1 or 0)
    end
    assert.is_true(differ > 90)
  end)

  it("are whole from one to another, all of them", function()
    local random, seen = Random.new(1), {}
    for _ = 1, 1000 do
      local n = random:draw(-2, 3)
      seen[n] = (seen[n] or 0) + 1
    end
    for n = -2, 3 do
      assert.is_true(seen[n] > 100, n)
      seen[n] = nil
    end
    assert.is_nil(next(seen))
    assert.equal(1, random:draw(1))
    assert.equal("integer", math.type(random:draw(math.mininteger, math.maxinteger)))
    assert.has_error(function() random:draw(2, 1) end, "random: the interval is empty")
  end)

  local UNIT = [[return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
    st[m.seq] = { ctx:random(1000), math.random(1000) }
    ctx:create_task(function()
      ctx:random()
      ctx:sleep(0.001)
    end)
    ctx:sleep(0.001)
    table.insert(st[m.seq], ctx:random(1000))
  end }]]

  local function drawn(seed, reload)
    local units <close> = UnitFolder.new({ ["mm.lua"] = UNIT }, { seed = seed })
    units:start "mm"
    if reload then
      units:reload("mm", UNIT .. " ")
    end
    units:offer("ticks", 1, 2, 3)
    async.sleep(1)
    if reload then
      units.runtime:rollback "mm"
    end
    return units.runtime.units.mm.run.st
  end

  it("of units are the run's seed's, whatever is drawn beside", function()
    local st = drawn(1)
    assert.same(st, drawn(1))
    assert.not_same(st, drawn(2))
    assert.not_equal(st[1][1], st[1][3])
    assert.not_same(st[1], st[2])
  end)

  it("of units are the same in a replay", function()
    assert.same(drawn(1), drawn(1, true))
  end)
end)
