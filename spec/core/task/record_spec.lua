local async = require "strobe.async"
local program = require "spec.support.program"
local tasks = require "spec.support.tasks"

local function line_of(f)
  return debug.getinfo(f, "S").linedefined
end

describe("the record of a task", function()
  it("is read from C, without Lua", function()
    assert.same({ "good\n", 0 }, { program.run "record_test" })
  end)

  it("says who it is, what it does, when it was made and how often it ran", function()
    async.sleep(3)
    local t = async.create_task(function()
      async.sleep(0)
      async.sleep(1)
    end)
    local record = t:get_record()
    assert.equal("ready", record.state)
    assert.equal(3, record.created)
    assert.equal(0, record.resumes)
    assert.equal("Task-" .. record.id, record.name)
    t:set_name "worker"
    async.sleep(0.5)
    record = t:get_record()
    assert.equal("waiting", record.state)
    assert.equal("worker", record.name)
    assert.equal(2, record.resumes)
    t:await()
    record = t:get_record()
    assert.equal("returned", record.state)
    assert.equal(4, record.ended)
    assert.equal(3, record.resumes)
    assert.is_nil(record.waiting_on)
    assert.equal("running", async.current_task():get_record().state)
  end)

  it("says who made it, and for which input of a console", function()
    local inner
    local outer = async.create_task(function()
      inner = async.create_task(async.sleep, 1)
      inner:await()
    end)
    require("strobe.core.interrupt").evaluation(outer)
    async.sleep(0)
    local id = outer:get_record().id
    assert.equal(async.current_task():get_record().id, outer:get_record().parent)
    assert.same({ id, id }, { inner:get_record().parent, inner:get_record().group })
    assert.same({ id }, inner:get_record().waiters)
    outer:await()
    assert.same({ id, id }, { inner:get_record().parent, inner:get_record().group })
    require("strobe.core.interrupt").evaluation()
    assert.is_nil(async.create_task(async.sleep, 0):get_record().group)
  end)

  it("says whose code it runs, also when it has ended", function()
    local t = async.create_task(async.sleep, 1)
    require("strobe.core.inspect").own(t, "mm", 3)
    assert.same({ "mm", 3 }, { t:get_record().unit, t:get_record().gen })
    t:await()
    assert.same({ "mm", 3 }, { t:get_record().unit, t:get_record().gen })
  end)

  it("says that it is shielded, and when it ran last", function()
    local inner = async.create_task(async.sleep, 2)
    local outer = async.create_task(function()
      async.shield(inner):await()
    end)
    async.sleep(1)
    assert.is_true(inner:get_record().shielded)
    assert.is_nil(outer:get_record().shielded)
    assert.equal(0, outer:get_record().last_resume)
    outer:await()
    assert.equal(2, outer:get_record().last_resume)
  end)

  it("tells one that cleans up from one that waits", function()
    local t = async.create_task(function()
      local _ <close> = setmetatable({}, { __close = function() -- luacheck: ignore
        async.sleep(1)
      end })
      async.sleep(9)
    end)
    async.sleep(0)
    t:cancel()
    async.sleep(0.5)
    assert.same({ "cancelling", "sleep" }, { t:get_record().state, t:get_record().waiting_on.kind })
    pcall(t.await, t)
    assert.equal("cancelled", t:get_record().state)
  end)

  it("tells one that is frozen, and one that was closed then", function()
    local freeze = require "strobe.core.freeze"
    local t = async.create_task(function()
      while true do
        pcall(async.sleep, 1)
      end
    end)
    async.sleep(0)
    freeze.freeze { t }
    assert.equal("frozen", t:get_record().state)
    async.sleep(2)
    assert.is_true(freeze.close(t))
    assert.equal("closed", t:get_record().state)
  end)

  it("says where its function is", function()
    local function work()
      async.sleep(1)
      return true
    end
    local place = ("%s:%d"):format(debug.getinfo(work, "S").short_src, line_of(work))
    local t = async.create_task(work)
    assert.equal(place, t:get_record().defined)
    async.sleep(0)
    assert.equal(place, t:get_record().defined)
    t:await()
  end)

  it("says what it waits for: kind, file, line, since when, until when", function()
    async.sleep(2)
    local function sleeper()
      async.sleep(5)
      return true
    end
    local t = tasks.start(sleeper)
    async.sleep(1)
    local wait = t:get_record().waiting_on
    assert.equal("sleep", wait.kind)
    assert.equal(2, wait.since)
    assert.equal(7, wait.deadline)
    assert.equal(line_of(sleeper) + 1, wait.line)
    assert.matches("record_spec.lua$", wait.file)
    t:cancel()
  end)

  it("names the task that is awaited, and the object that is waited for", function()
    local inner = async.create_task(async.sleep, 1)
    local outer = tasks.start(function()
      inner:await()
    end)
    local q = async.Queue(3)
    local getter = tasks.start(function()
      return q:get(), true
    end)
    local wait = outer:get_record().waiting_on
    assert.equal("future", wait.kind)
    assert.equal(inner:get_record().id, wait.task)
    assert.equal("Task-" .. wait.task, wait.what)
    wait = getter:get_record().waiting_on
    assert.equal("queue item", wait.kind)
    assert.equal("<Queue size=0 maxsize=3 getters=1>", wait.what)
    getter:cancel()
    outer:await()
  end)

  it("has the deadline of the time-out scope around the wait, if that is nearer", function()
    local t = tasks.start(function()
      local outer <close> = async.timeout(9) -- luacheck: ignore
      local inner <close> = async.timeout(4) -- luacheck: ignore
      async.sleep(20)
    end)
    assert.equal(4, t:get_record().waiting_on.deadline)
    t:cancel()
    t = tasks.start(async.wait_for, async.sleep, 5, 20)
    assert.equal(5, t:get_record().waiting_on.deadline)
    t:cancel()
  end)

  it("says who cancelled it, when and why", function()
    local t = tasks.start(function()
      pcall(async.sleep, 9)
      async.sleep(9)
    end)
    assert.is_nil(t:get_record().cancelled)
    async.sleep(2)
    t:cancel "too slow"
    async.sleep(0)
    local record = t:get_record()
    assert.same({ by = async.current_task():get_record().id, reason = "too slow", at = 2 }, record.cancelled)
    assert.equal(1, record.cancelling)
    async.get_running_loop():call_soon(t.cancel, t)
    async.sleep(1)
    assert.same({ at = 2 }, t:get_record().cancelled) -- by a callback, for no reason
  end)

  it("counts cancellations up to 1,023", function()
    local over = false
    local t = tasks.start(function()
      while not over do
        pcall(async.sleep, 9)
      end
    end)
    for _ = 1, 2000 do
      t:cancel()
    end
    assert.equal(255, t:cancelling())
    for _ = 1, 255 do
      t:uncancel()
    end
    assert.equal(0, t:cancelling())
    over = true
    t:cancel()
    t:await()
  end)
end)

describe("the tasks that ended", function()
  it("are remembered, the last hundred of them, the newest first", function()
    for i = 1, 150 do
      local t = async.create_task(function() end)
      t:set_name("t" .. i)
      t:await()
    end
    local ended = async.ended_tasks()
    assert.equal(100, #ended)
    for i = 1, 100 do
      assert.equal("t" .. 151 - i, ended[i].name)
      assert.equal("returned", ended[i].state)
      assert.is_true(i == 1 or ended[i].id < ended[i - 1].id)
    end
  end)

  it("are told with the error that ended them, and are not kept alive", function()
    async.sleep(4)
    local function fail()
      error { message = "out of luck" }
    end
    local t = async.create_task(fail)
    local weak = setmetatable({ t }, { __mode = "v" })
    pcall(t.await, t)
    t = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.is_nil(weak[1])
    local last = async.ended_tasks()[1]
    assert.equal("failed", last.state)
    assert.equal(4, last.ended)
    assert.matches("^out of luck\n", last.trace)
    assert.matches(("record_spec.lua:%d:"):format(line_of(fail) + 1), last.trace)
  end)

  it("have names that end at the end of a character", function()
    local t = async.create_task(function() end)
    t:set_name(("ä"):rep(100))
    t:await()
    local name = async.ended_tasks()[1].name
    assert.equal(("ä"):rep(31), name)
    assert.equal(("ä"):rep(100), t:get_name())
  end)

  it("that never began are told too", function()
    local t = async.create_task(function() end)
    t:cancel()
    async.sleep(0)
    local last = async.ended_tasks()[1]
    assert.equal("cancelled", last.state)
    assert.equal(0, last.resumes)
  end)
end)

describe("ten thousand tasks with names, and cancelled", function()
  it("are more than there are notes: all is as it should be but their C names", function()
    local list = {}
    for i = 1, 10000 do
      list[i] = async.create_task(async.sleep, 5)
      list[i]:set_name("named " .. i)
    end
    async.sleep(1)
    assert.equal("named 10000", list[10000]:get_record().name)
    assert.equal("sleep", list[10000]:get_record().waiting_on.kind)
    for _, t in ipairs(list) do
      t:cancel "all"
    end
    async.sleep(1)
    assert.equal(100, #async.ended_tasks())
    local t = async.create_task(async.sleep, 1) -- notes are free again
    t:set_name "after"
    t:await()
    assert.equal("after", async.ended_tasks()[1].name)
  end)
end)
