local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"

local UNIT = [[
return { version = 1, subscribe = { "ticks" },
  init = function(ctx)
    ctx:create_task(function() ctx:sleep(1000) end):set_name "beat"
    ctx:create_task(function() ctx:shield(function() ctx:sleep(50) end) end):set_name "safe"
  end,
  main = function(ctx) for m in ctx:inbox() do end end }]]

-- Its shielded task does not end at the first call.
local DEAF = UNIT:gsub("ctx:sleep%(50%)", "pcall(ctx.sleep, ctx, 50) ctx:sleep(5)")

local function started(name, f, ...)
  local task = async.create_task(f, ...)
  task:set_name(name)
  async.sleep(0)
  return task
end

-- So many tasks that wait for an event.
local function crowd(count)
  local group, gate = async.TaskGroup(), async.Event()
  for _ = 1, count do
    group:create_task(gate.wait, gate)
  end
  async.sleep(0)
  return group, gate
end

local function names(answer)
  local list = {}
  for i, task in ipairs(answer.tasks) do
    list[i] = task.name
  end
  table.sort(list)
  return list
end

describe("the operation", function()
  it("ps lists tasks with their state, unit, and what they wait for; a word chooses by name, unit or state", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local raw = attached:raw()
    local all = raw:ask '{"id":1,"op":"ps"}'
    assert.equal(#all.tasks, all.total)
    local answer = raw:ask '{"id":1,"op":"ps","word":"beat"}'
    assert.equal(1, #answer.tasks)
    local beat = answer.tasks[1]
    assert.same({ "mm", 1, "waiting", "sleep" }, { beat.unit, beat.gen, beat.state, beat.waiting_on.kind })
    assert.matches("mm.lua$", beat.waiting_on.file)
    assert.equal(3, beat.waiting_on.line)
    assert.same({ "beat", "mm main", "safe" }, names(raw:ask '{"id":1,"op":"ps","word":"mm"}'))
    assert.same({}, raw:ask('{"id":1,"op":"ps","word":"nothing such"}').tasks)
    assert.equal("bad_request", raw:ask('{"id":1,"op":"ps","word":7}').code)
  end)

  it("ps tells a thousand, and how many there are more", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local group <close>, gate = crowd(1100) -- luacheck: ignore group
    local answer = raw:ask '{"id":1,"op":"ps"}'
    assert.equal(1000, #answer.tasks)
    assert.equal(answer.total - 1000, answer.more)
    gate:set()
  end)

  it("tree draws who waits for whom, and names circles", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local child = started("child", async.sleep, 10)
    local parent = started("parent", function()
      child:await()
    end)
    local answer = raw:ask '{"id":1,"op":"tree"}'
    assert.matches("%(T%) parent: awaits child.*\n    └── %(T%) child: sleeps", answer.text)
    assert.same({}, answer.cycles)
    parent:await()
  end)

  it("tree draws no more than 2,000", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local group <close>, gate = crowd(2001) -- luacheck: ignore group
    local answer = raw:ask '{"id":1,"op":"tree"}'
    assert.equal("too_many", answer.code)
    assert.matches("a tree is drawn of at most 2000; ask for ps or where", answer.error)
    gate:set()
  end)

  it("where tells a task's frames and the chain of those it waits for, by number or name", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local child = started("child", async.sleep, 10)
    local parent = started("parent", function()
      child:await()
    end)
    for _, which in ipairs { inspect.id(parent), '"parent"' } do
      local answer = raw:ask(('{"id":1,"op":"where","task":%s}'):format(which))
      assert.equal("parent", answer.task.name)
      assert.same({ inspect.id(parent), inspect.id(child) }, answer.chain)
      assert.matches("tasks_spec.lua$", answer.frames[1].file)
    end
    assert.equal("not_found", raw:ask('{"id":1,"op":"where","task":99999999}').code)
    assert.equal("not_found", raw:ask('{"id":1,"op":"where","task":"nobody"}').code)
    for _, bad in ipairs { "1.5", "true", "{}", "null", "1e300" } do
      assert.equal("bad_request", raw:ask(('{"id":1,"op":"where","task":%s}'):format(bad)).code)
    end
    parent:await()
  end)

  it("where goes round a circle once", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local tasks = {}
    for i = 1, 2 do
      tasks[i] = started("round " .. i, function()
        async.sleep(0.01)
        tasks[3 - i]:await()
      end)
    end
    async.sleep(0.02)
    local a, b = inspect.id(tasks[1]), inspect.id(tasks[2])
    assert.same({ a, b, a }, raw:ask(('{"id":1,"op":"where","task":%d}'):format(a)).chain)
    local cycles = raw:ask('{"id":1,"op":"tree"}').cycles
    assert.equal(1, #cycles)
    tasks[1]:cancel()
    async.wait(tasks)
  end)

  it("ended lists those that ended last, with the trace of one that failed", function()
    local attached <close> = Attached.new()
    local raw = attached:raw()
    local task = started("doomed", function()
      error "out of luck"
    end)
    pcall(task.await, task)
    local found
    for _, record in ipairs(raw:ask('{"id":1,"op":"ended"}').tasks) do
      found = found or record.name == "doomed" and record
    end
    assert.equal("failed", found.state)
    assert.matches("out of luck", found.trace)
  end)

  it("cancel ends a task and says how", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local task = started("sleeper", async.sleep, 1000)
    local answer = raw:ask '{"id":1,"op":"cancel","task":"sleeper","why":"no longer wanted"}'
    assert.same({ id = 1, ok = true, task = inspect.id(task), outcome = "ended", how = "cancelled" }, answer)
    assert.is_true(task:cancelled())
    local other = started("other", function()
      pcall(async.sleep, 1000)
      return 5
    end)
    assert.equal("returned", raw:ask('{"id":1,"op":"cancel","task":"other"}').how)
    assert.equal(5, other:await())
  end)

  it("cancel tells of a task that swallows it, and of one that is shielded, within a second", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = DEAF } }
    local raw = attached:raw "rw"
    local began = async.time()
    local task = started("deaf", function()
      pcall(async.sleep, 1000)
      async.sleep(5)
    end)
    assert.equal("swallowed", raw:ask('{"id":1,"op":"cancel","task":"deaf"}').outcome)
    assert.is_true(async.time() - began < 1.5)
    assert.equal("shielded", raw:ask('{"id":1,"op":"cancel","task":"safe"}').outcome)
    task:await()
  end)
end)
