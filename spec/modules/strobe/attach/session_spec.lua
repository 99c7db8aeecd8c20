local Attached = require("spec.support.attached").Attached
local Session = require "strobe.attach.session"
local async = require "strobe.async"
local core_task = require "strobe.core.task"
local inspect = require "strobe.core.inspect"
local json = require "strobe.json"
local ops = require "strobe.attach.ops"

-- A unit whose function hedge waits at line 31.
local UNIT = [[
local async = require "strobe.async"
]] .. ("\n"):rep(28) .. [[
local function hedge(ctx)
  ctx:create_task(async.sleep, 1000):await()
  return true
end
return {
  version = 1, subscribe = { "ticks" },
  on_event = function(ctx) hedge(ctx) end,
}
]]

-- The examples of the protocol, as they are written down. A > is sent, a < comes back.
-- luacheck: push no max line length
local EXAMPLES = [==[
< {"ev":"hello","protocol":1,"strobe":"0.3.0","pid":4242,"ceiling":"rw","units":["mm"]}
> {"id":1,"op":"open","rights":"rw","name":"pts/3"}
< {"id":1,"ok":true,"rights":"rw","console":2}
> {"id":2,"op":"eval","code":"print(1) return 6*7, 'x'"}
< {"id":2,"ev":"out","text":"1\n"}
< {"id":2,"ok":true,"values":["42","\"x\""],"ms":0.2}
> {"id":3,"op":"eval","code":"if x then"}
< {"id":3,"ok":false,"code":"incomplete"}
> {"id":4,"op":"where","task":17}
< {"id":4,"ok":true,"task":{"id":17,"state":"waiting"},"frames":[{"file":"mm.lua","line":31,"name":"hedge"}],"chain":[17,21]}
> {"id":5,"op":"tail","stream":"BTCUSDT.trade"}
< {"id":5,"ok":true,"sub":9}
< {"ev":"tail","sub":9,"seq":88121,"text":"{p=\"61000.5\", q=\"0.01\"}"}
< {"ev":"dropped","n":312}
> {"id":6,"op":"reload","unit":"mm"}
< {"id":6,"ok":false,"code":"rejected:syntax","error":"mm.lua:12: syntax error near 'x'","remedy":"fix the line, save, reload","report":{}}
]==]
-- luacheck: pop

-- Answers which tell more than the examples, of the task and of the reload.
local TELL_MORE = { [4] = true, [6] = true }

-- Everything that is expected is there; there may be more.
local function check(expected, found, where)
  if type(expected) ~= "table" then
    assert.equal(expected, found, where)
    return
  end
  assert.is_table(found, where)
  for key, value in pairs(expected) do
    check(value, found[key], ("%s.%s"):format(where, key))
  end
end

-- What differs from run to run.
local VARIES = { pid = true, strobe = true, ms = true }

local function numbers_of_tasks(attached)
  attached.units:offer("ticks", 1)
  local main = attached.units.runtime.units.mm.run.main
  return inspect.id(main), inspect.id(main:awaited())
end

-- The only connection that has watched a stream.
local function tailing(attached)
  for connection in pairs(attached.server.connections) do
    if next(connection.session.stops) then
      return connection
    end
  end
end

local function replay(attached, raw, seventeen, twenty_one)
  for mark, text in EXAMPLES:gmatch "([<>]) ([^\n]+)" do
    text = text:gsub("%f[%d]17%f[%D]", seventeen):gsub("%f[%d]21%f[%D]", twenty_one)
    if mark == ">" then
      if text:find '"op":"reload"' then
        attached.units:write("mm.lua", ("\n"):rep(11) .. "x x")
      end
      raw:send(text)
    elseif text:find '"ev":"tail"' then
      attached.units.runtime:offer("BTCUSDT.trade", { p = "61000.5", q = "0.01" }, nil, 88121)
      assert.same(json.decode(text), (raw:receive()))
    elseif text:find '"ev":"dropped"' then
      tailing(attached).dropped = 312
      assert.same(json.decode(text), (raw:ask '{"id":0,"op":"ping"}')) -- it is told before what comes next
      assert.same({ id = 0, ok = true }, (raw:receive()))
    else
      local expected, found = json.decode(text), raw:receive()
      for key in pairs(VARIES) do
        assert.equal(type(expected[key]), type(found[key]))
        expected[key], found[key] = nil, nil
      end
      if TELL_MORE[found.id] then
        check(expected, found, text)
      else
        assert.same(expected, found)
      end
    end
  end
end

describe("a session", function()
  it("goes as the protocol's examples say", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    attached:raw()
    local raw = attached:connect()
    attached.wait_until(function()
      return next(attached.server.connections) and attached.server.count == 2
    end)
    for connection in pairs(attached.server.connections) do
      connection.session.last_sub = 8 -- the examples begin in the middle
    end
    local seventeen, twenty_one = numbers_of_tasks(attached)
    replay(attached, raw, ("%d"):format(seventeen), ("%d"):format(twenty_one))
    local frames = raw:ask(('{"id":1,"op":"where","task":%d}'):format(seventeen)).frames
    assert.equal("hedge", frames[1].name)
  end)

  it("serves a console of the process itself as well", function()
    local lines, pushed = {}, {}
    local session = Session.new {
      ceiling = "rw", number = 1, uid = 0, pid = 1,
      log = function(_, text)
        lines[#lines + 1] = text
      end,
      push = function(message)
        pushed[#pushed + 1] = message
      end,
    }
    assert.same({ ok = true }, session:perform("ping", {}))
    assert.equal("rights", session:perform("eval", { code = "1" }).code)
    session:perform("open", { rights = "rw" })
    assert.same({ "2" }, session:perform("eval", { id = 1, code = "print 'hi' return 1 + 1" }).values)
    assert.same({ { ev = "out", id = 1, text = "hi\n" } }, pushed)
    assert.equal(3, #lines)
  end)

  it("without units says so when these are asked for", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    assert.same({}, raw.hello.units)
    for _, name in ipairs { "streams", "inbox", "gens", "reload", "rollback" } do
      assert.same({ id = 1, ok = false, code = "not_found", error = "this process runs no live units" },
        (raw:ask(('{"id":1,"op":"%s"}'):format(name))))
    end
  end)

  it("answers a mistake in an operation, and goes on", function()
    local attached <close> = Attached.new()
    ops.find("clock").run, ops.before = function()
      error "a mistake"
    end, ops.find("clock").run
    local raw = attached:raw()
    local answer = raw:ask '{"id":1,"op":"clock"}'
    ops.find("clock").run, ops.before = ops.before, nil
    assert.equal("error", answer.code)
    assert.matches("a mistake", answer.error)
    assert.equal("virtual", raw:ask('{"id":1,"op":"clock"}').mode)
  end)

  it("answers that it was interrupted when somebody cancels what it does", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send [[{"id":1,"op":"cancel","task":"stubborn"}]]
    assert.equal("not_found", raw:receive().code)
    local stubborn = async.create_task(function()
      while not pcall(async.sleep, 5) do
      end
    end)
    stubborn:set_name "stubborn"
    async.sleep(0)
    raw:send [[{"id":1,"op":"cancel","task":"stubborn"}]]
    async.sleep(0.1)
    for _, task in ipairs(core_task.all()) do
      if task:get_name() == "attach 1 cancel" then
        task:cancel "by hand"
      end
    end
    assert.same({ id = 1, ok = false, code = "interrupted" }, { id = 1, ok = false, code = raw:receive().code })
    stubborn:await()
  end)
end)
