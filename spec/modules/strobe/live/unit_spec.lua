local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local function started(body)
  local units = UnitFolder.new {
    ["mm.lua"] = ('return { version = 1, subscribe = { "ticks" }, %s }'):format(body),
  }
  assert.equal("committed", units:start("mm").verdict)
  return units, units.runtime.units.mm
end

describe("a unit", function()
  it("that fails tries its event again, with its state, and without its old tasks", function()
    local units <close>, mm = started [[
      init = function(ctx, st)
        st.starts = (st.starts or 0) + 1
        ctx:create_task(function() while true do ctx:sleep(1000) end end)
      end,
      on_event = function(ctx, st, m)
        st.tries = (st.tries or 0) + 1
        if m.data == 2 and st.tries < 4 then error "not yet" end
        ctx:emit("out", m.data)
      end]]
    units:offer("ticks", 1, 2, 3)
    async.sleep(10)
    assert.same({ 1, 2, 3 }, units:values())
    assert.same({ { starts = 3, tries = 5 }, 2, 3 }, { mm.run.st, mm.failed_events, mm.events })
    assert.equal(2, #mm.run:tasks())
  end)

  it("that returns from main has ended, and a reload starts it again", function()
    local units <close>, mm = started 'main = function(ctx) ctx:inbox()() end'
    units:offer("ticks", 1, 2)
    assert.equal("ended", mm.state)
    local report = units:reload("mm", [[return { version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m) ctx:emit("out", m.data) end }]])
    assert.equal("committed", report.verdict)
    async.sleep(0)
    assert.same({ "running", { 2 } }, { mm.state, units:values() })
  end)

  it("that has stopped by itself does not keep events from the others", function()
    local text = 'return { version = 1, subscribe = { "ticks" }, %s }'
    for body, state in pairs { ['main = function(ctx) ctx:inbox()() end'] = "ended",
      ['on_event = function() error "no" end'] = "failed" } do
      local units <close> = UnitFolder.new({ ["a.lua"] = text:format(body),
        ["b.lua"] = text:format 'on_event = function(ctx, st, m) ctx:emit("out", m.data) end' },
        { inbox = { size = 4 }, supervision = { max_restarts = 1 } })
      units:start "a"
      units:start "b"
      local offering = async.create_task(function()
        for i = 1, 20 do units:offer("ticks", i) end
      end)
      async.sleep(5)
      assert.is_true(offering:done())
      local a = units.runtime.units.a
      assert.same({ state, 20, 15 }, { a.state, #units:values(), a.inbox.dropped })
      assert.matches("unit a has " .. state .. " and its inbox is full: the oldest events are dropped",
        units.logged[#units.logged][2])
      local mended = text:format 'on_event = function(ctx, st, m) ctx:emit("out", "a " .. m.data) end'
      assert.equal("committed", units:reload("a", mended).verdict)
      async.sleep(0.01)
      assert.equal("a 20", units:values()[#units:values()])
    end
  end)

  it("that was reloaded while what a restart has left cleans up keeps its new code", function()
    local units <close>, mm = started [[
      init = function(ctx, st)
        ctx:create_task(function() while true do pcall(ctx.sleep, ctx, 1000) ctx:sleep(0.5) end end)
      end,
      on_event = function(ctx, st, m) error "no" end]]
    units:offer("ticks", 1)
    async.sleep(0.2) -- the restart waits for that task now
    assert.is_true(mm.run.stopping)
    local report = units:reload("mm", [[return { version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m) ctx:emit("out", m.data) end }]])
    assert.equal("committed", report.verdict)
    async.sleep(5)
    assert.same({ 2, { 1 } }, { mm.run.generation.number, units:values() })
  end)

  it("may send what it has to say at its end", function()
    local units <close> = started [[on_event = function() end,
      dispose = function(ctx, st, why) ctx:emit("order", why) ctx:emit("slow", why) end]]
    local sent
    units.runtime:add_port("slow", { send = function(value)
      async.sleep(0.5)
      sent = value
    end })
    units.runtime:close()
    assert.same({ { "stop" }, "stop" }, { units:values(), sent })
  end)

  it("remembers its last hundred attempts", function()
    local units <close> = started "main = function(ctx) for _ in ctx:inbox() do end end"
    for _ = 1, 110 do
      units:reload("mm", "return {")
    end
    local gens = units.runtime:gens "mm"
    assert.same({ 100, 12, 111 }, { #gens, gens[1].number, gens[100].number })
    assert.equal("rejected:syntax", gens[100].verdict)
  end)

  it("is told why it ends, and may speak then", function()
    local body = [[on_event = function() end, dispose = function(ctx, st, why) print("WORD " .. why) end]]
    local units <close> = started((body:gsub("WORD", "old")))
    units:reload("mm", ('return { version = 1, subscribe = {}, %s }'):format((body:gsub("WORD", "new"))))
    units.runtime:rollback "mm"
    units.runtime:close()
    assert.same({ "old reload", "new rollback", "old stop" }, units:values())
  end)

  it("whose dispose fails or takes too long is exchanged all the same", function()
    for body, warning in pairs {
      ["error 'cannot'"] = "dispose failed: .*cannot", ["ctx:sleep(9)"] = "dispose took more than 1 s",
    } do
      local units <close> = started("on_event = function() end, dispose = function(ctx) " .. body .. " end")
      local report = units:reload("mm", "return { version = 1, main = function(ctx) ctx:inbox()() end }")
      assert.equal("committed", report.verdict)
      assert.matches(warning, report.warnings[1])
    end
  end)
end)
