local Attached = require("spec.support.attached").Attached
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local attach = require "strobe.attach"
local live = require "strobe.live"
local near = require "strobe.attach.near"
local time = require "strobe.core.time"
local uv = require "luv"

local PID = math.tointeger(uv.os_getpid())
local UNIT = 'return { version = 1, subscribe = { "ticks" }, on_event = function() end }'

-- A peer whose events are collected.
local function collecting(options)
  local events = {}
  options = options or {}
  function options.on_event(event)
    table.insert(events, event)
  end
  return near.connect(options), events
end

describe("the near peer", function()
  it("asks the process itself, as a client asks from afar", function()
    local peer <close>, events = collecting() -- luacheck: ignore
    assert.same({ id = 1, ok = true }, peer:call "ping")
    local answer = peer:call("eval", { code = "print('hi') return 6 * 7, 'x'" })
    assert.same({ "42", '"x"' }, { answer.values[1], answer.values[2] })
    assert.same({ { ev = "out", id = 2, text = "hi\n" } }, events)
    assert.same({ "hello", PID, "rw", 1 }, { peer.hello.ev, peer.hello.pid, peer.hello.ceiling, peer.hello.protocol })
  end)

  it("says what was wrong as a client does", function()
    local peer <close> = near.connect()
    local answer, message, code, refused = peer:call("dance")
    assert.is_nil(answer)
    assert.same({ "there is no operation 'dance'", "no_op" }, { message, code })
    assert.same({ id = 1, ok = false, code = "no_op", error = message }, refused)
    assert.equal("incomplete", select(3, peer:call("eval", { code = "if x then" })))
    assert.equal("error", select(3, peer:call("eval", { code = "error 'no'" })))
  end)

  it("gives the same answers as the socket", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local far <close> = assert(attach.connect(PID))
    local peer <close> = near.connect { server = attached.server }
    far:call("open", { rights = "rw" })
    for _, case in ipairs {
      { "ping" }, { "gens" }, { "inbox", { unit = "mm" } }, { "gens", { unit = "x" } },
      { "eval", { code = "{ 1, 'a' }" } }, { "eval", { code = "x x" } }, { "untail", { sub = 1 } }, { "what" },
    } do
      local op, fields = table.unpack(case)
      local a, b = { far:call(op, fields) }, { peer:call(op, fields) }
      local one, other = a[1] or a[4], b[1] or b[4]
      one.id, one.ms, other.id, other.ms = nil, nil, nil, nil
      assert.same(one, other)
    end
  end)

  it("may do everything, and writes no log of it", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT }, rights = "ro" }
    local peer <close> = near.connect { server = attached.server }
    assert.equal("rw", peer:call("open", { rights = "rw" }).rights)
    assert.is_true(peer:call("reload", { unit = "mm" }).ok)
    assert.same({}, attached:logged())
    for _, line in ipairs(peer:call("log").lines) do
      assert.not_matches("op=", line.text)
    end
  end)

  it("shares the log and the numbers of consoles with the socket", function()
    local attached <close> = Attached.new()
    local one <close> = near.connect { server = attached.server }
    assert.equal(2, attached:raw("rw").opened.console)
    local lines = one:call("log").lines
    assert.matches("op=connect ok$", lines[1].text)
    assert.equal(1, one:call("metrics").metrics.connections)
  end)

  it("sees the units of the runtime that is the current one then", function()
    local peer <close> = near.connect()
    assert.equal("not_found", select(3, peer:call "gens"))
    local units <close> = UnitFolder.new { ["mm.lua"] = UNIT }
    units:start "mm"
    live.set_runtime(units.runtime)
    assert.equal("mm", peer:call("gens").units[1].unit)
    units.runtime:log("warning", "look", {})
    local lines = peer:call("log").lines
    assert.equal("look", lines[#lines].text)
    live.set_runtime(nil)
    assert.equal("not_found", select(3, peer:call "gens"))
    units.runtime:log("warning", "gone", {})
    assert.equal(#lines, #peer:call("log").lines)
  end)

  it("lets what waits go on by itself, and answers in the order in which it ends", function()
    local peer <close> = near.connect()
    local done = {}
    local futures = {}
    for i, seconds in ipairs { 3, 1, 2 } do
      futures[i] = peer:send("eval", { code = ("require 'strobe.async'.sleep(%d)"):format(seconds) })
      futures[i]:add_done_callback(function()
        table.insert(done, i)
      end)
    end
    assert.is_true(peer:call("ping").ok)
    async.sleep(5)
    assert.same({ 2, 3, 1 }, done)
  end)

  it("interrupts an eval by its number", function()
    local peer <close> = near.connect()
    local future, id = peer:send("eval", { code = "require 'strobe.async'.sleep(1000)" })
    async.sleep(1)
    assert.is_true(peer:call("interrupt", { target = id }).ok)
    assert.equal("interrupted", future:await().code)
  end)

  it("lets go of an eval that will not be interrupted, also where the clock stands", function()
    local peer <close> = near.connect()
    local code = "local async = require 'strobe.async' pcall(async.sleep, 1000) async.sleep(1000)"
    local future, id = peer:send("eval", { code = code })
    async.sleep(1)
    time.stands(true, true)
    peer:call("interrupt", { target = id })
    local answer = future:await()
    time.stands(false)
    assert.same({ "interrupted", 1 }, { answer.code, answer.job })
    assert.equal("ended", peer:call("cancel", { task = answer.task }).outcome)
  end)

  it("gives up on an answer after its time-out; what it asked for goes on", function()
    local peer <close> = near.connect()
    local answer, message, code = peer:call("eval", { code = "require 'strobe.async'.sleep(3) x = 1" }, 1)
    assert.same({ nil, "no answer within 1 s", "ETIMEDOUT" }, { answer, message, code })
    async.sleep(3)
    assert.same({ "1" }, { peer:call("eval", { code = "x" }).values[1] })
  end)

  it("goes on when the task that asked is cancelled", function()
    local peer <close> = near.connect()
    local task = async.create_task(function()
      peer:call("eval", { code = "require 'strobe.async'.sleep(3) x = 1" })
    end)
    async.sleep(1)
    task:cancel()
    async.wait { task }
    async.sleep(3)
    assert.same({ "1" }, { peer:call("eval", { code = "x" }).values[1] })
  end)

  it("answers that an operation was interrupted when somebody cancels its task", function()
    local peer <close> = near.connect()
    for _, wait in ipairs { 0, 1 } do
      local future = peer:send("eval", { code = "require 'strobe.async'.sleep(1000)" })
      if wait > 0 then
        async.sleep(wait)
      end
      for _, task in ipairs(async.all_tasks()) do
        if task:get_name():find "^console %d eval$" then
          task:cancel "by hand"
        end
      end
      local answer = future:await()
      assert.equal(wait > 0 and "interrupted" or false, answer and answer.code)
    end
  end)

  it("ends what waits when it is closed, and says so afterwards", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local peer, events = collecting { server = attached.server }
    peer:call("tail", { stream = "ticks" })
    local future = peer:send("eval", { code = "require 'strobe.async'.sleep(1000)" })
    local watching = async.create_task(peer.wait_end, peer)
    async.sleep(1)
    peer:close()
    peer:close()
    assert.is_false(future:await())
    assert.equal("the console was closed", watching:await())
    assert.same({ nil, "the console was closed", "ECONNRESET" }, { peer:call "ping" })
    assert.is_false(peer:send("ping"):await())
    attached.units:offer("ticks", 1)
    assert.same({}, events)
    assert.is_true(attached:raw().hello ~= nil) -- the server's is not closed with it
  end)

  it("leaves nothing behind when its task is cancelled", function()
    for turns = 0, 8 do
      local task = async.create_task(function()
        local peer <close> = near.connect()
        peer:call("eval", { code = "require 'strobe.async'.sleep(1000)" })
      end)
      for _ = 1, turns do
        async.sleep(0)
      end
      task:cancel()
      async.wait { task }
      assert.is_true(task:done())
    end
  end)
end)
