local DebugClient = require "spec.support.debug_client"
local async = require "strobe.async"
local uv = require "luv"

local COUNT = [[
local async = require "strobe.async"
local function add(total, i)
  local sum = total + i
  return sum
end
local total = 0
for i = 1, 3 do
  total = add(total, i)
  async.sleep(0)
end
return total
]]

-- Stops at the next event; the thread, its innermost frame and the stack.
local function stopped(client, reason)
  local event = client:event "stopped"
  assert.equal(reason, event.reason)
  local frame, stack = client:top(event.threadId)
  return event.threadId, frame, stack
end

local function go_on(client, thread)
  client:breakpoints("main.lua", {})
  client:must("continue", { threadId = thread })
end

describe("a debugged task", function()
  it("stops at a breakpoint while others go on, tells what it sees, and continues", function()
    local client <close> = DebugClient.here { ["count.lua"] = COUNT }
    local set = client:breakpoints("count.lua", { 4 })
    assert.same({ true, 4 }, { set[1].verified, set[1].line })
    client:must "configurationDone"
    local ticks = 0
    local ticker = async.create_task(async.every, 1, function()
      ticks = ticks + 1
    end)
    local task, thread = client:run "count.lua"
    local event = client:event "stopped"
    assert.same({ "breakpoint", thread, false, { set[1].id } },
      { event.reason, event.threadId, event.allThreadsStopped, event.hitBreakpointIds })
    async.sleep(5.5)
    assert.is_true(ticks >= 5)
    assert.is_false(task:done())
    local frame, stack = client:top(thread)
    assert.same({ "add", 4, client.folder.path .. "/count.lua" }, { frame.name, frame.line, frame.source.path })
    assert.same({ "main chunk", 8 }, { stack[2].name, stack[2].line })
    assert.same({ total = "0", i = "1", sum = "1" }, (client:scope(frame, "Locals")))
    client:breakpoints("count.lua", {})
    client:must("continue", { threadId = thread })
    assert.equal(6, task:await())
    ticker:cancel()
    async.wait { ticker }
  end)

  it("stops each time it comes there, and steps in, over and out", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    client:breakpoints("main.lua", { 8 })
    local task = client:run "main.lua"
    local thread, frame = stopped(client, "breakpoint")
    assert.equal(8, frame.line)
    local lines = {}
    for _, kind in ipairs { "stepIn", "next", "stepOut", "next", "next", "continue" } do
      client:must(kind, { threadId = thread })
      local event = client:event "stopped"
      frame = client:top(thread)
      lines[#lines + 1] = ("%s %d %s"):format(kind, frame.line, event.reason)
    end
    assert.same({ "stepIn 3 step", "next 4 step", "stepOut 9 step", "next 7 step", "next 8 breakpoint",
      "continue 8 breakpoint" }, lines)
    go_on(client, thread)
    assert.equal(6, task:await())
  end)

  it("is followed over its waits, whatever others run meanwhile", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local name, seen = ...
for i = 1, 3 do
  seen[#seen + 1] = name .. i
  async.sleep(1)
  local after = i
end
return name]] }
    client:breakpoints("main.lua", { { line = 4, condition = "name == 'a' and i == 1" } })
    local seen = {}
    local first, thread = client:run("main.lua", "a", seen)
    local second = client:run("main.lua", "b", seen)
    assert.equal(thread, (stopped(client, "breakpoint")))
    assert.equal("b", second:await())
    assert.same({ "b1", "b2", "b3" }, seen)
    for _, line in ipairs { 5, 6, 3, 4, 5, 6 } do
      client:must("next", { threadId = thread })
      local by, frame = stopped(client, "step")
      assert.same({ thread, line }, { by, frame.line })
    end
    go_on(client, thread)
    assert.equal("a", first:await())
    assert.is_false(client:has_event "stopped")
  end)

  it("is followed into its generators and out of them", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local numbers = async.generator(function(yield)
  for i = 1, 2 do
    yield(i)
  end
end)
local sum = 0
for i in numbers() do
  sum = sum + i
end
return sum]] }
    client:breakpoints("main.lua", { 4 })
    local task = client:run "main.lua"
    local thread, frame, stack = stopped(client, "breakpoint")
    assert.same({ 4, 8 }, { frame.line, stack[2].line })
    assert.equal("1", client:scope(frame, "Locals").i)
    client:breakpoints("main.lua", {})
    local lines = {}
    for i, kind in ipairs { "next", "next", "stepIn", "next", "stepOut" } do
      client:must(kind, { threadId = thread })
      client:event "stopped"
      lines[i] = client:top(thread).line
    end
    assert.same({ 9, 8, 3, 4, 9 }, lines)
    go_on(client, thread)
    assert.equal(3, task:await())
  end)

  it("stops in a plain coroutine, and in one within another", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local function inner(a)
  local b = coroutine.yield(a + 1)
  return b * 2
end
local outer = coroutine.wrap(function(x)
  local co = coroutine.create(inner)
  local _, y = coroutine.resume(co, x)
  local _, z = coroutine.resume(co, y + 1)
  coroutine.yield(z)
  return "end"
end)
local z = outer(1)
async.sleep(1)
return z, outer()]] }
    client:breakpoints("main.lua", { 3, 4, 10 })
    local task, thread = client:run "main.lua"
    local lines = {}
    for i = 1, 3 do
      local by, frame = stopped(client, "breakpoint")
      assert.equal(thread, by)
      lines[i] = frame.line
      if i == 2 then
        assert.same({ a = "1", b = "3" }, (client:scope(frame, "Locals")))
        assert.equal("99", client:evaluate(frame, "a + 98"))
      end
      async.sleep(3)
      client:must("continue", { threadId = thread })
    end
    assert.same({ 3, 4, 10 }, lines)
    assert.same({ 6, "end" }, { task:await() })
  end)

  it("steps out of a coroutine to who resumed it", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local next_number = coroutine.wrap(function()
  for i = 1, 3 do
    coroutine.yield(i)
  end
end)
local a = next_number()
local b = next_number()
return a + b]] }
    client:breakpoints("main.lua", { 3 })
    local task = client:run "main.lua"
    local thread, frame = stopped(client, "breakpoint")
    assert.equal(3, frame.line)
    client:breakpoints("main.lua", {})
    local lines = {}
    for i, kind in ipairs { "stepOut", "stepIn", "next", "next" } do
      client:must(kind, { threadId = thread })
      lines[i] = select(2, stopped(client, "step")).line
    end
    assert.same({ 7, 2, 3, 8 }, lines)
    client:must("continue", { threadId = thread })
    assert.equal(3, task:await())
  end)

  it("cannot stop in a call from C, which is said once, and the next breakpoint is good", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local list = { 3, 1, 2 }
table.sort(list, function(a, b)
  return a < b
end)
return list]] }
    client:breakpoints("main.lua", { 3, 5 })
    local task = client:run "main.lua"
    local thread, frame = stopped(client, "breakpoint")
    assert.equal(5, frame.line)
    assert.matches("main.lua:3 cannot stop here", client:event("output").output)
    assert.is_false(client:has_event "output")
    client:must("continue", { threadId = thread })
    assert.same({ 1, 2, 3 }, task:await())
  end)

  it("that is cancelled stays stopped, and ends where it waits next", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local seen = ...
seen[1] = "stop"
seen[2] = "on"
async.sleep(1)
seen[3] = "never"]] }
    client:breakpoints("main.lua", { 4 })
    local seen = {}
    local task, thread = client:run("main.lua", seen)
    stopped(client, "breakpoint")
    task:cancel()
    async.sleep(2)
    assert.is_false(task:done())
    client:must("continue", { threadId = thread })
    async.wait { task }
    assert.is_true(task:cancelled())
    assert.same({ "stop", "on" }, seen)
  end)

  it("that is cancelled twice goes on to where it waits next", function()
    local client <close> = DebugClient.here { ["main.lua"] = "local sleep = ...\nsleep(1)" }
    client:breakpoints("main.lua", { 2 })
    local task = client:run("main.lua", async.sleep)
    stopped(client, "breakpoint")
    task:cancel()
    async.sleep(1)
    assert.is_false(task:done())
    task:cancel()
    async.wait { task }
    assert.is_true(task:cancelled())
  end)

  it("can be paused where it waits, and stepped on from there", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local n = 0
while n < 5 do
  async.sleep(1)
  n = n + 1
end
return n]] }
    local task, thread = client:run "main.lua"
    async.sleep(2.5)
    client:must("pause", { threadId = thread })
    local _, frame = stopped(client, "pause")
    assert.equal(4, frame.line)
    assert.same({ n = "2" }, { n = client:scope(frame, "Locals").n })
    async.sleep(10)
    assert.equal("2", client:evaluate(frame, "n"))
    client:must("next", { threadId = thread })
    _, frame = stopped(client, "step")
    assert.equal(5, frame.line)
    assert.same({ nil, "main.lua cannot be paused: it is stopped already, or has ended" },
      { client:request("pause", { threadId = thread }) })
    client:must("continue", { threadId = thread })
    assert.equal(5, task:await())
  end)

  it("is shown with the stack of who awaits it", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local async = require "strobe.async"
local function child()
  async.sleep(1)
  local x = 1
  return x
end
local task = async.create_task(child)
task:set_name "the child"
return task:await()]] }
    client:breakpoints("main.lua", { 5 })
    local task = client:run "main.lua"
    local thread, frame, stack = stopped(client, "breakpoint")
    local names = {}
    for i, each in ipairs(stack) do
      names[i] = ("%s %d %s"):format(each.name, each.line, each.presentationHint or "")
    end
    assert.same({ "child 5 ", "awaited by main.lua 0 label", "main chunk 9 " }, names)
    assert.equal("1", client:scope(frame, "Locals").x)
    assert.matches("<Task the child", client:scope(stack[3], "Locals").task)
    go_on(client, thread)
    assert.equal(1, task:await())
  end)
end)

describe("a breakpoint that is set", function()
  it("goes to the next line with code, or is not verified", function()
    local client <close> = DebugClient.here { ["main.lua"] = "\n\nlocal a = 1\n\n\nreturn a\n", ["bad.lua"] = "x = =" }
    local set = client:breakpoints("main.lua", { 1, 4, 99, { line = 3, condition = "((" } })
    assert.same({ true, 3 }, { set[1].verified, set[1].line })
    assert.same({ true, 6 }, { set[2].verified, set[2].line })
    assert.same({ false, "there is no code from this line on" }, { set[3].verified, set[3].message })
    assert.is_false(set[4].verified)
    assert.matches("unexpected symbol", client:breakpoints("bad.lua", { 1 })[1].message)
    assert.matches("No such file", client:breakpoints("none.lua", { 1 })[1].message)
    assert.same({ { line = 3 }, { line = 6 } }, client:must("breakpointLocations", {
      source = { path = client.folder.path .. "/main.lua" }, line = 1, endLine = 10,
    }).breakpoints)
  end)

  it("with a text writes that in passing", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    client:breakpoints("main.lua", { { line = 4, logMessage = "sum is {sum}", condition = "i > 1" } })
    assert.equal(6, client:run("main.lua"):await())
    assert.equal("sum is 3\n", client:event("output").output)
    assert.equal("sum is 6\n", client:event("output").output)
    assert.is_false(client:has_event "stopped")
  end)

  it("with a condition that does not end is passed, which is said", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    client:breakpoints("main.lua", { { line = 4, condition = "(function() while true do end end)()" } })
    assert.equal(6, client:run("main.lua"):await())
    assert.matches("it runs for too long", client:event("output").output)
  end)

  it("on a function stops in it, also in code that runs later", function()
    local client <close> = DebugClient.here { ["main.lua"] = (COUNT:gsub("add", "plus")) }
    local set = client:must("setFunctionBreakpoints", { breakpoints = { { name = "plus", condition = "i == 2" } } })
    assert.is_false(set.breakpoints[1].verified)
    local task, thread = client:run "main.lua"
    local _, frame = stopped(client, "function breakpoint")
    assert.same({ "plus", 3 }, { frame.name, frame.line })
    local changed = client:event("breakpoint").breakpoint
    assert.same({ true, 3, set.breakpoints[1].id }, { changed.verified, changed.line, changed.id })
    client:must("setFunctionBreakpoints", { breakpoints = {} })
    client:must("continue", { threadId = thread })
    assert.equal(6, task:await())
    assert.is_false(client:has_event "stopped")
  end)

  it("costs tasks nothing that do not come to its file", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT, ["other.lua"] = [[
local async = require "strobe.async"
async.sleep(1)
return select(2, debug.gethook())]] }
    client:breakpoints("main.lua", { { line = 4, condition = "false" } })
    local other = client:run "other.lua"
    client:run("main.lua"):await()
    assert.equal("c", other:await())
    client:breakpoints("main.lua", {})
    assert.equal("", client:run("other.lua"):await() or "")
  end)
end)

describe("what a stopped task sees", function()
  local LOCALS = [[
local up = 10
local t = { 1, 2, name = "n" }
local function f(a, ...)
  local b = a + up
  local c = b
  return b, c, t, ...
end
return f(1, "x", "y")]]

  it("are its variables, the newest and the further arguments too, and they can be set", function()
    local client <close> = DebugClient.here { ["main.lua"] = LOCALS }
    client:breakpoints("main.lua", { 6 })
    local task, thread = client:run "main.lua"
    local _, frame = stopped(client, "breakpoint")
    local locals, number = client:scope(frame, "Locals")
    assert.same({ a = "1", b = "11", c = "11", ["...[1]"] = '"x"', ["...[2]"] = '"y"' }, locals)
    assert.equal("42", client:must("setVariable", { variablesReference = number, name = "c", value = "41 + 1" }).value)
    client:must("setVariable", { variablesReference = number, name = "...[1]", value = "up" })
    local upvalues, of = client:scope(frame, "Upvalues")
    assert.equal("10", upvalues.up)
    client:must("setVariable", { variablesReference = of, name = "up", value = "'new'" })
    assert.same({ nil, "there is no variable d" },
      { client:request("setVariable", { variablesReference = number, name = "d", value = "1" }) })
    client:must("continue", { threadId = thread })
    local b, c, t, x, y = task:await()
    assert.same({ 11, 42, { 1, 2, name = "n" }, 10, "y" }, { b, c, t, x, y })
  end)

  it("can be computed with, set by it, and waited for", function()
    local client <close> = DebugClient.here { ["main.lua"] = LOCALS }
    client:breakpoints("main.lua", { 6 })
    local task, thread = client:run "main.lua"
    local _, frame = stopped(client, "breakpoint")
    assert.equal("12, \"n\"", client:evaluate(frame, "a + b, t.name"))
    assert.equal("", client:evaluate(frame, "b = 5"))
    assert.equal("5", client:evaluate(frame, "b"))
    assert.equal('"waited"', client:evaluate(frame, "require('strobe.async').sleep(3, 'waited')"))
    assert.matches("attempt to index a number value", select(2, client:evaluate(frame, "a.b.c")))
    assert.matches("unexpected symbol", select(2, client:evaluate(frame, "= =")))
    assert.matches("after running", select(2, client:evaluate(frame, "(function() while true do end end)()")))
    assert.matches("more than 10 s", select(2, client:evaluate(frame, "require('strobe.async').sleep(99)")))
    assert.equal(tostring(math.pi):sub(1, 5), client:evaluate(nil, "math.pi"):sub(1, 5))
    client:must("continue", { threadId = thread })
    assert.equal(5, (task:await()))
  end)

  it("comes in pages, tables by their list part and their keys", function()
    local client <close> = DebugClient.here { ["main.lua"] = [[
local big = setmetatable({}, { __index = function() error "raw" end })
for i = 1, 3000 do big[i] = i * 2 end
for _, key in ipairs { "b", "a", "x y" } do big[key] = key end
big[2.5] = { inner = true }
return big]] }
    client:breakpoints("main.lua", { 5 })
    client:run "main.lua"
    local _, frame = stopped(client, "breakpoint")
    local told = client:must("evaluate", { frameId = frame.id, expression = "big" })
    assert.same({ 3000, 5 }, { told.indexedVariables, told.namedVariables })
    local number = told.variablesReference
    local page = client:must("variables", {
      variablesReference = number, filter = "indexed", start = 2990, count = 100,
    })
    assert.equal(10, #page.variables)
    assert.same({ "[2991]", "5982", "big[2991]" },
      { page.variables[1].name, page.variables[1].value, page.variables[1].evaluateName })
    assert.equal(1000, #client:must("variables", { variablesReference = number, filter = "indexed" }).variables)
    local names = {}
    for i, variable in ipairs(client:must("variables", { variablesReference = number, filter = "named" }).variables) do
      names[i] = variable.name
    end
    assert.same({ "[2.5]", "a", "b", '["x y"]', "[metatable]" }, names)
    client:must("setVariable", { variablesReference = number, name = '["x y"]', value = "#big" })
    assert.equal("3000", client:evaluate(frame, "big['x y']"))
  end)

  it("is not there any more when it goes on", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    client:breakpoints("main.lua", { 4 })
    local _, thread = client:run "main.lua"
    local _, frame = stopped(client, "breakpoint")
    local _, number = client:scope(frame, "Locals")
    client:must("continue", { threadId = thread })
    stopped(client, "breakpoint")
    assert.matches("there is no such frame any more", select(2, client:request("scopes", { frameId = frame.id })))
    assert.matches("not there any more", select(2, client:request("variables", { variablesReference = number })))
  end)
end)

describe("a debug session", function()
  it("that ends takes all breakpoints away and lets all go on", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    client:breakpoints("main.lua", { 4 })
    local first, second = client:run "main.lua", client:run "main.lua"
    stopped(client, "breakpoint")
    stopped(client, "breakpoint")
    client:must("disconnect", { terminateDebuggee = false })
    assert.same({ 6, 6 }, { first:await(), second:await() })
    client.session:close()
    local again <close> = DebugClient.here { ["main.lua"] = COUNT }
    assert.equal(6, again:run("main.lua"):await())
  end)

  it("is the only one of its process", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    local sessions, answers = require "strobe.debug.session", {}
    local other <close> = sessions.new {
      send = function(message)
        answers[#answers + 1] = message
      end,
    }
    other:receive { type = "request", seq = 1, command = "initialize" }
    assert.same({ false, "another debugger is at work in this process" }, { answers[1].success, answers[1].message })
    assert.truthy(client:must "threads")
  end)

  it("refuses what makes no sense, and goes on", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    for command, arguments in pairs {
      nonsense = {}, stackTrace = { threadId = "x" }, scopes = { frameId = 1e300 }, variables = {}, evaluate = {},
      setBreakpoints = { source = { path = 7 } }, setVariable = { variablesReference = 0 }, continue = {},
      next = { threadId = 0 }, pause = { threadId = -1 }, source = { sourceReference = 99 }, exceptionInfo = {},
      setFunctionBreakpoints = { breakpoints = { {} } }, breakpointLocations = {},
    } do
      local body, message = client:request(command, arguments)
      assert.is_nil(body, command)
      assert.is_string(message)
    end
    local source = { path = client.folder.path .. "/main.lua" }
    for _, key in ipairs { "condition", "hitCondition", "logMessage" } do
      local wrong = { source = source, breakpoints = { { line = 4, [key] = {} } } }
      assert.same({ nil, key .. ": a string expected" }, { client:request("setBreakpoints", wrong) })
    end
    assert.equal("1", client:must("evaluate", { expression = "1", context = true }).result)
    for _, strange in ipairs { {}, { type = "request" }, { type = "event", command = "next" },
      { type = "request", command = "next", arguments = 7 } } do
      client.session:receive(strange)
    end
    assert.same({ nil, "main.lua is not stopped" },
      { client:request("continue", { threadId = select(2, client:run "main.lua") }) })
  end)

  it("counts lines and writes files as its client does", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    client:must("initialize", { linesStartAt1 = false, columnsStartAt1 = false, pathFormat = "uri" })
    local uri = "file://" .. client.folder.path .. "/main.lua"
    local source = { path = uri }
    local set = client:must("setBreakpoints", { source = source, breakpoints = { { line = 3 } } }).breakpoints
    assert.same({ true, 3, uri }, { set[1].verified, set[1].line, set[1].source.path })
    assert.same({ { line = 2 }, { line = 3 } }, client:must("breakpointLocations", {
      source = source, line = 1, endLine = 3,
    }).breakpoints)
    local _, thread = client:run "main.lua"
    local _, frame = stopped(client, "breakpoint")
    assert.same({ "add", 3, 0, uri }, { frame.name, frame.line, frame.column, frame.source.path })
    assert.equal(uri, client:must("loadedSources").sources[1].path)
    assert.equal(COUNT, client:must("source", { source = source }).content)
    client:must("setBreakpoints", { source = source, lines = { -1e15 // 1 | 0, 2 } })
    client:must("continue", { threadId = thread })
    _, frame = stopped(client, "breakpoint")
    assert.equal(2, frame.line)
  end)

  it("shows files under the names that its client has for them", function()
    local client <close> = DebugClient.here { ["real/main.lua"] = COUNT }
    assert(uv.fs_symlink(client.folder.path .. "/real", client.folder.path .. "/link"))
    client:breakpoints("link/main.lua", { 4 })
    client:run "real/main.lua"
    local _, frame = stopped(client, "breakpoint")
    assert.equal(client.folder.path .. "/link/main.lua", frame.source.path)
  end)

  it("verifies no breakpoint in what is no file", function()
    local client <close> = DebugClient.here {}
    local set = client:must("setBreakpoints", { source = { sourceReference = 1 }, breakpoints = { { line = 1 } } })
    assert.same({ false, "only code of a file can stop" }, { set.breakpoints[1].verified, set.breakpoints[1].message })
  end)

  it("tells sources by path and by number", function()
    local client <close> = DebugClient.here { ["main.lua"] = COUNT }
    local path = client.folder.path .. "/main.lua"
    assert.equal(COUNT, client:must("source", { source = { path = path } }).content)
    client:breakpoints("main.lua", { 4 })
    assert.equal(path, client:must("loadedSources").sources[1].path)
  end)
end)
