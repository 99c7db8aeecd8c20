local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"
local json = require "strobe.json"
local near = require "strobe.attach.near"
local output = require "strobe.output"
local watchdog = require "strobe.core.watchdog"

local function request(id, code, more)
  return ('{"id":%d,"op":"eval","code":%s%s}'):format(id, json.encode(code), more or "")
end

-- Collects what goes to the process's own standard output while f runs.
local function process_output(f)
  local texts = {}
  local restore <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      output.divert(nil)
    end,
  })
  output.divert(function(text)
    table.insert(texts, text)
  end)
  f()
  return table.concat(texts)
end

describe("the operation eval", function()
  it("tells values, each as text, and what was printed meanwhile", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(request(1, "print('a', 1) print() return nil, 'x', {1, a = 2}"))
    assert.same({ id = 1, ev = "out", text = "a\t1\n" }, (raw:receive()))
    assert.same({ id = 1, ev = "out", text = "\n" }, (raw:receive()))
    local answer = raw:receive()
    assert.same({ "nil", '"x"', "{1, a=2}" }, answer.values)
    assert.is_number(answer.ms)
    assert.same({}, raw:ask(request(2, "")).values)
  end)

  it("has what an input writes to standard output told to who typed it, however it is written", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local written = process_output(function()
      for i, code in ipairs {
        "io.write('a', 1)", "io.stdout:write('a', 1)", "io.output():write('a', 1)", "async.stdout:write('a1')",
        "async.create_task(io.write, 'a', 1):await()", "local p = _G.print async.sleep(1) p('a1')",
      } do
        raw:send(request(i, code))
        assert.same({ id = i, ev = "out", text = i == 6 and "a1\n" or "a1" }, (raw:receive()))
        assert.is_true(raw:receive().ok)
      end
    end)
    assert.equal("", written)
  end)

  it("leaves to the process what others write meanwhile, and what is written once the input is over", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local written = process_output(function()
      raw:ask(request(1, "late = async.create_task(function() async.sleep(1) io.write('late ') end)"))
      raw:send(request(2, "async.sleep(3)"))
      async.sleep(2)
      io.write "ours "
      assert.is_true(raw:receive().ok)
      raw:send(request(3, "io.stderr:write('log ') late:await()"))
      assert.is_true(raw:receive().ok)
      io.write "ours"
    end)
    assert.equal("late ours log ours", written)
  end)

  it("tells what a job writes without an id", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(request(1, "async.sleep(1) io.write 'x' print 'y'", ',"background":true'))
    assert.same({ ev = "out", text = "x" }, (raw:receive()))
    assert.same({ ev = "out", text = "y\n" }, (raw:receive()))
    assert.equal("job", raw:receive().ev)
  end)

  it("keeps variables for the next input, and lets the process's globals alone", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(request(1, "spec_variable = 41"))
    assert.same({ "42" }, raw:ask(request(2, "spec_variable + 1")).values)
    assert.is_nil(rawget(_G, "spec_variable"))
  end)

  it("says what is not complete, and what is wrong", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    assert.same({ id = 1, ok = false, code = "incomplete" }, (raw:ask(request(1, "if x then"))))
    local wrong = raw:ask(request(2, "x = = 1"))
    assert.same({ "syntax", "console:1:1: unexpected symbol near '='" }, { wrong.code, wrong.error })
    local failed = raw:ask(request(3, "local function f() error('oops') end f()"))
    assert.same({ "error", "console:2:1: oops" }, { failed.code, failed.error })
    assert.matches("console:2:1: in", failed.trace)
    assert.equal("{code=7}", raw:ask(request(4, "error({ code = 7 })")).error)
    assert.equal("bad_request", raw:ask('{"id":5,"op":"eval"}').code)
    assert.equal("syntax", raw:ask(request(6, "\27Lua")).code)
  end)

  it("lets code wait, and the process goes on meanwhile", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(request(1, "require 'strobe.async'.sleep(30) return 'over'"))
    assert.is_true(raw:ask('{"id":2,"op":"ping"}').ok)
    assert.same({ '"over"' }, raw:receive().values)
  end)

  it("interrupts code that runs too long without waiting, also within pcall and coroutines", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    for i, code in ipairs {
      "while true do end", "while true do pcall(function() while true do end end) end",
      "coroutine.wrap(function() while true do end end)()",
      "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()",
      "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
      "for _ in async.generator(function() while true do end end)() do end",
      "async.create_task(function() while true do pcall(function() while true do end end) end end):await()",
      "while true do xpcall(function() while true do end end, function() while true do end end) end",
    } do
      local answer = raw:ask(request(i, code))
      assert.equal("interrupted", answer.code)
      assert.matches("^console:%d+:1: after running 100 ms without waiting$", answer.error)
    end
    local short = raw:ask(request(3, "while true do end", ',"budget":10'))
    assert.equal("console:9:1: after running 10 ms without waiting", short.error)
    assert.same({ "1" }, raw:ask(request(4, "1")).values)
    for _, budget in ipairs { "0", "-1", "5001", '"x"' } do
      assert.equal("bad_request", raw:ask(request(5, "1", ',"budget":' .. budget)).code)
    end
  end)

  it("lets coroutines be what they are", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local code = [[
      local next = coroutine.wrap(function(a)
        local b = coroutine.yield(a + 1)
        error("at " .. b, 0)
      end)
      return next(1), select(2, pcall(next, 5)), coroutine.isyieldable(), coroutine.running() ~= nil]]
    assert.same({ "2", '"at 5"', "true", "true" }, raw:ask(request(1, code)).values)
  end)

  it("counts the time from the last wait on", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local code = [[
      local async, clock = require "strobe.async", os.clock
      for _ = 1, 60 do
        local began = clock()
        while clock() - began < 0.005 do end
        async.sleep(0)
      end
      return "done"]]
    assert.same({ '"done"' }, raw:ask(request(1, code, ',"budget":250')).values)
  end)

  it("interrupts tasks that it has left behind as well, for as long as there are any", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(request(1, "t = async.create_task(function() async.sleep(1) while true do end end) return 1"))
    async.sleep(2)
    local answer = raw:ask(request(2, "t:await()"))
    assert.matches("^console:1:1: after running 100 ms", answer.error)
    raw:ask(request(3, "t, _err = nil"))
    raw.stream:close()
    attached.wait_until(function()
      collectgarbage()
      return not watchdog.alive()
    end)
  end)

  it("leaves no hook behind on the threads that others get", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    for i = 1, 5 do
      raw:ask(request(i, "while true do end", ',"budget":5'))
    end
    attached.wait_until(function() -- as long as somebody has a budget, whoever runs for long is looked at
      collectgarbage()
      return not watchdog.alive()
    end)
    for _ = 1, 20 do
      async.create_task(function()
        local count = 0
        for i = 1, 1e5 do
          count = count + i
        end
        assert.is_nil((debug.gethook()))
      end):await()
    end
  end)

  it("ends when it is interrupted by its number", function()
    local attached <close> = Attached.new()
    local raw, other = attached:raw "rw", attached:raw "rw"
    raw:send(request(7, "require 'strobe.async'.sleep(1000)"))
    async.sleep(0.01)
    assert.equal("not_found", other:ask('{"id":1,"op":"interrupt","target":7}').code)
    assert.same({ id = 8, ok = true }, (raw:ask '{"id":8,"op":"interrupt","target":7}'))
    local answer = raw:receive()
    assert.same({ 7, "interrupted" }, { answer.id, answer.code })
    assert.equal("not_found", raw:ask('{"id":9,"op":"interrupt","target":7}').code)
  end)

  it("ends with the connection, but not the tasks it has made", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(request(1, [[
      local async = require "strobe.async"
      async.create_task(function() async.sleep(1) print "background" end):set_name "made at a prompt"
      return "made"]]))
    assert.same({ '"made"' }, raw:receive().values)
    assert.same({ ev = "out", text = "background\n" }, (raw:receive()))
    raw:send(request(2, [[async = require "strobe.async" pcall(async.sleep, 1000) was_cancelled = true]]))
    async.sleep(0.01)
    raw.stream:close()
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    for _, task in ipairs(async.all_tasks()) do
      assert.not_matches("^console", task:get_name())
    end
  end)

  it("gives the place of a mistake, and what the printer is asked for", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local wrong = raw:ask(request(1, "x = = 1"))
    assert.same({ "  x = = 1\n      ^", 5, 5 }, { wrong.trace, wrong.first, wrong.last })
    local refused = raw:ask(request(2, "local f <close> = io.tmpfile()"))
    assert.same({ "syntax", 10 }, { refused.code, refused.first })
    assert.same({ "{1, … 2 more}" }, raw:ask(request(3, "{1, 2, 3}", ',"items":1')).values)
    assert.same({ '{\n  a="aaaaaaaa",\n  b=1\n}' }, raw:ask(request(4, "{a='aaaaaaaa', b=1}", ',"width":15')).values)
    assert.equal("bad_request", raw:ask(request(5, "1", ',"depth":1000')).code)
    assert.same({ "<const> of x is dropped: at the top of an input it is a variable of the console" },
      raw:ask(request(6, "local x <const> = 1")).notes)
    assert.matches("evaluation.lua", raw:ask(request(7, "error 'x'", ',"trace":"full"')).trace)
  end)

  it("may go on in the background, and tells its end", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local answer = raw:ask(request(1, "async.sleep(1) print 'p' return 42", ',"background":true'))
    assert.same({ true, 1, nil }, { answer.ok, answer.job, answer.values })
    local jobs = raw:ask '{"id":2,"op":"jobs"}'.jobs
    assert.same({ 1, 1, answer.task }, { #jobs, jobs[1].job, jobs[1].task })
    assert.same({ ev = "out", text = "p\n" }, (raw:receive()))
    local ended = raw:receive()
    assert.same({ "job", 1, true, { "42" } }, { ended.ev, ended.job, ended.ok, ended.values })
    assert.same({}, raw:ask '{"id":3,"op":"jobs"}'.jobs)
    assert.same({ "42" }, raw:ask(request(4, "_")).values)
    answer = raw:ask(request(5, "error 'oops'", ',"background":true'))
    ended = raw:receive()
    assert.same({ "job", answer.job, false, "error", "console:3:1: oops" },
      { ended.ev, ended.job, ended.ok, ended.code, ended.error })
  end)

  it("goes to the background while it runs, and back", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(request(1, "async.sleep(10) print 'p' return 'late'"))
    async.sleep(0.01)
    raw:send '{"id":2,"op":"background","target":1}'
    local answers = {}
    for _ = 1, 2 do
      local answer = raw:receive()
      answers[answer.id] = answer
    end
    assert.same({ 1, 1, nil }, { answers[1].job, answers[2].job, answers[1].values })
    assert.equal("not_found", raw:ask '{"id":3,"op":"background","target":1}'.code)
    raw:send '{"id":4,"op":"foreground","job":1}'
    assert.same({ id = 4, ev = "out", text = "p\n" }, (raw:receive()))
    local answer = raw:receive()
    assert.same({ 4, { '"late"' } }, { answer.id, answer.values })
    assert.equal("not_found", raw:ask '{"id":5,"op":"foreground","job":1}'.code)
  end)

  it("goes to the background a hundred times, not more", function()
    local peer <close> = near.connect {}
    for _ = 1, 100 do
      assert(peer:call("eval", { code = "async.sleep(5)", background = true }))
    end
    assert.equal("too_many", select(3, peer:call("eval", { code = "1", background = true })))
    assert.same({ '1' }, table.move(peer:call("eval", { code = "1" }).values, 1, 1, 1, {}))
    async.sleep(10)
    assert.truthy(peer:call("eval", { code = "1", background = true }))
    async.sleep(1)
  end)

  it("goes on as a job when it does not end by an interrupt", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send(request(1, "pcall(async.sleep, 1000) async.sleep(30) return 'late'"))
    async.sleep(0.01)
    raw:ask '{"id":2,"op":"interrupt","target":1,"why":"ctrl-c"}'
    local answer = raw:receive()
    assert.same({ 1, "interrupted", 1 }, { answer.id, answer.code, answer.job })
    local ended = raw:receive()
    assert.same({ "job", 1, { '"late"' } }, { ended.ev, ended.job, ended.values })
  end)

  it("goes on in the background when the connection ends", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask(request(1, "async.sleep(5) error 'nobody hears'", ',"background":true'))
    raw.stream:close()
    attached.wait_until(function()
      return attached.server.count == 0
    end)
    async.sleep(10)
    assert.matches("console 1:1, in the background: console:1:1: nobody hears", table.concat(attached:logged(), "\n"))
  end)

  it("runs as long as it likes at the process's own console, and gives the same texts", function()
    local events = {}
    local peer <close> = near.connect { on_event = function(event)
      events[#events + 1] = event
    end }
    local code = [[
      local began = os.clock()
      while os.clock() - began < 0.15 do end
      print 'p'
      return nil, {1}, async ~= nil]]
    local answer = assert(peer:call("eval", { code = code }))
    assert.same({ "nil", "{1}", "true" }, table.move(answer.values, 1, 9, 1, {}))
    assert.same({ { ev = "out", id = 1, text = "p\n" } }, events)
    local _, message, failed, whole = peer:call("eval", { code = "error 'oops'" })
    assert.same({ "console:2:1: oops", "error", 2 }, { message, failed, whole.id })
    local future, id = peer:send("eval", { code = "async.sleep(100)" })
    async.sleep(1)
    assert.truthy(peer:call("interrupt", { target = id, why = "ctrl-c" }))
    answer = future:await()
    assert.same({ "interrupted", "it was cancelled: ctrl-c" }, { answer.code, answer.error })
  end)

  it("is not there where it was not wanted", function()
    local attached <close> = Attached.new { eval = false }
    assert.equal("no_op", attached:raw("rw"):ask(request(1, "1")).code)
  end)
end)
