local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"

-- Adds up; fails at 13.
local function adder(step)
  return ([[
    return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
      if m.data == 13 and STEP > 1 then error "unlucky" end
      st.sum = (st.sum or 0) + m.data * STEP
      ctx:emit("out", st.sum)
    end }]]):gsub("STEP", step)
end

local SLOW = [[
  return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m) ctx:sleep(m.data) end }]]

local PROBATION = { probation = { events = 2, seconds = 1 } }

local function attached_with(units)
  local attached = Attached.new { units = units, runtime = { probation = PROBATION.probation } }
  return attached, attached:raw "rw"
end

describe("the operation", function()
  it("streams tells who gets what, and how the feeds do", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = adder(1) }
    local answer = raw:ask '{"id":1,"op":"streams"}'
    assert.same({ { stream = "ticks", units = { "mm" }, events = 0, rate = 0 } }, answer.streams)
    assert.near(1, answer.seconds, 0.1)
    assert.same({}, answer.feeds)
    local binance = { name = "binance", url = "ws://x", statistics = function()
      return { events = 5, gaps = 0, last = 1700000000 }
    end }
    table.insert(attached.units.runtime.feeds, binance)
    local feed = raw:ask('{"id":1,"op":"streams"}').feeds[1]
    assert.same({ "binance", "ws://x", 5, 0 }, { feed.name, feed.url, feed.events, feed.gaps })
    assert.is_true(feed.quiet >= 1)
    attached.units.runtime.delivery:offer("ticks", 1, 1700000000, nil, binance)
    async.sleep(2)
    feed = raw:ask('{"id":1,"op":"streams"}').feeds[1]
    table.remove(attached.units.runtime.feeds)
    assert.near(2, feed.age, 0.1)
  end)

  it("inbox tells how full they are", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = SLOW, ["b.lua"] = adder(1) }
    attached.units:offer("ticks", 5, 1, 1)
    local answer = raw:ask '{"id":1,"op":"inbox","unit":"mm"}'
    assert.equal(1, #answer.inboxes)
    local box = answer.inboxes[1]
    assert.same({ "mm", 2, 65536, "block", 0, false },
      { box.unit, box.waiting, box.size, box.policy, box.dropped, box.held })
    assert.equal(2, #raw:ask('{"id":1,"op":"lag"}').inboxes)
    assert.same({ id = 2, ok = false, code = "not_found", error = "there is no unit 'x'; there are: "
      .. table.concat(raw.hello.units, ", ") }, (raw:ask '{"id":2,"op":"inbox","unit":"x"}'))
  end)

  it("reload gives a unit its new code, and gens tells of it", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = adder(1) }
    attached.units:offer("ticks", 1)
    attached.units:write("mm.lua", adder(10))
    local answer = raw:ask '{"id":1,"op":"reload","unit":"mm"}'
    assert.is_true(answer.ok)
    assert.same({ "mm", 1, 2, "committed" },
      { answer.report.unit, answer.report.from, answer.report.to, answer.report.verdict })
    assert.same({ "mm.lua" }, answer.report.files)
    attached.units:offer("ticks", 1)
    assert.same({ 1, 11 }, attached.units:values())
    local unit = raw:ask('{"id":2,"op":"gens"}').units[1]
    assert.same({ "mm", 2, "running", 1 }, { unit.unit, unit.gen, unit.state, unit.probation.events_left })
    assert.near(1, unit.probation.seconds_left, 0.1)
    assert.same({ { 1, "committed" }, { 2, "committed" } },
      { { unit.history[1].gen, unit.history[1].verdict }, { unit.history[2].gen, unit.history[2].verdict } })
  end)

  it("reload without a unit takes all whose files have changed; none is no mistake", function()
    local attached <close>, raw = attached_with { ["a.lua"] = adder(1), ["b.lua"] = adder(1) }
    assert.same({ id = 1, ok = true, reports = {} }, (raw:ask '{"id":1,"op":"reload"}'))
    attached.units:write("b.lua", adder(2))
    local answer = raw:ask '{"id":2,"op":"reload"}'
    assert.equal(1, #answer.reports)
    assert.equal("b", answer.report.unit)
  end)

  it("reload that is refused tells why, and what to do", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = adder(1) }
    attached.units:write("mm.lua", "return {")
    local answer = raw:ask '{"id":1,"op":"reload","unit":"mm"}'
    assert.same({ false, "rejected:syntax", "fix the line, save, reload" }, { answer.ok, answer.code, answer.remedy })
    assert.equal("rejected:syntax", answer.report.verdict)
    assert.same({}, answer.report.files)
  end)

  it("reload waits for another one, or is refused with nowait", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = SLOW }
    attached.units:offer("ticks", 1)
    raw:send '{"id":1,"op":"reload","unit":"mm"}'
    raw:send '{"id":2,"op":"reload","unit":"mm"}'
    attached.wait_until(function()
      return attached.units.runtime.lock:locked()
    end)
    local answer = raw:ask '{"id":3,"op":"reload","unit":"mm","nowait":true}'
    assert.same({ 3, "rejected:barrier", "ask again in a moment" }, { answer.id, answer.code, answer.remedy })
    local answered = {}
    for _ = 1, 2 do
      answer = raw:receive()
      answered[answer.id] = answer.report.verdict
    end
    assert.same({ "committed", "committed" }, answered)
  end)

  it("reload with proven answers when the new code has proven itself", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = adder(1) }
    attached.units:write("mm.lua", adder(10))
    raw:send '{"id":1,"op":"reload","unit":"mm","proven":true}'
    local answer
    local waits = async.create_task(function()
      answer = raw:receive()
    end)
    async.sleep(0.5)
    attached.units:offer("ticks", 1, 2)
    async.sleep(0.2)
    assert.is_nil(answer)
    waits:await()
    assert.equal("committed", answer.report.verdict)
    assert.is_false(attached.units.runtime.units.mm.probation)
  end)

  it("reload with proven tells when it was rolled back", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = adder(1) }
    attached.units:write("mm.lua", adder(10))
    raw:send '{"id":1,"op":"reload","unit":"mm","proven":true}'
    async.sleep(0.5)
    attached.units:offer("ticks", 1, 13)
    local answer = raw:receive()
    assert.same({ false, "rolled_back:error", "rolled_back:error" },
      { answer.ok, answer.code, answer.report.verdict })
    assert.matches("unlucky", answer.error)
    assert.equal(1, answer.report.to)
  end)

  it("rollback goes back to the code before, as long as that can be", function()
    local attached <close>, raw = attached_with { ["mm.lua"] = adder(1) }
    local nothing = raw:ask '{"id":1,"op":"rollback","unit":"mm"}'
    assert.same({ "not_found", "unit 'mm' is not on probation: there is nothing to go back to" },
      { nothing.code, nothing.error })
    attached.units:write("mm.lua", adder(10))
    raw:ask '{"id":2,"op":"reload","unit":"mm"}'
    local answer = raw:ask '{"id":3,"op":"rollback","unit":"mm"}'
    assert.same({ true, "rolled_back:manual", 1 }, { answer.ok, answer.report.verdict, answer.report.to })
    attached.units:offer("ticks", 13)
    assert.same({ 13 }, attached.units:values())
    assert.equal("bad_request", raw:ask('{"id":4,"op":"rollback"}').code)
  end)
end)
