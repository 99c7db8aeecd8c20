local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local UNIT = 'local async = require "strobe.async" return { version = 1, subscribe = { "ticks" }, %s }'

local function started(body, options)
  local units = UnitFolder.new({ ["mm.lua"] = UNIT:format(body) }, options)
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

describe("what is staged", function()
  it("by init is sent when it is committed, and never if it is refused", function()
    local units <close> = started [[init = function(ctx) ctx:emit("out", "one") ctx:sleep(1) ctx:emit("out", "two") end,
      on_event = function() end]]
    assert.same({ "one", "two" }, units:values())
    local report = units:reload("mm", UNIT:format [[on_event = function() end,
      init = function(ctx) ctx:emit("out", "three") ctx:sleep(1) error "no" end]])
    assert.equal("rejected:init", report.verdict)
    assert.same({ "one", "two" }, units:values())
  end)

  it("by a step is sent when the step ends, in the order of the calls, whatever the ports", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      for i = 1, 3 do ctx:emit(i % 2 == 0 and "order" or "out", m.data + i) end end]]
    units:offer("ticks", 10, 20)
    assert.same({ 11, 12, 13, 21, 22, 23 }, units:values())
  end)

  it("by a task that fails is not sent, but that of other tasks is", function()
    local units <close> = started([[on_event = function(ctx, st, m)
      ctx:create_task(function() ctx:emit("out", "lost") error "no" end)
      ctx:create_task(function() ctx:emit("out", "child") end)
      ctx:emit("out", "main")
    end]], { log = function() end })
    units:offer("ticks", 1)
    assert.same({ "main", "child" }, units:values())
  end)

  it("leaves what is emitted while it is sent for the next time", function()
    local units <close> = started [[init = function(ctx, st) st.ctx = nil end,
      on_event = function(ctx, st, m)
        ctx:create_task(function() ctx:emit("again", 1):await() ctx:emit("out", "after") end)
        ctx:emit("again", 2)
      end]]
    units.runtime:add_port("again", { immediate = true, send = function(value)
      table.insert(units.sent, { value = value })
      return true
    end })
    units:offer("ticks", 1)
    assert.same({ 2, 1, "after" }, units:values())
  end)
end)

describe("the id of an effect", function()
  it("of a callback, which is no task's, counts in its generation", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      local done = async.Future()
      for i = 1, 2 do done:add_done_callback(function() ctx:emit("out", i) end) end
      done:set_result(true)
    end]]
    units:offer("ticks", 1, 2)
    assert.same({ "mm/1/callback/1", "mm/1/callback/2", "mm/1/callback/3", "mm/1/callback/4" }, ids(units))
  end)

  it("of a task made in a child is that task's own", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      ctx:create_task(function()
        ctx:emit("out", 1)
        async.create_task(function() ctx:emit("out", 2) end):await()
        ctx:emit("out", 3)
      end)
    end]]
    units:offer("ticks", 1)
    assert.same({ "mm/1/task1/1", "mm/1/task2/1", "mm/1/task1/2" }, ids(units))
  end)

  it("of a timer is its task's, which goes on counting", function()
    local units <close> = started [[init = function(ctx)
      ctx:timer("beat", 1, function() ctx:emit("out", "tick") end) end, on_event = function() end]]
    async.sleep(3.5)
    assert.same({ "mm/1/task1/1", "mm/1/task1/2", "mm/1/task1/3" }, ids(units))
  end)
end)

describe("an effect", function()
  it("of a port that there is not raises where it is emitted", function()
    local units <close> = started [[on_event = function(ctx, st, m)
      ctx:emit("out", select(2, pcall(ctx.emit, ctx, "nowhere", 1)):match "there is no.*") end]]
    units:offer("ticks", 1)
    assert.same({ "there is no port 'nowhere'" }, units:values())
  end)
end)
