local async = require "strobe.async"
local report = require "strobe.report"
local reports_of = require("spec.support.reports").of

describe("an error that nobody retrieves", function()
  describe("of a task", function()
    it("is reported once the task is collected, with the whole story", function()
      local reports = reports_of(function()
        local t = async.create_task(function()
          async.sleep(1)
          error("unseen", 0)
        end)
        t:set_name "worker"
        async.sleep(2)
      end)
      assert.equal(1, #reports)
      assert.equal("exception was never retrieved", reports[1].message)
      assert.equal("unseen", reports[1].failure.error)
      local text = "^strobe: exception was never retrieved\nunseen\nin worker:\n%s+%S*error_spec.lua:%d+:"
      assert.matches(text, report.text(reports[1]))
    end)

    it("is not reported while somebody holds the task", function()
      local t
      assert.same({}, reports_of(function()
        t = async.create_task(error, "held", 0)
        async.sleep(1)
      end))
      assert.equal("held", t:exception())
    end)

    it("is not reported after await, result, exception or failure", function()
      for _, look in ipairs { "await", "result", "exception", "failure" } do
        assert.same({}, reports_of(function()
          local t = async.create_task(error, "seen", 0)
          async.sleep(1)
          pcall(t[look], t)
        end))
      end
    end)

    it("is reported although others waited for its end", function()
      local reports = reports_of(function()
        async.wait { async.create_task(error, "unseen", 0) }
      end)
      assert.equal(1, #reports)
    end)

    it("is reported only for the last of a chain of awaits", function()
      local reports = reports_of(function()
        local inner = async.create_task(error, "deep", 0)
        inner:set_name "inner"
        local outer = async.create_task(inner.await, inner)
        outer:set_name "outer"
        async.sleep(1)
      end)
      assert.equal(1, #reports)
      assert.equal("outer", reports[1].failure.task)
      assert.equal("inner", reports[1].failure.origin.task)
    end)

    it("is not reported when the task was cancelled", function()
      assert.same({}, reports_of(function()
        local t = async.create_task(async.sleep, 5)
        async.sleep(1)
        t:cancel()
      end))
    end)
  end)

  describe("of a future", function()
    it("is reported", function()
      local reports = reports_of(function()
        async.Future():set_exception "unseen"
      end)
      assert.equal(1, #reports)
      assert.equal("unseen", reports[1].failure.error)
    end)

    it("is not reported when it was awaited", function()
      assert.same({}, reports_of(function()
        local f = async.Future()
        f:set_exception "seen"
        pcall(f.await, f)
      end))
    end)
  end)

  describe("of a gather", function()
    it("is not reported twice, but the second error is", function()
      local reports = reports_of(function()
        local function fail_after(seconds, e)
          async.sleep(seconds)
          error(e, 0)
        end
        local ok, e = pcall(async.gather, {
          async.create_task(fail_after, 1, "first"),
          async.create_task(fail_after, 2, "second"),
        })
        assert.is_false(ok)
        assert.equal("first", e)
        async.sleep(2)
      end)
      -- As in asyncio: gather looks away from errors that come after the first.
      assert.same({}, reports)
    end)
  end)

  describe("of a task group", function()
    it("is not reported: it is in the group's error", function()
      assert.same({}, reports_of(function()
        local t = async.create_task(function()
          local tg <close> = async.TaskGroup()
          tg:create_task(error, "child", 0)
          async.sleep(1)
          error("block", 0)
        end)
        pcall(t.await, t)
      end))
    end)
  end)

  describe("replaced by the error of a cleanup", function()
    it("is not reported, and the one that replaced it is what is seen", function()
      local t
      assert.same({}, reports_of(function()
        t = async.create_task(function()
          local _ <close> = setmetatable({}, {
            __close = function(_, e)
              async.sleep(1)
              error("cleanup after " .. e, 0)
            end,
          })
          error("body", 0)
        end)
        pcall(t.await, t)
      end))
      assert.equal("cleanup after body", t:exception())
      assert.equal("cleanup after body", t:failure().error)
      assert.matches("error_spec.lua", t:failure().traceback)
    end)
  end)
end)

describe("the error that a <close> handler gets", function()
  it("is the one that was raised, at the top of a task and in a generator", function()
    local e, seen = { "an error" }, {}
    local function fail()
      local _ <close> = setmetatable({}, {
        __close = function(_, raised)
          table.insert(seen, raised)
        end,
      })
      error(e)
    end
    local t = async.create_task(fail)
    pcall(t.await, t)
    pcall(async.generator(fail)().next, async.generator(fail)())
    assert.equal(2, #seen)
    assert.equal(e, seen[1])
    assert.equal(e, seen[2])
  end)

  it("is in the ExceptionGroup of a task group at the top of a task", function()
    local e = { "an error" }
    local t = async.create_task(function()
      local _ <close> = async.TaskGroup()
      error(e)
    end)
    local ok, raised = pcall(t.await, t)
    assert.is_false(ok)
    assert.equal(e, raised.exceptions[1])
  end)

  it("two tasks at the same time do not mix up", function()
    local function slow_cleanup(name, seconds)
      local _ <close> = setmetatable({}, {
        __close = function()
          async.sleep(seconds)
        end,
      })
      error(name, 0)
    end
    local a = async.create_task(slow_cleanup, "a", 2)
    local b = async.create_task(slow_cleanup, "b", 1)
    async.wait { a, b }
    for name, t in pairs { a = a, b = b } do
      assert.equal(name, t:exception())
      assert.equal(name, t:failure().error)
      assert.equal(t:get_name(), t:failure().task)
      assert.matches("error_spec.lua", t:failure().traceback)
    end
  end)
end)
