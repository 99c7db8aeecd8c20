local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

-- A unit that adds up what comes, and says it with a word of its version.
local function adder(word, more)
  return ([[
    return {
      version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m)
        st.sum = (st.sum or 0) + m.data
        ctx:emit("out", "%s " .. st.sum)
      end,
      %s
    }]]):format(word, more or "")
end

describe("a reload", function()
  it("of several units begins all of them, or none", function()
    local units <close> = UnitFolder.new {
      ["a.lua"] = adder("a", "init = function() print 'a is here' end"), ["b.lua"] = "return {",
    }
    local list, folder = {}, units.folder.path
    for i, name in ipairs { "a", "b" } do
      list[i] = { name = name, path = ("%s/%s.lua"):format(folder, name) }
    end
    local reports = units.runtime:start_all(list)
    assert.same({ "rejected:syntax", "rejected:syntax" }, { reports[1].verdict, reports[2].verdict })
    assert.same({}, units:values())
    assert.is_nil(next(units.runtime.units))
    units:write("b.lua", adder "b")
    assert.equal("committed", units.runtime:start_all(list)[2].verdict)
    units:offer("ticks", 1)
    assert.same({ "a is here", "a 1", "b 1" }, units:values())
    assert.has_error(function()
      units.runtime:start_all { list[1] }
    end)
  end)

  it("of several units by their names leaves the others alone", function()
    local units <close> = UnitFolder.new { ["a.lua"] = adder "a", ["b.lua"] = adder "b", ["c.lua"] = adder "c" }
    for _, name in ipairs { "a", "b", "c" } do
      units:start(name)
      units:write(name .. ".lua", name == "c" and "return {" or adder("new " .. name))
    end
    local reports = units.runtime:reload { "a", "b" }
    assert.same({ "a", "b" }, { reports[1].unit, reports[2].unit })
    assert.equal("committed", reports[2].verdict)
    units:offer("ticks", 1)
    local values = units:values()
    table.sort(values)
    assert.same({ "c 1", "new a 1", "new b 1" }, values)
  end)

  it("goes on with the new code, the old state and every event", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder "old" }
    assert.equal("committed", units:start("mm").verdict)
    units:offer("ticks", 1, 2)
    local report = units:reload("mm", adder "new")
    assert.equal("committed", report.verdict)
    assert.same({ 1, 2 }, { report.from, report.to })
    assert.same({ "mm.lua" }, report.files)
    units:offer("ticks", 3, 4)
    assert.same({ "old 1", "old 3", "new 6", "new 10" }, units:values())
  end)

  it("that is refused changes nothing", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder "old" }
    units:start "mm"
    units:offer("ticks", 1)
    for text, code in pairs {
      ["return {"] = "syntax",
      [""] = "empty",
      ["return 5"] = "empty",
      ["error 'no'"] = "load",
      ["x = 1 return {}"] = "global",
      ["print 'here' return {}"] = "effect",
      ["require 'strobe.async'.sleep(1) return {}"] = "await",
      ["for i = 1, 1e9 do end return {}"] = "budget",
      ["pcall(function() while true do end end) while true do end"] = "budget",
      ["return { version = 1 }"] = "contract",
      ["require 'strobe.net' return {}"] = "load",
      [adder("new", "init = function() error 'broken' end")] = "init",
      [adder("new", "init = function(ctx) ctx:sleep(6) end")] = "init_timeout",
      [adder("new", "init = function(ctx) ctx:emit('out', 'x'):await() end")] = "init",
      [adder("new"):gsub("version = 1", "version = 2")] = "version",
      [adder("new", "migrate = function(st) error 'cannot' end"):gsub("version = 1", "version = 2")] = "migrate",
      [adder("new", "migrate = function(st) st.f = print return st end"):gsub("version = 1", "version = 2")]
        = "state_type",
    } do
      local report = units:reload("mm", text)
      assert.equal("rejected:" .. code, report.verdict, text)
      assert.is_string(report.remedy)
    end
    units:offer("ticks", 2)
    assert.same({ "old 1", "old 3" }, units:values())
  end)

  it("migrates a copy of the state", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder "old" }
    units:start "mm"
    units:offer("ticks", 1)
    local text = adder("new", "migrate = function(st, from) st.sum = st.sum * 100 + from return st end")
    assert.equal("committed", units:reload("mm", (text:gsub("version = 1", "version = 2"))).verdict)
    units:offer("ticks", 2)
    assert.same({ "old 1", "new 103" }, units:values())
  end)

  it("waits for a handler, and is refused when that takes too long", function()
    local slow = [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        ctx:sleep(m.data)
        ctx:emit("out", m.data)
      end }]]
    local units <close> = UnitFolder.new { ["mm.lua"] = slow }
    units:start "mm"
    units:offer("ticks", 1)
    assert.equal("committed", units:reload("mm").verdict)
    assert.same({ 1 }, units:values())
    units:offer("ticks", 60)
    local report = units:reload "mm"
    assert.equal("rejected:busy", report.verdict)
    assert.matches("the handler of event 2 waits for sleep at .*mm.lua:2", report.error)
    async.sleep(60)
    assert.same({ 1, 60 }, units:values())
  end)

  it("cuts the handler if that is asked for, and says which event", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = [[
      return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
        ctx:sleep(m.data)
        ctx:emit("out", m.data)
      end }]] }
    units:start "mm"
    units:offer("ticks", 60, 1)
    local report = units:reload("mm", nil, { on_drain = "cancel" })
    assert.equal("committed", report.verdict)
    assert.same({ 1 }, report.cut)
    async.sleep(2)
    assert.same({ 1 }, units:values())
  end)

  it("ends the old tasks and keeps the deadlines of named timers", function()
    local text = [[
      return { version = 1, subscribe = {}, init = function(ctx, st)
        ctx:timer("beat", 10, function() ctx:emit("out", "WORD " .. math.tointeger(ctx:now() // 1)) end)
        ctx:create_task(function() while true do ctx:sleep(4) ctx:emit("out", "WORD task") end end)
      end, main = function(ctx) for m in ctx:inbox() do end end }]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text:gsub("WORD", "old") }
    units:start "mm"
    async.sleep(7)
    local report = units:reload("mm", (text:gsub("WORD", "new")))
    assert.equal(2, report.tasks_cancelled - 1) -- and main
    async.sleep(4.5)
    assert.same({ "old task", "new 10", "new task" }, units:values())
  end)

  it("carries modules that have not changed, and executes those that reach a changed one", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = [[
        local a, b = require "a", require "b"
        return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
          ctx:emit("out", ("%s %s"):format(a(), b()))
        end }]],
      ["a.lua"] = "local n = 0 return function() n = n + 1 return 'a' .. n end",
      ["b.lua"] = "local c = require 'c' return function() return 'b' .. c end",
      ["c.lua"] = "return 1",
    }
    assert.equal("committed", units:start("mm").verdict)
    units:offer("ticks", 0)
    units:write("c.lua", "return 2")
    local report = units:reload "mm"
    assert.same({ "c.lua" }, report.files)
    assert.same({ "a.lua" }, report.carried)
    assert.same({ "b.lua", "c.lua", "mm.lua" }, report.rebuilt)
    units:offer("ticks", 0)
    assert.same({ "a1 b1", "a2 b2" }, units:values())
  end)

  it("is refused for a cycle, a missing file and one outside of the project", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder "old" }
    units:start "mm"
    units:write("a.lua", "return require 'b'")
    units:write("b.lua", "return require 'a'")
    local report = units:reload("mm", "local _ = require 'a' " .. adder "new")
    assert.equal("rejected:cycle", report.verdict)
    assert.matches("a.lua %-> .*b.lua %-> .*a.lua", report.error)
    os.remove(units.folder.path .. "/mm.lua")
    assert.equal("rejected:missing", units:reload("mm").verdict)
  end)
end)

describe("probation", function()
  local broken = [[
    return {
      version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m)
        if m.data == 13 then error "thirteen" end
        st.sum = (st.sum or 0) + 1000 * m.data
        ctx:emit("out", "new " .. st.sum)
      end }]]

  it("takes the old code back when the new one fails, with all it has missed", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder("old", [[
      on_rollback = function(ctx, st, effects)
        ctx:emit("out", "undone " .. #effects .. " " .. tostring(effects[1].value))
      end,]]) }
    units:start "mm"
    units:offer("ticks", 1)
    assert.equal("committed", units:reload("mm", broken).verdict)
    units:offer("ticks", 2, 3, 13, 4)
    async.sleep(1)
    assert.same({ "old 1", "new 2001", "new 5001", "undone 2 new 2001", "old 19", "old 23" }, units:values())
    local report = units.reports[#units.reports]
    assert.equal("rolled_back:error", report.verdict)
    assert.equal(2, report.replayed)
    assert.same({ 2, 1 }, { report.from, report.to })
    local level, text, facts = table.unpack(units.logged[1])
    assert.same({ "error", { unit = "mm", gen = 2, seq = 4 } }, { level, facts })
    assert.matches("gen 2 failed at event 4\n.*mm.lua:4: thirteen\nstack traceback", text)
  end)

  it("is over after 50 events and 30 s; then a failure is the supervisor's", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder "old" }
    units:start "mm"
    units:reload("mm", broken)
    for _ = 1, 60 do
      units:offer("ticks", 1)
    end
    async.sleep(31)
    units:offer("ticks", 1)
    assert.is_falsy(units.runtime.units.mm.probation)
  end)

  it("is undone by hand", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = adder "old" }
    units:start "mm"
    units:offer("ticks", 1)
    assert.is_nil(units.runtime:rollback "mm")
    units:reload("mm", adder "new")
    units:offer("ticks", 2)
    assert.equal("rolled_back:manual", units.runtime:rollback("mm").verdict)
    units:offer("ticks", 3)
    assert.same({ "old 1", "new 3", "old 6" }, units:values())
  end)

  it("undone, brings late what came on a stream that the new code had dropped, and skips what it alone had", function()
    local text = [[
      return { version = 1, subscribe = { STREAMS }, on_event = function(ctx, st, m)
        ctx:emit("out", ("WORD %s %d%s"):format(m.stream, m.data, m.late and " late" or ""))
      end }]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text:gsub("STREAMS", '"a", "b"'):gsub("WORD", "old") }
    units:start "mm"
    units:offer("b", 1)
    units:reload("mm", (text:gsub("STREAMS", '"a", "c"'):gsub("WORD", "new")))
    units:offer("a", 2)
    units:offer("b", 3)
    units:offer("c", 4)
    units.runtime:rollback "mm"
    units:offer("c", 5)
    units:offer("b", 6)
    assert.same({ "old b 1", "new a 2", "new c 4", "old b 3 late", "old b 6" }, units:values())
    assert.equal(1, units.runtime.units.mm.skipped)
  end)
end)
