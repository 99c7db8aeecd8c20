local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local reports = require "spec.support.reports"

local function unit(body)
  return ('return { version = 1, subscribe = { "ticks" }, %s }'):format(body)
end

local function started(body, options)
  local units = UnitFolder.new({ ["mm.lua"] = unit(body) }, options)
  local report = units:start "mm"
  assert.message(report.error).equal("committed", report.verdict)
  return units
end

describe("ctx:timer", function()
  it("with a name keeps its deadline over reloads and rollbacks, one without begins anew", function()
    local body = [[init = function(ctx)
      ctx:timer("named", 10, function() ctx:emit("out", "named " .. ctx:now()) end)
      ctx:timer(nil, 10, function() ctx:emit("out", "own " .. ctx:now()) end)
    end, on_event = function() end]]
    local units <close> = started(body)
    async.sleep_until(4)
    units:reload("mm", unit(body) .. " ")
    async.sleep_until(7)
    units.runtime:rollback "mm"
    async.sleep_until(30.5)
    local times = {}
    for _, value in ipairs(units:values()) do
      local name, at = value:match "(%a+) ([%d.]+)"
      times[#times + 1] = ("%s %.0f"):format(name, tonumber(at))
    end
    assert.same({ "named 10", "own 17", "named 20", "own 27", "named 30" }, times)
  end)

  it("takes a shorter period at once", function()
    local body = 'init = function(ctx) ctx:timer("beat", PERIOD, function() ctx:emit("out", 1) end) end, main = MAIN'
    body = body:gsub("MAIN", "function(ctx) for _ in ctx:inbox() do end end")
    local units <close> = started((body:gsub("PERIOD", "100")))
    units:reload("mm", unit((body:gsub("PERIOD", "1"))))
    async.sleep(2.5)
    assert.equal(2, #units:values())
  end)

  it("wants a period", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit "main = function(ctx) ctx:timer('x', 0, print) end" }
    local report = units:start "mm"
    assert.equal("rejected:init", report.verdict)
    assert.matches("ctx:timer: a period above 0 expected, got 0", report.error)
  end)
end)

describe("ctx:keep", function()
  local KEEPER = unit [[
    init = function(ctx, st)
      local gate = ctx:keep("gate", { port = PORT }, function(spec)
        if spec.port == 13 then return nil, "in use" end
        return { port = spec.port, close = function() end }
      end)
      st.port = gate.port
    end,
    on_event = function(ctx, st, m)
      local own = ctx:keep("own", m.data, function(spec)
        return { spec = spec, close = function() ctx:emit("out", "closed " .. spec) end }
      end)
      ctx:emit("out", own.spec)
    end]]

  local function text_of(port)
    return (KEEPER:gsub("PORT", port))
  end

  local function started_keeper(limits)
    local units = UnitFolder.new({ ["mm.lua"] = text_of(1) }, { probation = limits })
    units:start "mm"
    return units
  end

  it("gives the same as long as what is wanted is the same", function()
    local units <close> = started_keeper()
    local kept = units.runtime.units.mm.keeper.kept.gate.object
    local report = units:reload("mm", text_of(1) .. " ")
    assert.same({ { "gate" }, {} }, { report.kept, report.remade })
    assert.equal(kept, units.runtime.units.mm.keeper.kept.gate.object)
  end)

  it("closes what was replaced when the new code has proven itself", function()
    local closed = {}
    local units <close> = started_keeper { events = 1, seconds = 0 }
    local kept = units.runtime.units.mm.keeper.kept.gate.object
    kept.close = function(self) table.insert(closed, self.port) end
    assert.same({ "gate" }, units:reload("mm", text_of(2)).remade)
    assert.same({}, closed)
    units:offer("ticks", 5)
    assert.same({ 1 }, closed)
  end)

  it("refuses code whose things cannot be made, and keeps the old ones", function()
    local units <close> = started_keeper()
    local kept = units.runtime.units.mm.keeper.kept.gate.object
    local report = units:reload("mm", text_of(13))
    assert.equal("rejected:init", report.verdict)
    assert.matches("ctx:keep 'gate': in use", report.error)
    assert.equal(kept, units.runtime.units.mm.keeper.kept.gate.object)
  end)

  it("asked for in a step takes the place of the one before, which a rollback brings back", function()
    local units <close> = started_keeper()
    units:offer("ticks", "a")
    local kept = units.runtime.units.mm.keeper.kept.own.object
    units:reload("mm", text_of(1) .. " ")
    units:offer("ticks", "a", "b")
    assert.equal("b", units.runtime.units.mm.keeper.kept.own.object.spec)
    units.runtime:rollback "mm"
    assert.equal("b", units.runtime.units.mm.keeper.kept.own.object.spec) -- the old code had asked for it, too
    assert.not_equal(kept, units.runtime.units.mm.keeper.kept.own.object)
    units:offer("ticks", "c")
    -- Closed are what the rejected code had made, and what "c" replaced.
    assert.same({ "a", "a", "b", "closed b", "closed a", "closed b", "c" }, units:values())
  end)
end)

describe("what ctx:keep has made", function()
  -- A unit whose gates are counted: made, and closed. Its body says when it asks for them.
  local function started_gates(body, options)
    local gates = { made = 0, closed = 0 }
    local units = UnitFolder.new({ ["mm.lua"] = unit(body) }, options)
    units.runtime:add_port("make", { query = function(seconds)
      async.sleep(seconds)
      gates.made = gates.made + 1
      return { number = gates.made, close = function(self)
        gates.closed = gates.closed + 1
        if self.fails then error "it is stuck" end
      end }
    end })
    assert.equal("committed", units:start("mm").verdict)
    return units, gates
  end

  local BY_DATA = [[on_event = function(ctx, st, m)
    ctx:keep("gate", m.data, function() return ctx:query("make", 0) end)
  end]]

  it("is closed when the runtime ends, also what would come back by a rollback", function()
    local units <close>, gates = started_gates(BY_DATA)
    units:offer("ticks", 1)
    units:reload("mm", unit(BY_DATA) .. " ")
    units:offer("ticks", 2)
    assert.same({ made = 2, closed = 0 }, gates)
    units.runtime:close()
    assert.same({ made = 2, closed = 2 }, gates)
  end)

  it("is closed on probation when it is replaced by the same code: it will not come back", function()
    local units <close>, gates = started_gates(BY_DATA)
    units:offer("ticks", 1)
    units:reload("mm", unit(BY_DATA) .. " ")
    units:offer("ticks", 2, 3, 4)
    assert.same({ made = 4, closed = 2 }, gates)
    assert.equal(1, units.runtime.units.mm.probation.replaced[1].held.object.number)
    units.runtime:rollback "mm"
    assert.equal(1, units.runtime.units.mm.keeper.kept.gate.object.number)
    assert.same({ made = 4, closed = 3 }, gates)
  end)

  it("is the same for two tasks that ask at once", function()
    local units <close>, gates = started_gates [[init = function(ctx, st)
      local function open() return ctx:keep("gate", 1, function() return ctx:query("make", 1) end) end
      local a, b = ctx:create_task(open), ctx:create_task(open)
      ctx:emit("out", a:await() == b:await())
    end, on_event = function() end]]
    assert.same({ { true }, { made = 2, closed = 1 } }, { units:values(), gates })
  end)

  it("is closed when init asks for another one under its name", function()
    local units <close>, gates = started_gates [[init = function(ctx, st)
      for i = 1, 3 do ctx:keep("gate", i, function() return ctx:query("make", 0) end) end
    end, on_event = function() end]]
    assert.same({ made = 3, closed = 2 }, gates)
    units.runtime:close()
    assert.same({ made = 3, closed = 3 }, gates)
  end)

  it("is reported when it cannot be closed", function()
    local contexts = reports.of(function()
      local units <close> = started_gates(BY_DATA)
      units:offer("ticks", 1)
      units.runtime.units.mm.keeper.kept.gate.object.fails = true
    end)
    assert.equal(1, #contexts)
    assert.matches("ctx:keep 'gate': close failed: .*it is stuck", contexts[1].message)
  end)

  it("is not waited for by who is cancelled meanwhile: that is no failure of the unit", function()
    local units <close> = started_gates [[on_event = function(ctx, st, m)
      local async = require "strobe.async"
      local _, e = pcall(function()
        local scope <close> = async.timeout(1)
        return ctx:keep("gate", 1, function() return ctx:query("make", 10) end)
      end)
      ctx:emit("out", e.name)
    end]]
    units:offer("ticks", 1)
    async.sleep(2)
    assert.same({ { "TimeoutError" }, 0 }, { units:values(), units.runtime.units.mm.failed_events })
  end)
end)

describe("ctx", function()
  it("tells one time in a step, until it waits", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      local a = ctx:now()
      require("strobe.live")
      local b = ctx:now()
      ctx:sleep(2)
      ctx:emit("out", a == b and ctx:now() - a)
    end]]
    units:offer("ticks", 1)
    async.sleep(2)
    assert.near(2, units:values()[1], 1e-5)
  end)

  it("logs with the unit, the generation and the event", function()
    local units <close> = started 'on_event = function(ctx, st, m) ctx:log("info", "saw %s", m.data) end'
    units:offer("ticks", "a")
    assert.same({ "info", "saw a", { unit = "mm", gen = 1, seq = 1 } }, units.logged[1])
  end)

  it("forbids reloads as long as a hold is held, and says why", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      ctx:create_task(function()
        local a <close> = ctx:forbid_reload "settling"
        local b = ctx:forbid_reload "booking"
        ctx:sleep(5)
        b:release()
        b:release()
      end)
    end]]
    units:offer("ticks", 1)
    local report = units:reload("mm", unit "on_event = function() end")
    assert.same({ "rejected:forbidden", "the unit forbids it: booking; settling" }, { report.verdict, report.error })
    async.sleep(5)
    assert.equal("committed", units:reload("mm", unit "on_event = function() end").verdict)
  end)

  it("cannot be changed, and tells facts", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      local ok, message = pcall(function() ctx.book = {} end)
      ctx:emit("out", ("%s %d %s %s"):format(ctx.unit, ctx.gen, ctx.replaying, message:match "ctx.book.*"))
    end]]
    units:offer("ticks", 1)
    assert.same({ "mm 1 false ctx.book: ctx cannot be changed; what is to be kept belongs to st" }, units:values())
  end)

  it("hands out events to main alone", function()
    local units <close> = started [[init = function(ctx)
      ctx:create_task(function() ctx:emit("out", select(2, pcall(ctx:inbox())):match "ctx:inbox.*") end)
    end, main = function(ctx) for m in ctx:inbox() do ctx:emit("out", m.data) end end]]
    async.sleep(0.01)
    units:offer("ticks", 1)
    assert.same({ "ctx:inbox: only main may ask for events", 1 }, { units:values()[1], units:values()[2] })
  end)
end)
