local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

-- A unit that adds up what comes, and says it with a word of its version.
local function adder(word, more)
  return ([[
    return {
      version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m)
        st.count, st.sum = (st.count or 0) + 1, (st.sum or 0) + m.data
        ctx:emit("out", "%s " .. st.sum)
      end,
      %s
    }]]):format(word, more or "")
end

-- One that fails at its k-th event.
local function failing(k, before)
  return ([[
    local count = 0
    return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
      count = count + 1
      if count == %d then
        %s
        error "broken"
      end
      st.sum = st.sum + 1000 * m.data
    end }]]):format(k, before or "")
end

local function started(texts, options)
  local units = UnitFolder.new(texts, options)
  for name in pairs(texts) do
    local unit = name:match "^(%l+)%.lua$"
    if unit and not texts[name]:find "^%-%- leaf" then
      assert.equal("committed", units:start(unit).verdict)
    end
  end
  return units
end

local function last_of(list)
  return list[#list]
end

local function feed(units, count)
  for _ = 1, count do
    units.runtime:offer("ticks", 1)
  end
  async.sleep(1)
end

describe("a rollback", function()
  for _, k in ipairs { 1, 50, 999 } do
    it(("at event %d of the new code loses none"):format(k), function()
      local units <close> = started({ ["mm.lua"] = adder "old" }, { probation = { events = 1000, seconds = 60 } })
      feed(units, 1)
      assert.equal("committed", units:reload("mm", failing(k)).verdict)
      feed(units, 1000)
      local report = last_of(units.reports)
      assert.equal("rolled_back:error", report.verdict)
      assert.same({ k - 1, 0 }, { report.replayed, report.redelivered })
      assert.same({ sum = 1001, count = 1001 }, units.runtime.units.mm.run.st)
      assert.equal(1002 - k, #units:values()) -- what is replayed is not said again
    end)
  end

  it("is not to be had when the probation is over", function()
    local units <close> = started({ ["mm.lua"] = adder "old" }, { probation = { events = 50, seconds = 0 } })
    feed(units, 1)
    units:reload("mm", failing(51))
    feed(units, 50)
    assert.is_false(units.runtime.units.mm.probation)
    feed(units, 1)
    assert.equal("committed", last_of(units.reports).verdict)
    assert.equal(1, units.runtime.units.mm.failed_events)
  end)

  it("of a step that had waited brings its event again, with what it had sent", function()
    local units <close> = started { ["mm.lua"] = [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        ctx:emit("order", { buy = m.data })
        ctx:emit("out", ("%s %d"):format(m.redelivered and "again" or "first", m.effects and #m.effects or 0))
      end }]] }
    feed(units, 1)
    units:reload("mm", [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        ctx:emit("order", { buy = m.data })
        ctx:emit("order", "another"):await()
        error "late"
      end }]])
    feed(units, 1)
    local ids = {}
    for i, sent in ipairs(units.sent) do
      ids[i] = sent.id .. " " .. sent.port
    end
    -- The order is the same, so it has its id; what is said is new.
    assert.same({ "mm/1/1 order", "mm/1/2 out", "mm/2/1 order", "mm/2/2 order", "mm/2/1 order", "mm/2/3 out" }, ids)
    assert.equal("again 2", last_of(units:values()))
    assert.equal(1, last_of(units.reports).redelivered)
  end)

  it("tells on_rollback what was really sent, and lets it send", function()
    local units <close> = started { ["mm.lua"] = adder("old", [[
      on_rollback = function(ctx, st, effects)
        for _, effect in ipairs(effects) do
          ctx:emit("out", ("undo %s: %s %s"):format(effect.id, effect.value, effect.outcome[1]))
        end
        ctx:emit("out", "undone"):await()
        st.undone = #effects
      end]]) }
    feed(units, 1)
    units:reload("mm", [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        ctx:emit("order", m.seq)
        if m.seq == 4 then error "never sent" end
      end }]])
    feed(units, 3)
    assert.same({ "old 1", 2, 3, "undo mm/2/1: 2 ok 2", "undo mm/3/1: 3 ok 3", "undone", "old 4" }, units:values())
    assert.equal(2, units.runtime.units.mm.run.st.undone)
  end)

  it("that fails too stops the unit, and a reload starts it again", function()
    local units <close> = started { ["mm.lua"] = adder("old", "init = function(ctx) assert(not ctx.replaying) end") }
    feed(units, 1)
    units:reload("mm", failing(2))
    feed(units, 3)
    local report = last_of(units.reports)
    assert.equal("rolled_back:failed", report.verdict)
    assert.equal("failed", units.runtime.units.mm.state)
    assert.equal("committed", units:reload("mm", adder "fixed").verdict)
    async.sleep(0)
    assert.same({ "old 1", "fixed 1002", "fixed 1003" }, units:values())
  end)

  it("that fails in on_rollback stops the unit", function()
    local units <close> = started { ["mm.lua"] = adder("old", "on_rollback = function() error 'cannot' end") }
    feed(units, 1)
    units:reload("mm", failing(2))
    feed(units, 3)
    assert.equal("rolled_back:failed", last_of(units.reports).verdict)
    assert.matches("cannot", last_of(units.reports).error)
  end)

  it("replays sleeps at once, by the clock of that time, and the children begin after it", function()
    local text = [[
      return { version = 1, subscribe = { "ticks" },
        init = function(ctx, st)
          ctx:create_task(function() st.child = ctx.replaying and "in the replay" or "after it" end)
        end,
        on_event = function(ctx, st, m)
          st.replaying = ctx.replaying
          st[m.data] = { ctx:now(), ctx.replaying }
          ctx:sleep(5)
          require "strobe.async".sleep(5)
          st[m.data][3] = ctx:now()
        end }]]
    local units <close> = started { ["mm.lua"] = text }
    units:reload("mm", text .. " ")
    local began = async.time()
    units:offer("ticks", "a", "b")
    async.sleep(30)
    local before = units.runtime.units.mm.run.st
    local a, b = before.a, before.b
    assert.same({ began, false, began + 10 }, a)
    local now = async.time()
    units.runtime:rollback "mm"
    assert.is_true(async.time() - now < 1)
    local st = units.runtime.units.mm.run.st
    assert.same({ { a[1], true, a[3] }, { b[1], true, b[3] } }, { st.a, st.b })
    async.sleep(0)
    assert.equal("after it", st.child)
  end)

  it("goes on with a step that waits for a task of its own", function()
    local text = [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        ctx:create_task(function() st.sum = (st.sum or 0) + m.data end):await()
      end }]]
    local units <close> = started { ["mm.lua"] = text }
    units:reload("mm", text .. " ")
    units:offer("ticks", 1, 2)
    assert.equal("rolled_back:manual", units.runtime:rollback("mm").verdict)
    assert.equal(3, units.runtime.units.mm.run.st.sum)
  end)

  it("says nothing, asks nothing and logs for debugging in the replay", function()
    local text = [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        local effect = ctx:emit("out", m.data)
        st.muted = { effect:await() , select(3, effect:await()), select(3, ctx:query("price", 1)) }
        ctx:log("info", "saw %d", m.data)
      end }]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text }
    local asked = 0
    units.runtime:add_port("price", { query = function() asked = asked + 1 return asked end })
    units:start "mm"
    units:reload("mm", text .. " ")
    units:offer("ticks", 7)
    async.sleep(0)
    units.runtime:rollback "mm"
    assert.same({ [2] = "muted", [3] = "muted" }, units.runtime.units.mm.run.st.muted)
    assert.same({ 1, { 7 } }, { asked, units:values() })
    local levels = {}
    for i, entry in ipairs(units.logged) do
      levels[i] = entry[1]
    end
    assert.same({ "info", "debug" }, levels)
  end)

  it("lets others be served during a long replay", function()
    local text = "return { version = 1, subscribe = { 'NAME' }, on_event = function(ctx, st, m) WORK end }"
    local units <close> = started({
      ["mm.lua"] = text:gsub("NAME", "ticks"):gsub("WORK", "st.n = (st.n or 0) + 1 for _ = 1, 3000 do end"),
      ["other.lua"] = text:gsub("NAME", "pings"):gsub("WORK", 'ctx:emit("out", 1)'),
    }, { probation = { events = 5000 } })
    units:reload("mm", (text:gsub("NAME", "ticks"):gsub("WORK", "st.m = 1")))
    feed(units, 4000)
    local undoing = async.create_task(units.runtime.rollback, units.runtime, "mm")
    local served = 0
    while not undoing:done() do
      units.runtime:offer("pings", 1)
      async.sleep(0)
      served = #units.sent
    end
    assert.equal(4000, undoing:result().replayed)
    assert.equal(4000, units.runtime.units.mm.run.st.n)
    assert.is_true(served > 3, served)
  end)

  it("takes what was kept back, and closes what took its place", function()
    local text = [[
      return { version = 1, subscribe = { "ticks" }, init = function(ctx, st)
        ctx:keep("gate", SPEC, function(spec)
          ctx:emit("out", "open " .. spec)
          return { spec = spec, close = function() end }
        end)
      end, on_event = function(ctx, st, m)
        ctx:emit("out", ctx:keep("gate", SPEC, error).spec)
      end }]]
    local units <close> = started { ["mm.lua"] = text:gsub("SPEC", "1") }
    units:reload("mm", (text:gsub("SPEC", "2")))
    units:offer("ticks", 0)
    assert.equal("rolled_back:manual", units.runtime:rollback("mm").verdict)
    units:offer("ticks", 0)
    assert.same({ "open 1", "open 2", 2, 1 }, units:values())
  end)
end)

describe("a rollback of what was reloaded together", function()
  local function reader(name)
    return ([[
      local leaf = require "leaf"
      return { version = 1, subscribe = { "%s" }, on_event = function(ctx, st, m)
        ctx:emit("out", "%s " .. leaf(m.data))
        if m.data == 13 and leaf(0) == "new 0" then error "thirteen" end
      end }]]):format(name, name)
  end

  local function pair(options)
    local units = started({
      ["a.lua"] = reader "a", ["b.lua"] = reader "b",
      ["leaf.lua"] = "-- leaf\nreturn function(x) return 'old ' .. x end",
    }, options)
    units:write("leaf.lua", "-- leaf\nreturn function(x) return 'new ' .. x end")
    return units, units.runtime:reload "a"
  end

  it("takes all of them back when one fails", function()
    local units <close>, reports = pair()
    assert.same({ "committed", "committed" }, { reports[1].verdict, reports[2].verdict })
    units:offer("b", 1)
    units:offer("a", 13)
    async.sleep(1)
    assert.same({ "b new 1", "a old 13" }, units:values())
    units:offer("b", 2)
    assert.equal("b old 2", last_of(units:values()))
    local told = {}
    for i = #units.reports - 1, #units.reports do
      told[units.reports[i].unit] = units.reports[i]
    end
    assert.same({ "rolled_back:error", "rolled_back:error" }, { told.a.verdict, told.b.verdict })
    assert.same({ 0, 1 }, { told.a.replayed, told.b.replayed })
    assert.matches("^unit a: .*thirteen", told.b.error)
  end)

  it("by hand as well", function()
    local units <close> = pair()
    assert.equal("b", units.runtime:rollback("b").unit)
    units:offer("a", 1)
    units:offer("b", 2)
    assert.same({ "a old 1", "b old 2" }, units:values())
  end)

  it("waits for the step that another is in", function()
    local units <close> = started {
      ["a.lua"] = reader "a", ["leaf.lua"] = "-- leaf\nreturn function(x) return 'old ' .. x end",
      ["b.lua"] = [[
        local leaf = require "leaf"
        return { version = 1, subscribe = { "b" }, on_event = function(ctx, st, m)
          ctx:sleep(1)
          st.last = leaf(m.data)
          ctx:emit("out", "b " .. st.last)
        end }]],
    }
    units:write("leaf.lua", "-- leaf\nreturn function(x) return 'new ' .. x end")
    units.runtime:reload()
    units:offer("b", 5)
    units:offer("a", 13)
    async.sleep(3)
    assert.same({ "b new 5", "a old 13" }, units:values())
    assert.equal("old 5", units.runtime.units.b.run.st.last) -- said once, and computed again
  end)

  it("is over for all of them at once", function()
    local units <close> = pair { probation = { events = 2, seconds = 0 } }
    units:offer("a", 1, 2, 3)
    assert.is_table(units.runtime.units.a.probation)
    units:offer("b", 1, 2)
    assert.same({ false, false }, { units.runtime.units.a.probation, units.runtime.units.b.probation })
  end)

  it("is over for all of them when one is reloaded", function()
    local units <close> = pair()
    units:reload("a", reader "a" .. " ")
    assert.is_table(units.runtime.units.a.probation)
    assert.is_false(units.runtime.units.b.probation)
  end)
end)
