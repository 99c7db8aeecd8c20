local Folder = require "spec.support.folder"
local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local debugger = require "strobe.core.debugger"
local handle = require "strobe.core.handle"

-- Opens the debugger, with breakpoints at lines of a file; what it is asked goes to `stop`.
local function opened(lines, stop, more)
  local handlers = { failing = function() end, stop = stop }
  function handlers.resolve(source)
    return source:find "debugged%.lua$" and 1 or nil
  end
  for key, value in pairs(more or {}) do
    handlers[key] = value
  end
  assert(debugger.open(handlers))
  debugger.set_lines(1, lines)
  return cleanup(debugger.close)
end

-- A function of a file called debugged.lua.
local function compiled(text)
  return assert(load(text, "@/somewhere/debugged.lua"))
end

local FIVE = [[
local async = require "strobe.async"
local a = 1
local b = a + 1
async.sleep(1)
return a + b]]

describe("the hook of the debugger", function()
  it("asks for each line that is marked, with the task, its thread and where it is", function()
    local asked = {}
    local task
    local _ <close> = opened({ 3, 5 }, function(by, thread, file, line, breakpoint, step, can_stop)
      assert.equal(task, by)
      asked[#asked + 1] = { file, line, breakpoint, step, can_stop, (debug.getlocal(thread, 0, 2)) }
      return false
    end)
    task = async.create_task(compiled(FIVE))
    assert.equal(3, task:await())
    assert.same({ { 1, 3, true, false, true, "a" }, { 1, 5, true, false, true, "a" } }, asked)
  end)

  it("parks a task that is to stop, until it is let go", function()
    local _ <close> = opened({ 3 }, function()
      return true
    end)
    local task = async.create_task(compiled(FIVE))
    async.sleep(10)
    assert.is_true((debugger.stopped(task)))
    assert.equal("debugger", task:state())
    assert.is_true(debugger.go(task))
    assert.is_false(debugger.go(task))
    assert.equal("ready", task:state())
    assert.equal(3, task:await())
    assert.is_false(debugger.stopped(task))
    assert.is_false(debugger.go(task))
  end)

  it("may be asked where nothing can stop: in a callback, in a call from C", function()
    local could, ran = {}, false
    local _ <close> = opened({ 2 }, function(task, _, _, _, _, _, can_stop)
      could[#could + 1] = ("%s %s"):format(task ~= nil, can_stop)
      return true
    end)
    local f = compiled "return function()\n  return true\nend"()
    handle.call_soon(function()
      ran = f()
    end)
    async.sleep(1)
    assert.is_true(ran)
    assert.equal("x", async.create_task(function()
      return (("x"):gsub(".", function()
        return f() and "x"
      end))
    end):await())
    assert.same({ "false false", "true false" }, could)
  end)

  it("lets what goes wrong in a handler stop nothing", function()
    local child = require("spec.support.child").spawn(require("strobe.core.host").program, { "-e", [[
      local async, debugger = require "strobe.async", require "strobe.core.debugger"
      debugger.open {
        resolve = function(source) return source:find "debugged" and 1 end,
        failing = function() end,
        stop = function() error "handler" end,
      }
      debugger.set_lines(1, { 2 })
      print(async.create_task(assert(load("\nreturn 'ran'", "@debugged"))):await())]] })
    local _ <close> = child
    assert.equal(0, child:wait())
    assert.equal("ran\n", child.output.stdout)
    assert.matches("strobe: the debugger failed: .*handler", child.output.stderr)
  end)

  it("cannot be closed by a handler", function()
    local message
    local _ <close> = opened({ 2 }, function()
      message = select(2, pcall(debugger.close))
      return false
    end)
    async.create_task(compiled "\nreturn 1"):await()
    assert.equal("the debugger cannot be closed by what it asks", message)
  end)

  it("goes when the breakpoints go, and when the debugger is closed", function()
    local hooks = {}
    local function look()
      hooks[#hooks + 1] = debug.gethook() and select(2, debug.gethook()) or "none"
    end
    local f = compiled "local look, sleep = ...\nlook()\nsleep(1)\nlook()\nsleep(1)\nlook()"
    local closing = opened({ 9 }, error)
    local task = async.create_task(f, look, async.sleep)
    async.sleep(0.5)
    debugger.set_lines(1, {})
    async.sleep(1)
    getmetatable(closing).__close()
    task:await()
    assert.same({ "cl", "none", "none" }, hooks)
  end)
end)

describe("the debugger", function()
  it("is open once", function()
    local _ <close> = opened({}, error)
    assert.is_false(debugger.open {})
  end)

  it("lets all go on when it is closed, a failed one too", function()
    local closing = opened({ 3 }, function()
      return true
    end, {
      failing = function()
        return true
      end,
    })
    local stopped = async.create_task(compiled(FIVE))
    local failed = async.create_task(compiled "error 'x'")
    async.sleep(1)
    assert.is_true((debugger.stopped(stopped)))
    assert.is_true((debugger.stopped(failed)))
    getmetatable(closing).__close()
    debugger.close()
    assert.equal(3, stopped:await())
    async.wait { failed }
    assert.matches("x$", failed:exception())
    assert.has_error(function()
      debugger.set_lines(1, {})
    end, "no debugger is open")
  end)

  it("shows each error that leaves a task or a generator, with its stack, and no other", function()
    local seen = {}
    local _ <close> = opened({}, error, {
      failing = function(task, thread, e)
        seen[#seen + 1] = { task:get_name(), e, debug.getinfo(thread, 2, "l").currentline }
        return false
      end,
    })
    local task = async.create_task(compiled [[
pcall(error, "caught")
local g = require("strobe.async").generator(function(yield)
  yield(1)
  error("left", 0)
end)
for _ in g() do
end]])
    task:set_name "t"
    async.wait { task }
    assert.equal("left", task:exception())
    assert.same({ { "t", "left", 4 } }, { seen[1] })
  end)

  it("tells once that tasks are made or end, to who expects it", function()
    local changes = 0
    local _ <close> = opened({}, error, {
      changed = function()
        changes = changes + 1
      end,
    })
    async.create_task(async.sleep, 1):await()
    assert.equal(0, changes)
    debugger.expect()
    local task = async.create_task(async.sleep, 1)
    async.create_task(async.sleep, 1)
    assert.equal(1, changes)
    debugger.expect()
    task:await()
    async.sleep(1)
    assert.equal(2, changes)
  end)

  it("takes marks that make no sense for none", function()
    local _ <close> = opened({ 0, -1, 1 << 40, 2.5, "x", 2 }, function()
      return false
    end)
    assert.has_error(function()
      debugger.set_lines(0, {})
    end)
    assert.has_error(function()
      debugger.set_lines(1e9 // 1 | 0, {})
    end)
    assert.equal(3, async.create_task(compiled(FIVE)):await())
  end)

  it("steps a task that waits, and forgets it when it ends", function()
    local lines = {}
    local _ <close> = opened({ 3 }, function(_, _, _, line)
      lines[#lines + 1] = line
      return true
    end)
    local task = async.create_task(compiled(FIVE))
    async.sleep(1)
    debugger.step(task, "over")
    debugger.go(task)
    async.sleep(1)
    debugger.step(task, "out")
    debugger.go(task)
    assert.equal(3, task:await())
    debugger.step(task, "in")
    assert.same({ 3, 4 }, lines)
  end)

  it("leaves a hook of the program's own alone", function()
    local _ <close> = opened({ 2 }, function()
      return true
    end)
    local f = compiled "\nreturn 1"
    local count = 0
    local task = async.create_task(function()
      debug.sethook(function()
        count = count + 1
      end, "l")
      local result = f()
      async.sleep(1)
      debug.sethook()
      return result
    end)
    assert.equal(1, task:await())
    assert.is_true(count > 0)
  end)

  it("is closed by the collector with its state, stopped tasks and all", function()
    local folder <close> = Folder.new { ["debugged.lua"] = FIVE }
    local child = require("spec.support.child").spawn(require("strobe.core.host").program, { "-e", [[
      local async, debugger = require "strobe.async", require "strobe.core.debugger"
      debugger.open { resolve = function(source) return source:find "debugged" and 1 end,
        failing = function() end, stop = function() return true end }
      debugger.set_lines(1, { 3 })
      local task = async.create_task(assert(loadfile(arg[1])))
      async.sleep(0.01)
      collectgarbage()
      print((debugger.stopped(task)))
      os.exit(3)]], folder.path .. "/debugged.lua" })
    local _ <close> = child
    assert.equal(3, child:wait())
    assert.equal("true\n", child.output.stdout)
  end)
end)
