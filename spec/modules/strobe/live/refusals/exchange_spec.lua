-- What is refused while the running code stands still, or is asked to.

local RefusedUnit = require "spec.support.refused_unit"
local async = require "strobe.async"
local refusals = require "strobe.live.refusal"

local new = RefusedUnit.text "new"

local function version_2(more)
  return (RefusedUnit.text("new", more):gsub("version = 1", "version = 2"))
end

-- A reload with this text freezes the unit and is refused; the old code goes on. Words: what it gets before.
local function is_refused(code, text, place, message, ...)
  local old <close> = RefusedUnit.new(nil, nil, ...)
  local report = old:reload(text)
  old:assert_refused(report, code, place, message)
  assert.is_true(old.frozen)
  old:assert_goes_on()
  return report
end

describe("a reload is refused with", function()
  it("state_type, for a state that is no plain data", function()
    is_refused("state_type", new, nil, "^st.book.cb is a function$", "spoil")
    is_refused("state_type", version_2 "migrate = function(st) st.seen.by = print return st end", nil,
      "^st.seen.by is a function$")
  end)

  it("state_size, for a state of too many tables", function()
    is_refused("state_size", new, nil, "more than 200000 tables", "grow")
  end)

  it("version, for a schema of another version without a migrate", function()
    is_refused("version", version_2(), "mm.lua:1", "version 2 follows 1")
  end)

  it("migrate, when that raises, waits, has an effect, or returns no state", function()
    local line = "mm.lua:19" -- of what stands in `more`
    local cases = {
      ["error 'unknown step'"] = { line, "migrate: .*unknown step" },
      ["require 'strobe.async'.sleep(1)"] = { line, "cannot wait" },
      ["coroutine.yield()"] = { line, "yields" },
      ["print 'hello'"] = { line, "print while" },
      ["return 5"] = { "mm.lua:1", "migrate returned number" },
      ["error('not enough memory', 0)"] = { line, "memory", "memory" },
    }
    for body, case in pairs(cases) do
      is_refused(case[3] or "migrate", version_2(("migrate = function(st) %s end"):format(body)), case[1], case[2])
    end
  end)

  it("init, when that raises, or waits for its own effect, or cannot make what it keeps", function()
    local line = "mm.lua:18"
    local text = new:gsub("init = function%(ctx%)", "%0 BODY")
    local cases = {
      ["error 'broken'"] = "broken",
      ["ctx:emit('out', 1):await()"] = "waits for its own effect mm/2/main/1",
      ["ctx:keep('gateway', {}, function() return nil, 'in use' end)"] = "ctx:keep 'gateway': in use",
      ["local x = nil + 1"] = "arithmetic",
    }
    for body, message in pairs(cases) do
      local report = is_refused("init", (text:gsub("BODY", body)), line, message)
      assert.matches("mm.lua:18: in", report.trace)
    end
    is_refused("memory", (text:gsub("BODY", "error('not enough memory', 0)")), "mm.lua:1")
    is_refused("init", (new:gsub("on_event = ", "main = function() error 'first' end, other = ")), "mm.lua:12", "first")
  end)

  it("init_timeout, when the first event is not asked for in time, with where it waits", function()
    local report = is_refused("init_timeout", (new:gsub("init = function%(ctx%)", "%0\nctx:sleep(6)")), "mm.lua:19",
      "took more than 5 s: .* waits for sleep")
    assert.matches("mm.lua:19: in", report.trace)
  end)

  it("busy, when the handler does not end in time, with where it waits", function()
    local old <close> = RefusedUnit.new(nil, nil, "slow")
    local report = old:reload(new)
    old:assert_refused(report, "busy", "mm.lua:3", "the handler of event 3 waits for sleep at .*mm.lua:3")
    assert.matches("mm.lua:3: in", report.trace)
    async.sleep(60)
    old:assert_goes_on()
  end)

  it("backlog, when the inbox fills meanwhile", function()
    local old <close> = RefusedUnit.new(nil, { inbox = { size = 10 } }, "slow")
    old.units:offer("ticks", 0, 0, 0, 0, 0, 0, 0, 0)
    async.sleep(58.5)
    old:assert_refused(old:reload(new), "backlog", nil, "8 of 10 events wait in the inbox")
    async.sleep(1)
    old.before.seen.last = 11
    old:assert_goes_on { "old 3", "old 3", "old 3", "old 3", "old 3", "old 3", "old 3", "old 3" }
  end)

  it("backlog, when the inbox fills while the new code starts", function()
    local old <close> = RefusedUnit.new(nil, { inbox = { size = 10 } })
    local feed <close> = async.TaskGroup()
    feed:create_task(function()
      async.sleep(1)
      old.units:offer("ticks", 0, 0, 0, 0, 0, 0, 0, 0)
    end)
    local report = old:reload((new:gsub("init = function%(ctx%)", "%0 ctx:sleep(2)")))
    old:assert_refused(report, "backlog", nil, "8 of 10")
    async.sleep(0.001)
    old.before.seen.last = 10
    old:assert_goes_on { "old 3", "old 3", "old 3", "old 3", "old 3", "old 3", "old 3", "old 3" }
  end)

  it("forbidden, as long as the unit says so, with its reason", function()
    local old <close> = RefusedUnit.new(nil, nil, "hold")
    old:assert_refused(old:reload(new), "forbidden", nil, "settling")
    old:assert_goes_on()
    old.units:offer("ticks", "release")
    assert.equal("committed", old:reload(new).verdict)
  end)

  it("deadlock, when a task of the unit waits for it", function()
    local old <close> = RefusedUnit.new(nil, nil, "reload")
    old:assert_refused(old.units.reports[2], "deadlock", nil, "a task of unit mm waits")
    old:assert_goes_on { "rejected:deadlock" }
  end)

  it("barrier, while another one is under way and one does not want to wait", function()
    local old <close> = RefusedUnit.new(nil, nil, "slow")
    local first <close> = async.TaskGroup()
    first:create_task(function()
      old:assert_refused(old:reload(new), "busy", "mm.lua:3")
    end)
    async.sleep(0.01) -- it reads
    old:assert_refused(old:reload(new, { nowait = true }), "barrier", nil, "under way")
    async.sleep(1) -- it waits
    old:assert_refused(old:reload(new, { nowait = true }), "barrier", nil, "under way")
    async.sleep(60)
    old:assert_goes_on()
  end)

  it("shutdown, when the process is ending; the unit is stopped, and gets no more events", function()
    local old <close> = RefusedUnit.new { ["mm.lua"] = RefusedUnit.text("old", [[
      dispose = function(ctx, st, why) ctx:sleep(0.5) ctx:emit("out", why) end]]) }
    local ending <close> = async.TaskGroup()
    ending:create_task(old.units.runtime.close, old.units.runtime)
    async.sleep(0.1)
    old:assert_refused(old:reload(new), "shutdown", nil, "the process is ending")
    assert.equal(1, old.unit.run.generation.number)
    assert.same(old.before, old.unit.run.st)
    async.sleep(1)
    assert.same({ "old 1", "old 3", "stop" }, old.units:values())
  end)

  it("shutdown, when the process ends while it is under way", function()
    local old <close> = RefusedUnit.new { ["mm.lua"] = RefusedUnit.text("old", [[
      dispose = function(ctx) ctx:sleep(0.5) end]]) }
    local reload <close> = async.TaskGroup()
    reload:create_task(function()
      old:assert_refused(old:reload(new), "shutdown")
    end)
    async.sleep(0.01)
    old.units.runtime:close()
  end)
end)

describe("refusals", function()
  it("have all been looked at", function()
    local seen = {}
    for _, name in ipairs { "load_spec.lua", "exchange_spec.lua" } do
      local file <close> = assert(io.open("spec/modules/strobe/live/refusals/" .. name))
      for code in file:read("a"):gmatch '\n  it%("([%w_]+),' do
        seen[code] = true
      end
    end
    for code in pairs(refusals.remedies) do
      assert.is_true(seen[code] or false, "no spec is about " .. code)
    end
  end)
end)
