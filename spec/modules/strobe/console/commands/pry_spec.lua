local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local async = require "strobe.async"
local captured = require "spec.support.captured"
local inspect = require "strobe.core.inspect"
local repl = require "strobe.repl"
local report = require "strobe.report"

local function each(f)
  local attached <close> = Attached.new()
  captured.run(Console.both, attached, f) -- each place is told on stderr
end

-- A task that waits in repl.pry(), and returns what its variables are afterwards.
local function parked(timeout)
  local outer = "outer"
  local task = async.create_task(function()
    local price, list, empty = 5, { 1, 2 }, nil
    do
      local hidden = "gone"
      assert(hidden)
    end
    local released = repl.pry(timeout)
    return { price, list, empty, outer, released }
  end)
  task:set_name "trader"
  async.sleep(0.1)
  return task
end

describe(":pry", function()
  it("shows the variables of a task that waits in repl.pry()", function()
    each(function(console)
      local task = parked()
      local text = console:command ":pry trader"
      assert.matches(("^task %d trader stands at %%S*pry_spec.lua:%%d+\n"):format(inspect.id(task)), text)
      assert.matches("\nNAME +KIND +TYPE +VALUE\n", text)
      assert.matches("\nprice +local +integer +5\nlist +local +table +{1, 2}\nempty +local +nil +nil\n", text)
      assert.matches("\nouter +upvalue +string +\"outer\"\n", text)
      assert.is_nil(text:find "hidden")
      assert.equal(("task %d goes on"):format(inspect.id(task)), console:command ":pry go")
      assert.same({ 5, { 1, 2 }, nil, "outer", true }, task:await())
    end)
  end)

  it("lets them be read and set by name", function()
    each(function(console)
      local task = parked()
      console.peer:call("eval", { code = "mine = 1" })
      console:command(":pry " .. inspect.id(task))
      local function eval(code)
        return assert(console.peer:call("eval", { code = code })).values
      end
      assert.same({ "6", "1", "nil" }, eval "price + 1, mine, empty")
      eval "price = 7 empty = 'full' outer = 'changed' mine = 2 table.insert(list, 3) fresh = 3"
      assert.same({ "7", '"full"', '"changed"' }, eval "price, empty, outer")
      assert.matches("\nprice +integer +7\n.*\nfresh +integer +3\nmine +integer +2$", console:command ":vars")
      console:command ":pry go"
      assert.same({ 7, { 1, 2, 3 }, "full", "changed", true }, task:await())
      assert.same({ "nil", "2", "3", "nil" }, eval "price, mine, fresh, empty")
    end)
  end)

  it("tells which tasks wait, and refuses others", function()
    each(function(console)
      assert.equal("no task waits in repl.pry()", console:command ":pry")
      local task = parked()
      assert.matches("^ *TASK  NAME +AT\n *%d+  trader  %S+pry_spec.lua:%d+$", console:command ":pry")
      assert.matches("^task 99999 does not wait in repl.pry%(%)$", console:refused ":pry 99999")
      assert.matches("^task main does not wait", console:refused ":pry main")
      assert.equal("no task is looked into: pry TASK does that", console:refused ":pry go")
      task:cancel()
      async.wait { task }
      assert.equal("no task waits in repl.pry()", console:command ":pry")
    end)
  end)

  it("is of no use once the task has gone on", function()
    each(function(console)
      local task = parked(5)
      console:command ":pry trader"
      assert.is_false(task:await()[5])
      assert.same({ "nil" }, assert(console.peer:call("eval", { code = "price" })).values)
      assert.equal("no task is looked into: pry TASK does that", console:refused ":pry go")
    end)
  end)
end)

describe("repl.pry", function()
  it("says where it waits", function()
    local told, before = nil, report.get_handler()
    report.set_handler(function(context)
      told = context
    end)
    local task = parked()
    report.set_handler(before)
    task:cancel()
    async.wait { task }
    assert.is_true(task:cancelled())
    assert.matches("trader waits in repl.pry%(%) at %S*pry_spec.lua:%d+: ':pry %d+' at a console", told.message)
    assert.is_true(told.warning)
  end)

  it("names a time-out that is none", function()
    for _, wrong in ipairs { "x", -1, 0 / 0 } do
      assert.error_matches(function()
        repl.pry(wrong)
      end, "repl.pry: timeout: a number of seconds expected")
    end
  end)
end)
