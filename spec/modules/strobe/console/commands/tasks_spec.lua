local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"
local Pace = require "spec.support.pace"

local UNIT = [[
return { version = 1, subscribe = { "ticks" }, on_event = function(ctx)
  ctx:sleep(5)
end }]]

-- Calls f(console) near and far, while a sleeper and one who awaits it live.
local function with_tasks(f)
  local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
  Console.both(attached, function(console)
    local tasks = {}
    tasks.sleeper = async.create_task(function()
      async.sleep(50)
    end)
    tasks.sleeper:set_name "sleeper"
    tasks.waiter = async.create_task(function()
      pcall(tasks.sleeper.await, tasks.sleeper)
    end)
    tasks.waiter:set_name "waiter"
    async.sleep(2)
    f(console, tasks, attached)
    tasks.sleeper:cancel()
    async.wait { tasks.sleeper, tasks.waiter }
  end)
end

describe(":ps", function()
  it("shows what every task waits for, for how long, and where", function()
    with_tasks(function(console, tasks)
      local text = console:command ":ps"
      assert.matches("^ *TASK  NAME +UNIT +STATE +FOR +RUNS  WAITS FOR +AT\n", text)
      local sleeper = inspect.id(tasks.sleeper)
      assert.matches(("\n *%d  sleeper +%%- +waiting +2.00 s +1  sleep, 48.0 s left +"):format(sleeper), text)
      assert.matches(("  waiter +%%- +waiting +2.00 s +1  task %d +"):format(inspect.id(tasks.sleeper)), text)
      assert.matches("  mm main +mm.1 ", text)
      assert.matches("\n%d+ tasks$", text)
    end)
  end)

  it("chooses by name, unit and state", function()
    with_tasks(function(console)
      assert.matches("^ *TASK  NAME .*sleeper[^\n]*\n1 of %d+$", console:command ":ps sleep")
      assert.matches("mm main", console:command ":tasks mm")
      assert.matches("^no task has 'nobody' in its name, unit or state; there are %d+$", console:command ":ps nobody")
    end)
  end)

  it("keeps within the width of the screen", function()
    with_tasks(function(console)
      console.settings.width = 60
      for line in console:command(":ps"):gmatch "[^\n]+" do
        assert.is_true(utf8.len(line) <= 60, line)
      end
    end)
  end)
end)

describe(":tree", function()
  it("shows what each task waits for, and where", function()
    with_tasks(function(console, tasks)
      local text = console:command ":tree"
      assert.matches("^TASK +UNIT +STATE +WAITS FOR +AT\n", text)
      assert.matches(("%%f[%%d]%d  waiter +%%- +waiting +task %d "):format(inspect.id(tasks.waiter),
        inspect.id(tasks.sleeper)), text)
    end)
  end)

  it("puts tasks below those that made them", function()
    local console = {
      settings = { width = 80 }, near = true,
      peer = {
        call = function(_, op)
          if op == "tree" then
            return { text = "", cycles = {} }
          end
          local list = {}
          for i, parent in ipairs { 0, 1, 2, 1, 99, 5 } do
            list[i] = { id = i, name = "t" .. i, state = "ready", resumes = 1, parent = parent > 0 and parent or nil }
          end
          return { tasks = list, total = 6, now = 0 }
        end,
      },
    }
    setmetatable(console, { __index = Console })
    assert.equal(table.concat({
      "TASK         STATE", "1  t1        ready", "├─ 2  t2     ready", "│  └─ 3  t3  ready", "└─ 4  t4     ready",
      "5  t5        ready", "└─ 6  t6     ready",
    }, "\n"), console:command ":tree")
  end)

  it("marks circles", function()
    local attached <close> = Attached.new()
    Console.both(attached, function(console)
      local tasks = {}
      for i = 1, 2 do
        tasks[i] = async.create_task(function()
          async.sleep(1)
          pcall(async.shield, tasks[3 - i])
          local ok = pcall(tasks[3 - i].await, tasks[3 - i])
          return ok
        end)
      end
      async.sleep(2)
      local text = console:command ":tree"
      assert.matches(("cycle: they wait for each other for ever: %d %%-> %d %%-> %d"):format(inspect.id(tasks[1]),
        inspect.id(tasks[2]), inspect.id(tasks[1])), text)
      tasks[1]:cancel()
      async.wait(tasks)
    end)
  end)
end)

describe(":where", function()
  it("tells the frames, the chain, the deadline and who waits", function()
    with_tasks(function(console, tasks)
      local sleeper, waiter = inspect.id(tasks.sleeper), inspect.id(tasks.waiter)
      local text = console:command(":where " .. sleeper)
      assert.matches(("^task +%d  sleeper\n"):format(sleeper), text)
      assert.matches("\nstate +waiting for 2.00 s\n", text)
      assert.matches("\nwaits for +sleep, 48.0 s left\n", text)
      assert.matches("\nstands at +%S*tasks_spec.lua:%d+  in the function of line %d+\n", text)
      assert.matches(("\nawaited by +task %d\n"):format(waiter), text)
      assert.matches("\ncreated +2.00 s ago", text)
      text = console:command ":why waiter"
      assert.matches(("\nwaits for +task %d"):format(sleeper), text)
      assert.matches(("\nchain +%d %%-> %d\n"):format(waiter, sleeper), text)
    end)
  end)

  it("tells who cancelled a task and why, and how one has ended", function()
    with_tasks(function(console, tasks)
      tasks.sleeper:cancel "enough"
      async.wait { tasks.sleeper }
      local text = console:command(":where " .. inspect.id(tasks.sleeper))
      assert.matches("\nstate +cancelled, 0 s ago\n", text)
      assert.matches("\ncancelled +by task %d+, 0 s ago: enough", text)
      local failed = async.create_task(function()
        error "gone wrong"
      end)
      failed:set_name "wrong"
      async.wait { failed }
      failed:exception()
      assert.matches("\ntrace +[^\n]*gone wrong\n", console:command ":where wrong")
    end)
  end)

  it("knows tasks that there are", function()
    with_tasks(function(console)
      assert.equal("there is no task 99999: it never was, or has ended long ago", console:refused ":where 99999")
      assert.equal("a task's number or name expected: :where TASK; :ps tells them", console:refused ":where")
    end)
  end)
end)

describe(":cancel", function()
  it("ends a task, and says so", function()
    with_tasks(function(console, tasks)
      assert.equal(("task %d has ended (cancelled)"):format(inspect.id(tasks.sleeper)),
        console:command ":cancel sleeper no more of it")
      assert.matches("\ncancelled +by task %d+, 0 s ago: no more of it", console:command ":where sleeper")
    end)
  end)

  it("knows tasks that there are", function()
    local attached <close> = Attached.new()
    Console.both(attached, function(console)
      assert.equal("there is no living task nobody; :ps tells which there are", console:refused ":cancel nobody")
      assert.equal("a task's number or name expected: :cancel TASK [WHY]; :ps tells them", console:refused ":cancel")
    end)
  end)

  it("tells of one that swallows it", function()
    local attached <close> = Attached.new()
    Console.both(attached, function(console)
      local stubborn = async.create_task(function()
        pcall(async.sleep, 100)
        async.sleep(100)
      end)
      async.sleep(0.1)
      assert.equal(("task %d was cancelled and goes on: it has swallowed its CancelledError"):format(
        inspect.id(stubborn)), console:command(":cancel " .. inspect.id(stubborn)))
      stubborn:cancel()
      async.wait { stubborn }
    end)
  end)

  it("is refused to those who look on", function()
    local attached <close> = Attached.new()
    local console <close> = Console.far "ro"
    assert.equal("this console may only look on (ro); it takes the rights rw", console:refused ":cancel main")
    assert.truthy(attached)
  end)
end)

describe(":top", function()
  it("shows the tasks that took most time in a second", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local attached <close> = Attached.new()
    Console.both(attached, function(console)
      local busy = async.create_task(function()
        for _ = 1, 2000 do
          async.sleep(0.001)
        end
      end)
      busy:set_name "busy"
      local text = console:command ":top 3"
      assert.matches("^%d+ tasks?, %S+ of time in Lua\n *TASK  NAME", text)
      assert.matches(" busy ", text)
      busy:cancel()
      async.wait { busy }
      assert.equal("a number of tasks expected: :top [N]", console:refused ":top many")
    end)
    assert.is_false(inspect.times())
  end)

  it("is drawn anew above the prompt until a key is pressed", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local attached <close> = Attached.new()
    local console <close> = Console.near { server = attached.server }
    local busy = async.create_task(function()
      while true do
        async.sleep(0.001)
      end
    end)
    local pages, keys = {}, { false, false, "x" }
    function console.key()
      pages[#pages + 1] = console.pins.top1
      local key = table.remove(keys, 1)
      return key or nil
    end
    local text = console:command ":top"
    assert.equal(3, #pages)
    assert.matches("^any key ends it; %d+ tasks, %S+ of time in Lua$", pages[3])
    assert.matches("^%d+ tasks, [^\n]*\n *TASK ", text)
    assert.same({}, console.pins)
    busy:cancel()
    async.wait { busy }
  end)
end)
