local async = require "strobe.async"
local collector = require "spec.support.collector"
local tasks = require "spec.support.tasks"

local function named(name, f, ...)
  local t = async.create_task(f, ...)
  t:set_name(name)
  return t
end

-- The names of those who wait for a future, and of those who wait for them: "a(b(c) d)".
local function who(node)
  local parts = {}
  for i, each in ipairs(node.awaited_by) do
    parts[i] = who(each)
  end
  table.sort(parts)
  local name = node.future.get_name and node.future:get_name() or "future"
  local inner = #parts > 0 and "(" .. table.concat(parts, " ") .. ")" or ""
  return name .. (node.again and "!" .. node.again or "") .. inner
end

local function graph_of(future)
  return who(async.capture_call_graph(future))
end

local function cancel_all(...)
  for _, t in ipairs { ... } do
    t:cancel()
  end
  for _, t in ipairs { ... } do
    pcall(t.await, t)
  end
end

-- Two tasks, a and b, each of which waits for the other.
local function circle()
  local a, b
  a = named("a", function()
    async.sleep(0)
    b:await()
  end)
  b = named("b", function()
    async.sleep(0)
    a:await()
  end)
  async.sleep(1)
  return a, b
end

describe("a call graph", function()
  it("tells who awaits a task, and who awaits that one", function()
    local a = named("a", async.sleep, 5)
    local b = named("b", a.await, a)
    local c = named("c", b.await, b)
    local d = named("d", a.await, a)
    async.sleep(0)
    assert.equal("a(b(c) d)", graph_of(a))
    assert.equal("c", graph_of(c))
    cancel_all(a, d)
  end)

  local waits = {
    gather = function(inner)
      async.gather(inner, async.create_task(async.sleep, 1))
    end,
    wait = function(inner)
      async.wait({ inner }, { return_when = async.FIRST_COMPLETED })
    end,
    ["a time-out"] = function(inner)
      async.wait_for(inner, 50)
    end,
    ["a time-out in a gather"] = function(inner)
      async.gather(async.create_task(async.sleep, 1), inner)
    end,
  }
  for name, wait in pairs(waits) do
    it("sees through " .. name, function()
      local inner = named("inner", async.sleep, 5)
      local t = named("waiter", wait, inner)
      async.sleep(0)
      assert.equal("inner(waiter)", graph_of(inner))
      cancel_all(t, inner)
    end)
  end

  it("sees through shield", function()
    local inner = named("inner", async.sleep, 5)
    local t = named("waiter", function()
      async.shield(inner):await()
    end)
    async.sleep(0)
    assert.equal("inner(future(waiter))", graph_of(inner))
    cancel_all(t, inner)
  end)

  it("tells that the task of a TaskGroup waits for the children, also while in the block", function()
    local child
    local parent = named("parent", function()
      local tg <close> = async.TaskGroup()
      child = tg:create_task(async.sleep, 5)
      child:set_name "child"
      async.sleep(1)
    end)
    async.sleep(0.5)
    assert.equal("child(parent)", graph_of(child))
    async.sleep(1)
    assert.equal("child(parent)", graph_of(child))
    cancel_all(parent)
  end)

  it("tells who waits for a lock that the task holds", function()
    local lock = async.Lock()
    local function use()
      local held <close> = lock:acquire() -- luacheck: ignore
      async.sleep(5)
    end
    local a, b, c = named("a", use), named("b", use), named("c", use)
    async.sleep(1)
    assert.equal("a(b c)", graph_of(a))
    async.sleep(5)
    assert.equal("b(c)", graph_of(b))
    cancel_all(a, b, c)
  end)

  it("of a Future tells who awaits it", function()
    local f = async.Future()
    local t = named("waiter", f.await, f)
    async.sleep(0)
    assert.equal("future(waiter)", graph_of(f))
    assert.same({}, async.capture_call_graph(f).call_stack)
    cancel_all(t)
  end)

  it("has the stack of each, the innermost frame first, limited from either end", function()
    local function inner()
      async.sleep(5)
      return true
    end
    local t = tasks.start(function()
      inner()
      return true
    end)
    local line = debug.getinfo(inner, "S").linedefined
    local function stack_lines(options)
      local found = {}
      for i, frame in ipairs(async.capture_call_graph(t, options).call_stack) do
        found[i] = frame.line - line
      end
      return found
    end
    assert.same({ 1, 5 }, stack_lines())
    assert.same({ 1 }, stack_lines { limit = 1 })
    assert.same({ 5 }, stack_lines { limit = -1 })
    assert.same({}, stack_lines { limit = 0 })
    assert.same({ 1, 5 }, stack_lines { limit = 9 })
    cancel_all(t)
  end)

  it("without a task is that of the task that runs, from the caller or further out", function()
    local function look(depth)
      local graph = async.capture_call_graph(nil, { depth = depth })
      return graph
    end
    local near, far = look(), look(2)
    assert.equal(async.current_task(), near.future)
    assert.equal(debug.getinfo(look, "S").linedefined + 1, near.call_stack[1].line)
    assert.equal(#near.call_stack - 1, #far.call_stack)
    local in_callback = "not called"
    async.get_running_loop():call_soon(function()
      in_callback = async.capture_call_graph()
    end)
    async.sleep(0)
    async.sleep(0)
    assert.is_nil(in_callback)
  end)

  it("is printed as asyncio prints it", function()
    local function work()
      async.sleep(5)
      return true
    end
    local a = named("a", work)
    local b = named("it's\27b", function()
      a:await()
    end)
    async.sleep(0)
    local line = debug.getinfo(work, "S").linedefined
    local file = debug.getinfo(1, "S").short_src
    local text = async.format_call_graph(a)
    local id = a:get_record().id
    assert.equal(([[
* Task(name='a', id=%d)
  + Call stack:
  |   File '%s', line %d, in function <%s:%d>
  + Awaited by:
    * Task(name='it's\x1bb', id=%d)
      + Call stack:
      |   File '%s', line %d, in function <%s:%d>]]):format(id, file, line + 1, file, line, id + 1, file, line + 6,
      file, line + 5), text)
    cancel_all(a, b)
  end)

  it("marks a cycle, and what was told already", function()
    local a, b = circle()
    assert.equal("a(b(a!cycle))", graph_of(a))
    assert.matches("Task%(name='a', id=%d+%) %(a cycle: see above%)$", async.format_call_graph(a))
    cancel_all(a, b)
  end)

  it("tells each task once: twenty floors of two which wait for both below, not a million paths", function()
    local bottom = named("bottom", async.sleep, 5)
    local floor, all = { bottom }, {}
    for _ = 1, 20 do
      local below = floor
      floor = {}
      for i = 1, 2 do
        floor[i] = async.create_task(async.wait, below)
        all[#all + 1] = floor[i]
      end
    end
    async.sleep(1)
    local _, told = async.format_call_graph(bottom):gsub("%* Task", "")
    local _, again = async.format_call_graph(bottom):gsub("%(see above%)", "")
    assert.equal(41, told - again)
    assert.equal(19 * 2, again)
    cancel_all(bottom, table.unpack(all))
  end)

  it("goes down a chain of ten thousand, at length but not in width", function()
    local first = async.create_task(async.sleep, 5)
    local last = first
    for _ = 1, 10000 do
      last = async.create_task(last.await, last)
    end
    async.sleep(1)
    local depth, node = 0, async.capture_call_graph(first)
    while node.awaited_by[1] do
      depth, node = depth + 1, node.awaited_by[1]
    end
    assert.equal(10000, depth)
    assert.equal(last, node.future)
    local text = async.format_call_graph(first)
    assert.is_true(#text < 5e6)
    assert.matches("%(level 10000%) %* Task", text)
    cancel_all(last)
  end)

  it("keeps no task alive", function()
    local weak = setmetatable({}, { __mode = "k" })
    do
      local a = named("a", async.sleep, 1)
      weak[a] = true
      assert.is_string(async.format_call_graph(a))
      assert.is_string(async.format_task_tree())
      a:await()
    end
    collector.collect()
    assert.is_nil((next(weak)))
  end)

  it("refuses what is no future, and says so", function()
    for _, name in ipairs { "capture_call_graph", "format_call_graph", "print_call_graph" } do
      local ok, message = pcall(async[name], 7)
      assert.is_false(ok)
      assert.matches(name .. ": a Future, a Task or nil expected, got 7", message)
      ok, message = pcall(async[name], nil, { limit = "all" })
      assert.is_false(ok)
      assert.matches(name .. ": limit has to be a whole number, not all", message)
    end
  end)
end)

describe("the tree of all tasks", function()
  -- The lines from the one that speaks of `first` on, without the places.
  local function tree(first)
    local text = async.format_task_tree():gsub(" at [^\n]-graph_spec[^\n]*", "")
    return text:match("[^\n]*%(T%) " .. first .. ".*$")
  end

  it("has below each task those it waits for, and what each does", function()
    local lock = async.Lock()
    local function use()
      local held <close> = lock:acquire() -- luacheck: ignore
      async.sleep(4)
    end
    local top = named("top", function()
      async.gather(named("left", use), named("right", use), async.Future())
    end)
    async.sleep(1)
    assert.equal([[
└── (T) top: awaits 3 futures
    ├── (T) left: sleeps (3.000 s left)
    └── (T) right: waits for lock <Lock [locked, waiters:1]> held by left
        └── (T) left (see above)]], tree "top")
    cancel_all(top)
  end)

  it("marks circles", function()
    local a, b = circle()
    assert.equal([[
└── (T) a: awaits b
    └── (T) b: awaits a
        └── (T) a (a cycle: see above)]], tree "a")
    local cycles = require("strobe.async.graph").cycles()
    assert.equal(1, #cycles)
    assert.same({ a = true, b = true }, { [cycles[1][1]:get_name()] = true, [cycles[1][2]:get_name()] = true })
    cancel_all(a, b)
  end)

  it("says of a lock that its holder has ended", function()
    local lock = async.Lock()
    named("careless", lock.acquire, lock):await()
    local t = named("waiter", lock.acquire, lock)
    async.sleep(1)
    assert.matches("held by careless, which has ended", tree "waiter", 1, true)
    cancel_all(t)
  end)

  it("tells a thousand tasks, in a chain and side by side", function()
    local all = {}
    local last = async.create_task(async.sleep, 5)
    for i = 1, 1000 do
      all[i] = async.create_task(i % 2 == 0 and async.sleep or last.await, i % 2 == 0 and 5 or last)
      last = i % 2 == 1 and all[i] or last
    end
    async.sleep(1)
    local text = async.format_task_tree()
    local told = select(2, text:gsub("%(T%)", ""))
    assert.equal(#async.all_tasks(), told)
    assert.is_true(#text < 1e6)
    cancel_all(table.unpack(all))
  end)

  it("is printed while tasks come and go", function()
    local texts = {}
    for i = 1, 50 do
      async.create_task(function()
        async.sleep(i % 3)
        texts[#texts + 1] = async.format_task_tree()
        collectgarbage "step"
      end)
    end
    async.sleep(4)
    assert.equal(50, #texts)
  end)
end)
