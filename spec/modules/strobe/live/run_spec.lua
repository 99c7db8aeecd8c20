local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

-- A unit with these functions.
local function unit(body)
  return ('local async = require "strobe.async"\nreturn { version = 1, subscribe = { "ticks" }, %s }'):format(body)
end

local quiet = unit 'on_event = function(ctx, st, m) ctx:emit("out", m.data) end'

local function started(body, options)
  local units = UnitFolder.new({ ["mm.lua"] = unit(body) }, options)
  local report = units:start "mm"
  assert.message(report.error).equal("committed", report.verdict)
  return units
end

describe("a task of old code", function()
  it("cleans up, and may wait for that; what it writes to st is lost", function()
    local units <close> = started [[
      init = function(ctx, st)
        st.n = 1
        ctx:create_task(function()
          local _ <close> = setmetatable({}, { __close = function()
            async.sleep(0.5)
            st.n = 2
            ctx:emit("out", "cleaned up")
          end })
          async.sleep(1000)
        end)
      end, main = function(ctx) for _ in ctx:inbox() do end end]]
    async.sleep(0)
    local report = units:reload("mm", quiet)
    assert.same({ "committed", 2, {} }, { report.verdict, report.tasks_cancelled, report.warnings })
    assert.same({ { n = 1 }, { "cleaned up" } }, { units.runtime.units.mm.run.st, units:values() })
  end)

  it("that failed has run its cleanup at once, which could wait", function()
    local units <close> = started [[
      on_event = function(ctx, st, m)
        local _ <close> = setmetatable({}, { __close = function()
          async.sleep(1)
          st.closed = (st.closed or 0) + 1
        end })
        error "broken"
      end]]
    units:offer("ticks", 1)
    async.sleep(1.05)
    assert.equal(1, units.runtime.units.mm.run.st.closed)
    units:reload("mm", quiet)
  end)

  it("that swallows its cancellation once gets it again", function()
    local units <close> = started [[
      init = function(ctx)
        ctx:create_task(function()
          pcall(async.sleep, 1000)
          async.sleep(1000)
        end)
      end, on_event = function() end]]
    async.sleep(0)
    local report = units:reload("mm", quiet)
    assert.same({ "committed", {} }, { report.verdict, report.warnings })
    assert.equal(1, #units.runtime.units.mm.run:tasks())
  end)

  it("that swallows it for ever is closed, and the report says so", function()
    local units <close> = started [[
      init = function(ctx, st)
        ctx:create_task(function()
          local _ <close> = setmetatable({}, { __close = function() ctx:emit("out", "closed") end })
          while true do
            pcall(async.sleep, 10)
            st.turns = (st.turns or 0) + 1
          end
        end):set_name "stubborn"
      end, on_event = function() end]]
    async.sleep(0)
    local report = units:reload("mm", quiet)
    assert.equal("committed", report.verdict)
    assert.same({ "stubborn swallows its cancellation: it was closed" }, report.warnings)
    async.sleep(0)
    assert.same({ "closed" }, units:values())
    for _, task in ipairs(async.all_tasks()) do
      assert.not_equal("stubborn", task:get_name())
    end
    units:offer("ticks", 7)
    assert.same({ "closed", 7 }, units:values())
  end)

  it("that is shielded makes the reload wait, or refuses it", function()
    for seconds, verdict in pairs { [1] = "committed", [5] = "rejected:busy" } do
      for _, on_drain in ipairs { "abort", "cancel" } do
        local units <close> = started(([[
          init = function(ctx)
            ctx:create_task(function() ctx:shield(async.sleep, %d) ctx:emit("out", "done") end)
          end, on_event = function(ctx, st, m) ctx:emit("out", m.data) end]]):format(seconds))
        async.sleep(0)
        local report = units:reload("mm", quiet, { on_drain = on_drain })
        assert.equal(verdict, report.verdict)
        units:offer("ticks", 1)
        async.sleep(5)
        assert.equal(2, #units:values())
        assert.equal(verdict == "rejected:busy" and "a task of the unit is shielded" or nil, report.error)
      end
    end
  end)

  it("gets a late wake-up once, when the reload was refused meanwhile", function()
    local units <close> = started [[
      init = function(ctx)
        ctx:create_task(function()
          async.sleep(1)
          ctx:emit("out", "woken")
        end)
      end, on_event = function(ctx, st, m) ctx:emit("out", m.data) end]]
    async.sleep(0)
    local report = units:reload("mm", unit "init = function(ctx) ctx:sleep(9) end, on_event = function() end")
    assert.equal("rejected:init_timeout", report.verdict)
    async.sleep(0.1)
    units:offer("ticks", 1)
    assert.same({ "woken", 1 }, units:values())
  end)
end)

describe("a reload during", function()
  it("a sleep waits for its end", function()
    local units <close> = started 'on_event = function(ctx, st, m) ctx:sleep(1) ctx:emit("out", "slept") end'
    units:offer("ticks", 1, 2)
    assert.equal("committed", units:reload("mm", quiet).verdict)
    async.sleep(0)
    assert.same({ "slept", 2 }, units:values())
  end)

  it("the wait for an effect waits for its outcome", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit [[
      on_event = function(ctx, st, m) ctx:emit("out", ctx:emit("slow", m.data):await()) end]] }
    units.runtime:add_port("slow", { send = function(value)
      async.sleep(1)
      return value + 100
    end })
    units:start "mm"
    units:offer("ticks", 1, 2)
    assert.equal("committed", units:reload("mm", quiet).verdict)
    async.sleep(0)
    assert.same({ 101, 2 }, units:values())
  end)

  it("the wait of a child for an effect cuts the child, and not what was sent", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = unit [[
      init = function(ctx) ctx:create_task(function()
        ctx:sleep(0.1)
        ctx:emit("slow", "sent"):await()
        ctx:emit("out", "never")
      end) end, on_event = function() end]] }
    units.runtime:add_port("slow", { send = function(value)
      async.sleep(1)
      table.insert(units.sent, { value = value })
    end })
    units:start "mm"
    async.sleep(0.2)
    assert.equal("committed", units:reload("mm", quiet).verdict)
    async.sleep(2)
    assert.same({ "sent" }, units:values())
  end)

  it("a step that never ends is refused, and cut if that is asked for; what it had staged is not sent", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      st[m.seq] = "begun"
      pcall(async.sleep, 1000)
      ctx:emit("out", "staged")
      async.sleep(1000)
    end]]
    units:offer("ticks", 1, 2)
    assert.equal("rejected:busy", units:reload("mm", quiet).verdict)
    local report = units:reload("mm", quiet, { on_drain = "cancel" })
    -- It swallowed the first one: it is no boundary where it waits then.
    assert.equal("rejected:busy", report.verdict)
    report = units:reload("mm", quiet, { on_drain = "cancel" })
    assert.same({ "committed", { 1 } }, { report.verdict, report.cut })
    async.sleep(0)
    assert.same({ { "begun" }, { "staged", 2 } }, { units.runtime.units.mm.run.st, units:values() })
  end)

  it("a step that is cut and a refusal after that lets the old code go on with the next event", function()
    local units <close> = started 'on_event = function(ctx, st, m) ctx:emit("out", m.data) ctx:sleep(m.data) end'
    units:offer("ticks", 50, 0)
    local broken = unit "init = function() error 'broken' end, on_event = function() end"
    assert.equal("rejected:init", units:reload("mm", broken, { on_drain = "cancel" }).verdict)
    async.sleep(1)
    assert.same({ 50, 0 }, units:values())
    assert.equal("running", units.runtime.units.mm.state)
  end)

  it("the end of the process is refused, and its new code is closed", function()
    local units <close> = started 'on_event = function(ctx, st, m) ctx:emit("out", m.data) end'
    units:write("mm.lua", unit [[init = function(ctx) ctx:sleep(3) end, on_event = function() end,
      dispose = function(ctx, st, why) ctx:emit("out", why) end]])
    local reloading = async.create_task(units.runtime.reload, units.runtime, "mm")
    async.sleep(1)
    units.runtime:close()
    assert.equal("rejected:shutdown", reloading:await()[1].verdict)
    assert.same({}, units:values()) -- nothing of it was ever visible
  end)
end)

describe("a unit that starts while others are exchanged", function()
  it("waits for the end of that", function()
    local units <close> = started "init = function() end, on_event = function(ctx) ctx:sleep(1) end"
    units:write("other.lua", quiet)
    units:offer("ticks", 1)
    local reloading = async.create_task(units.runtime.reload, units.runtime, "mm")
    async.sleep(0.5)
    local starting = async.create_task(units.start, units, "other")
    async.sleep(0.3)
    assert.same({ false, false }, { reloading:done(), starting:done() })
    assert.equal("committed", starting:await().verdict)
    assert.is_true(reloading:done())
  end)
end)

describe("two files that change", function()
  local function files(word)
    return unit(('on_event = function(ctx, st, m) ctx:emit("out", "%s " .. require "leaf") end'):format(word))
  end

  it("change together, or not at all", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = files "old", ["leaf.lua"] = "return 'old'" }
    units:start "mm"
    units:write("leaf.lua", "return 'new'")
    assert.equal("rejected:syntax", units:reload("mm", "return {").verdict)
    units:offer("ticks", 1)
    assert.equal("committed", units:reload("mm", files "new").verdict)
    units:offer("ticks", 1)
    assert.same({ "old old", "new new" }, units:values())
  end)

  it("of two units that share one change both, or neither", function()
    local reader = [[init = function() assert(require "leaf" ~= BAD) end,
      on_event = function(ctx, st, m) ctx:emit("out", require "leaf") end]]
    local units <close> = UnitFolder.new {
      ["a.lua"] = unit(reader:gsub("BAD", "0")), ["b.lua"] = unit(reader:gsub("BAD", "2")), ["leaf.lua"] = "return 1",
    }
    units:start "a"
    units:start "b"
    for value, verdict in ipairs { false, "rejected:init", "committed" } do
      if verdict then
        units:write("leaf.lua", "return " .. value)
        local reports = units.runtime:reload "a"
        assert.same({ verdict, verdict }, { reports[1].verdict, reports[2].verdict })
        units:offer("ticks", 1)
      end
    end
    assert.same({ 1, 1, 3, 3 }, units:values())
  end)

  it("wait for a boundary of both at once", function()
    local units <close> = UnitFolder.new {
      ["a.lua"] = unit 'on_event = function(ctx, st, m) ctx:sleep(0.5) ctx:emit("out", require "leaf") end',
      ["b.lua"] = unit 'on_event = function(ctx, st, m) ctx:sleep(1) ctx:emit("out", require "leaf") end',
      ["leaf.lua"] = "return 1",
    }
    units:start "a"
    units:start "b"
    units:offer("ticks", 1, 2)
    units:write("leaf.lua", "return 2")
    units.runtime:reload "b"
    async.sleep(3)
    assert.same({ 1, 1, 2, 2 }, units:values())
  end)
end)
