local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local function started(body, ports)
  local units = UnitFolder.new {
    ["mm.lua"] = ('return { version = 1, subscribe = { "ticks" }, %s }'):format(body),
  }
  for name, functions in pairs(ports or {}) do
    units.runtime:add_port(name, functions)
  end
  local report = units:start "mm"
  assert.message(report.error).equal("committed", report.verdict)
  return units
end

local function ids(units)
  local list = {}
  for i, sent in ipairs(units.sent) do
    list[i] = sent.id
  end
  return list
end

describe("an effect", function()
  it("has an id of its own: by its event, or else by its generation and task", function()
    local units <close> = started [[
      init = function(ctx)
        ctx:emit("out", 0)
        for i = 1, 2 do
          ctx:create_task(function() ctx:sleep(1) ctx:emit("out", 0) ctx:emit("out", 0) end)
        end
      end,
      on_event = function(ctx) ctx:emit("out", 0) ctx:emit("out", 0) end]]
    async.sleep(2)
    units:offer("ticks", 1, 2)
    local expected = {
      "mm/1/main/1", "mm/1/task1/1", "mm/1/task1/2", "mm/1/task2/1", "mm/1/task2/2",
      "mm/1/1", "mm/1/2", "mm/2/1", "mm/2/2",
    }
    assert.same(expected, ids(units))
  end)

  it("has no id that another had, over reloads, restarts and rollbacks", function()
    local body = [[
      init = function(ctx) ctx:emit("out", "init") ctx:create_task(function() ctx:emit("out", "child") end) end,
      on_event = function(ctx, st, m)
        ctx:emit("out", m.data)
        if m.data == "fail" and not m.redelivered then ctx:sleep(0.01) error "once" end
      end]]
    local units <close> = started(body)
    units:offer("ticks", 1, "fail")
    async.sleep(1) -- restarted
    units:reload("mm", ('return { version = 1, subscribe = { "ticks" }, %s } --'):format(body))
    units:offer("ticks", 2)
    units.runtime:rollback "mm"
    units:offer("ticks", 3)
    local seen, again = {}, {}
    for _, sent in ipairs(units.sent) do
      if seen[sent.id] then
        again[#again + 1] = sent.id .. " " .. tostring(sent.value)
      end
      seen[sent.id] = true
    end
    assert.same({ "mm/2/1 fail" }, again) -- the same effect of the event that came again
  end)

  it("is not sent by a step that fails before it waits", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      ctx:emit("out", m.data)
      if m.data == 1 and not st.failed then st.failed = true error "broken" end
    end]]
    units:offer("ticks", 1, 2)
    async.sleep(1)
    assert.same({ { 1, 2 }, { "mm/1/1", "mm/2/1" } }, { units:values(), ids(units) })
  end)

  it("equal in port and value has its id again after a redelivery, each once; any other a fresh one", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      st.tries = (st.tries or 0) + 1
      ctx:emit("order", { side = "buy", size = 1 })
      ctx:emit("order", { side = "buy", size = 1 })
      ctx:emit("order", { side = "buy", size = st.tries })
      ctx:sleep(0.01)
      if st.tries < 3 then error "again" end
    end]]
    units:offer("ticks", 1)
    async.sleep(2)
    assert.same({
      "mm/1/1", "mm/1/2", "mm/1/3", -- 1, 1, 1
      "mm/1/1", "mm/1/2", "mm/1/4", -- 1, 1, 2
      "mm/1/1", "mm/1/2", "mm/1/5", -- 1, 1, 3
    }, ids(units))
  end)

  it("sent at each wait of a task, in the order of the calls", function()
    local units <close> = started([[on_event = function(ctx, st, m)
      ctx:emit("out", 1)
      ctx:emit("slow", 2)
      ctx:emit("out", 3)
      ctx:sleep(1)
      ctx:emit("out", 4)
    end]], { slow = { send = function(value) return value end } })
    units:offer("ticks", 1)
    assert.same({ 1, 3 }, units:values())
    async.sleep(1)
    assert.same({ 1, 3, 4 }, units:values())
  end)

  it("tells its outcome: a value, a failure, or that it took too long", function()
    local units <close> = started([[on_event = function(ctx, st, m)
      st.outcomes = {
        { ctx:emit("slow", 1):await() }, { ctx:emit("slow", 0):await() },
        { ctx:emit("slow", 5):await { timeout = 2 } }, { ctx:emit("raises", 0):await() },
      }
    end]], {
      slow = { send = function(value)
        async.sleep(value)
        if value == 0 then return nil, "no such order", "ENOENT" end
        return value
      end },
      raises = { send = function() error "the port is broken" end },
    })
    local reports = require "strobe.report"
    reports.set_handler(function() end)
    units:offer("ticks", 1)
    async.sleep(5)
    reports.set_handler()
    local outcomes = units.runtime.units.mm.run.st.outcomes
    assert.same({ 1 }, outcomes[1])
    assert.same({ nil, "no such order", "ENOENT" }, outcomes[2])
    assert.same({ nil, "effect mm/1/3: no outcome within 2 s", "ETIMEDOUT" }, outcomes[3])
    assert.equal("EPORT", outcomes[4][3])
  end)
end)
