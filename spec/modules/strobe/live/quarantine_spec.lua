local async = require "strobe.async"
local quarantine = require "strobe.live.quarantine"
local refusals = require "strobe.live.refusal"

local function run(f, ...)
  local account = quarantine.open("/mm.lua", f)
  local results = table.pack(quarantine.resume(account, ...))
  quarantine.close(account)
  return table.unpack(results, 1, results.n)
end

describe("quarantine", function()
  it("runs a function to its end, and knows that it does", function()
    assert.is_nil(quarantine.account())
    local account
    local ok, three, none, five = run(function(a)
      account = quarantine.account()
      return a + 1, nil, 5
    end, 2)
    assert.same({ true, 3, "nil", 5 }, { ok, three, tostring(none), five })
    assert.equal("/mm.lua", account.path)
    assert.is_nil(quarantine.account())
  end)

  it("is over when the function has failed", function()
    local ok, e = run(error, "no luck")
    assert.same({ false, "no luck" }, { ok, e })
    assert.is_nil(quarantine.account())
  end)

  it("has another one within it", function()
    run(function()
      local outer = quarantine.account()
      run(function()
        assert.not_equal(outer, quarantine.account())
      end)
      assert.equal(outer, quarantine.account())
    end)
  end)

  it("lets nobody wait", function()
    local ok, e = run(async.sleep, 1)
    assert.is_false(ok)
    assert.matches("cannot wait", tostring(e))
  end)

  it("ends a loop, though it is caught, and one in a coroutine", function()
    for _, f in ipairs {
      function()
        while true do end
      end,
      function()
        for _ = 1, 1e9 do
          pcall(function()
            while true do end
          end)
        end
      end,
      function()
        local thread = quarantine.watch(coroutine.create(function()
          while true do end
        end))
        error(select(2, coroutine.resume(thread)), 0)
      end,
    } do
      local ok, e = run(f)
      assert.same({ false, true, "budget" }, { ok, refusals.is(e), e.code })
    end
  end)

  it("closes what was to be closed, under its rules", function()
    local closed = {}
    local function closing(f)
      return setmetatable({}, { __close = function()
        closed[#closed + 1] = quarantine.account() ~= nil
        f(nil)
      end })
    end
    run(function()
      local _ <close> = closing(type)
      error "no luck"
    end)
    run(function()
      local _ <close> = closing(function()
        while true do end
      end)
      coroutine.yield()
    end)
    assert.same({ true, true }, closed)
    assert.is_nil(quarantine.account())
  end)

  it("counts for each on its own", function()
    local function work()
      for _ = 1, 2e6 do end
    end
    for _ = 1, 5 do
      assert.is_true(run(function()
        work()
        return run(work)
      end))
    end
  end)

  it("leaves nothing behind in coroutines", function()
    local thread = coroutine.create(function() end)
    run(function()
      quarantine.watch(thread)
      assert.is_function((debug.gethook(thread)))
    end)
    assert.is_nil(debug.gethook(thread))
    quarantine.watch(thread)
    assert.is_nil(debug.gethook(thread))
  end)

  it("calls a function that may take its time, with a trace of its failure", function()
    assert.same({ true, 6 }, { quarantine.call("/mm.lua", function(a)
      for _ = 1, 6e6 do end
      return a * 2
    end, 3) })
    local ok, e, trace = quarantine.call("/mm.lua", error, "broken")
    assert.same({ false, "broken" }, { ok, e })
    assert.matches("^broken\nstack traceback:", trace)
    ok, e = quarantine.call("/mm.lua", coroutine.yield)
    assert.same({ false, "it yields" }, { ok, e })
    ok, e = quarantine.call("/mm.lua", async.sleep, 1)
    assert.is_false(ok)
    assert.matches("cannot wait", tostring(e))
  end)
end)
