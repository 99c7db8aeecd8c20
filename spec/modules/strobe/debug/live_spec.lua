local DebugClient = require "spec.support.debug_client"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"

local ADDER = [[
return {
  version = 1, subscribe = { "ticks" },
  on_event = function(ctx, st, m)
    st.sum = (st.sum or 0) + m.data
    ctx:emit("out", st.sum)
  end,
}]]

local COUNTER = [[
return {
  version = 1, subscribe = { "ticks" },
  on_event = function(ctx, st, m)
    st.n = (st.n or 0) + 1
    ctx:emit("out", "n" .. st.n)
  end,
}]]

-- A client of this process, whose folder is that of the units.
local function debugged(units)
  local client = DebugClient.here {}
  client.unit_path = units.folder.path .. "/adder.lua"
  return client
end

describe("a unit that is debugged", function()
  it("stops in its handler; its feed and other units go on, and no event is lost", function()
    local units <close> = UnitFolder.new { ["adder.lua"] = ADDER, ["counter.lua"] = COUNTER }
    units:start "adder"
    units:start "counter"
    local client <close> = debugged(units)
    client:breakpoints(client.unit_path, { 5 })
    units:offer("ticks", 1)
    local thread = client:event("stopped").threadId
    units:offer("ticks", 10, 100)
    assert.same({ "n1", "n2", "n3" }, units:values())
    local frame = client:top(thread)
    assert.same({ 5, client.unit_path }, { frame.line, frame.source.path })
    assert.equal("1", client:evaluate(frame, "st.sum"))
    assert.equal("1", client:evaluate(frame, "m.data"))
    client:breakpoints(client.unit_path, {})
    client:must("continue", { threadId = thread })
    async.sleep(0.1)
    assert.same({ "n1", "n2", "n3", 1, 11, 111 }, units:values())
  end)

  it("keeps its breakpoints over reloads, at the line where the new text has code", function()
    local units <close> = UnitFolder.new { ["adder.lua"] = ADDER }
    units:start "adder"
    local client <close> = debugged(units)
    local id = client:breakpoints(client.unit_path, { 4 })[1].id
    units:offer("ticks", 1)
    local thread = client:event("stopped").threadId
    client:must("continue", { threadId = thread })
    async.sleep(0.1)
    assert.equal("committed", units:reload("adder", (ADDER:gsub("    st.sum =", "    -- the sum\n%0"))).verdict)
    units:offer("ticks", 2)
    thread = client:event("stopped").threadId
    local frame = client:top(thread)
    assert.equal(5, frame.line)
    local moved = client:event("breakpoint").breakpoint
    assert.same({ id, 5, true }, { moved.id, moved.line, moved.verified })
    client:must("disconnect", {})
    async.sleep(0.1)
    assert.same({ 1, 3 }, units:values())
  end)

  it("shows where the error of a handler was raised", function()
    local units <close> = UnitFolder.new { ["adder.lua"] = (ADDER:gsub("m.data", "nothing.x")) }
    units:start "adder"
    local client <close> = debugged(units)
    client:must("setExceptionBreakpoints", { filters = { "uncaught" } })
    units:offer("ticks", 1)
    local event = client:event "stopped"
    assert.equal("exception", event.reason)
    assert.matches("nothing", event.text)
    local frame = client:top(event.threadId)
    assert.same({ 4, client.unit_path }, { frame.line, frame.source.path })
    assert.equal("1", client:evaluate(frame, "m.data"))
    client:must("disconnect", {})
    async.sleep(0.1)
  end)

  it("steps from one event to the next", function()
    local units <close> = UnitFolder.new { ["adder.lua"] = ADDER }
    units:start "adder"
    local client <close> = debugged(units)
    client:breakpoints(client.unit_path, { 5 })
    units:offer("ticks", 1, 2)
    local thread = client:event("stopped").threadId
    client:breakpoints(client.unit_path, {})
    local lines = {}
    for i = 1, 3 do
      client:must("next", { threadId = thread })
      client:event "stopped"
      lines[i] = client:top(thread).line
    end
    assert.same({ 6, 4, 5 }, lines)
    client:must("disconnect", {})
    async.sleep(0.1)
  end)

  it("is reloaded while it is stopped in a step, which then goes on in the old code", function()
    local units <close> = UnitFolder.new { ["adder.lua"] = ADDER }
    units:start "adder"
    local client <close> = debugged(units)
    client:breakpoints(client.unit_path, { 4 })
    units:offer("ticks", 1, 2, 3)
    local thread = client:event("stopped").threadId
    client:must("next", { threadId = thread })
    assert.equal("step", client:event("stopped").reason)
    local reloading = async.create_task(function()
      return units:reload("adder", (ADDER:gsub("    st.sum =", "    -- the sum\n%0")))
    end)
    async.sleep(1)
    assert.is_table(client:must("stackTrace", { threadId = thread }).stackFrames)
    for _ = 1, 50 do
      if not client:request("next", { threadId = thread }) then
        break
      end
      async.sleep(0.1)
    end
    for _ = 1, 100 do
      if next(client.session.debugger.stops) == nil and reloading:done() then
        break
      end
      for task in pairs(client.session.debugger.stops) do
        client:must("continue", { threadId = inspect.id(task) })
      end
      async.sleep(0.1)
    end
    client:must("disconnect", { terminateDebuggee = false })
    assert.is_string(reloading:await().verdict)
    async.sleep(1)
    assert.same({ 1, 3, 6 }, units:values())
  end)

  describe("and reloaded while it is stopped", function()
    local NEW = ADDER:gsub("st.sum%)", '"new " .. st.sum)')

    -- Calls f(client, thread, units) while the first of three events is in the handler.
    local function stopped(f)
      local units <close> = UnitFolder.new { ["adder.lua"] = ADDER }
      units:start "adder"
      local client <close> = debugged(units)
      client:breakpoints(client.unit_path, { 5 })
      units:offer("ticks", 1)
      local thread = client:event("stopped").threadId
      units:offer("ticks", 10, 100)
      f(client, thread, units)
    end

    local function let_go(client, thread)
      client:breakpoints(client.unit_path, {})
      client:must("continue", { threadId = thread })
      async.sleep(0.1)
    end

    for _, how in ipairs { "abort", "cancel" } do
      it(("is refused with the place, on_drain = %q; all events come, and the next reload goes through"):format(how),
        function()
          stopped(function(client, thread, units)
            local report = units:reload("adder", NEW, { on_drain = how })
            assert.equal("rejected:busy", report.verdict)
            assert.matches("^the handler of event 1 stands in the debugger, behind .*adder.lua:%d$", report.error)
            assert.equal("let it go on in the debugger, then reload again", report.remedy)
            assert.equal("1", client:evaluate(client:top(thread), "st.sum"))
            let_go(client, thread)
            assert.same({ 1, 11, 111 }, units:values())
            assert.equal("committed", units:reload("adder").verdict)
            units:offer("ticks", 1000)
            async.sleep(0.1)
            assert.equal("new 1111", units:values()[4])
          end)
        end)
    end

    it("takes over when it is let go in time", function()
      stopped(function(client, thread, units)
        local reload = async.create_task(units.reload, units, "adder", NEW)
        async.sleep(0.1)
        let_go(client, thread)
        assert.equal("committed", reload:await().verdict)
        async.sleep(0.1)
        assert.same({ 1, "new 11", "new 111" }, units:values())
      end)
    end)

    it("is free when the debugger goes away", function()
      stopped(function(client, _, units)
        local reload = async.create_task(units.reload, units, "adder", NEW)
        async.sleep(0.1)
        client:must("disconnect", {})
        assert.equal("committed", reload:await().verdict)
        async.sleep(0.1)
        assert.same({ 1, "new 11", "new 111" }, units:values())
      end)
    end)
  end)
end)
