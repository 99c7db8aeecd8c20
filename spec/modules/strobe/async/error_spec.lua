local async = require "strobe.async"
local raised_by = require("spec.support.errors").raised_by
local report = require "strobe.report"

describe("an error", function()
  -- The failure of a task which runs f.
  local function failure_of(f, ...)
    local t = async.create_task(f, ...)
    t:set_name "worker"
    async.wait { t }
    return t:failure()
  end

  describe("class", function()
    it("makes objects with a message, a name and where they were made", function()
      local e = async.TimeoutError "too late"
      assert.equal("too late", e.message)
      assert.equal("TimeoutError", e.name)
      assert.matches("error_spec.lua:%d+:", e.traceback)
    end)

    it("makes objects whose text is name and message", function()
      assert.equal("TimeoutError: too late", tostring(async.TimeoutError "too late"))
      assert.equal("TimeoutError", tostring(async.TimeoutError()))
      assert.equal("QueueFull: 5", tostring(async.QueueFull(5)))
    end)

    it("has a text of its own", function()
      assert.equal("<class TimeoutError>", tostring(async.TimeoutError))
    end)
  end)

  describe("is", function()
    it("tells an object of the class, or of one derived from it", function()
      local e = async.IncompleteReadError "half"
      assert.is_true(async.is(e, async.IncompleteReadError))
      assert.is_true(async.is(e, async.EOFError))
      assert.is_true(async.is(e, async.Error))
      assert.is_false(async.is(e, async.TimeoutError))
      assert.is_false(async.is(async.EOFError "end", async.IncompleteReadError))
    end)

    it("takes anything that can be raised", function()
      local other = setmetatable({}, { parent = "none" })
      for _, e in ipairs { "text", 5, true, {}, other, print } do
        assert.is_false(async.is(e, async.Error))
      end
      assert.is_false(async.is(nil, async.Error))
    end)
  end)

  it("may be a table whose class is its own parent", function()
    local class = {}
    class.parent = class
    local e = setmetatable({}, class)
    assert.is_false(async.is(e, async.TimeoutError))
    local ended = async.create_task(error, e)
    async.wait { ended }
    assert.equal(e, ended:exception())
  end)

  describe("raised by the core", function()
    it("is of the classes that Lua sees", function()
      local f = async.Future()
      local ok, e = pcall(f.result, f)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.InvalidStateError))
      assert.is_true(async.is(e, async.Error))
      assert.equal("InvalidStateError: Result is not set.", tostring(e))
    end)
  end)

  describe("group", function()
    it("lists its errors in its text, nested ones indented", function()
      local raised = raised_by(function()
        local outer <close> = async.TaskGroup()
        outer:create_task(function()
          local inner <close> = async.TaskGroup()
          inner:create_task(error, "deep", 0)
        end)
      end)
      assert.equal(
        table.concat({
          "ExceptionGroup: unhandled errors in a TaskGroup (1)",
          "  1. ExceptionGroup: unhandled errors in a TaskGroup (1)",
          "       1. deep",
        }, "\n"),
        tostring(raised)
      )
    end)
  end)

  describe("failure", function()
    it("knows the error, the task and where it happened", function()
      local function thrower()
        error "here"
      end
      local failure = failure_of(function()
        async.sleep(1)
        thrower()
      end)
      assert.matches("error_spec.lua:%d+: here$", failure.error)
      assert.equal("worker", failure.task)
      assert.matches("in upvalue 'thrower'", failure.traceback)
      assert.is_nil(failure.origin)
    end)

    it("keeps the error as it was raised, whatever it is", function()
      local e = {}
      assert.equal(e, failure_of(error, e).error)
      assert.equal(7, failure_of(error, 7).error)
      assert.equal("<no error object>", failure_of(error, nil).error)
    end)

    it("of a task that awaits a failed one leads to its origin", function()
      local inner = async.create_task(error, "deep", 0)
      inner:set_name "inner"
      local failure = failure_of(inner.await, inner)
      assert.equal("worker", failure.task)
      assert.equal("inner", failure.origin.task)
      assert.equal("deep", failure.origin.error)
    end)

    it("leads through generators", function()
      local gen = async.generator(function()
        async.sleep(1)
        error("in the generator", 0)
      end)
      local failure = failure_of(function()
        gen():next()
      end)
      assert.equal("in the generator", failure.origin.error)
      assert.matches("error_spec.lua", failure.origin.traceback)
    end)

    it("has no origin when the error was handled and another one raised", function()
      local inner = async.create_task(error, "first", 0)
      local failure = failure_of(function()
        pcall(inner.await, inner)
        error("second", 0)
      end)
      assert.equal("second", failure.error)
      assert.is_nil(failure.origin)
    end)

    it("of a stack overflow is a failure as any other", function()
      local function deeper()
        return 1 + deeper()
      end
      assert.matches("stack overflow", failure_of(deeper).error)
    end)

    it("has the text of the whole chain, the origin first", function()
      local inner = async.create_task(function()
        error("deep", 0)
      end)
      inner:set_name "inner"
      local text = report.failure_text(failure_of(function()
        inner:await()
      end))
      local pattern = "^deep\nin inner:\n%s+%S*error_spec.lua:%d+:.*\nawaited by worker:\n%s+%S*error_spec.lua:%d+:"
      assert.matches(pattern, text)
    end)
  end)
end)
