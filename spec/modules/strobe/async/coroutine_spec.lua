local async = require "strobe.async"
local report = require "strobe.report"
local reports_of = require("spec.support.reports").of

describe("a coroutine object", function()
  describe("fn", function()
    it("makes a function whose call does not start its body", function()
      local begun = false
      local job = async.fn(function()
        begun = true
      end)
      local object = job()
      async.sleep(1)
      assert.is_false(begun)
      object:await()
      assert.is_true(begun)
    end)

    it("keeps the arguments until then, nil too", function()
      local job = async.fn(function(...)
        return select("#", ...), ...
      end)
      assert.same({ n = 4, 3, nil, "b", nil }, table.pack(job(nil, "b", nil):await()))
    end)

    it("makes a new object with each call", function()
      local job = async.fn(function(x)
        return x
      end)
      local a, b = job(1), job(2)
      assert.same({ 2, 1 }, { b:await(), a:await() })
    end)

    it("takes a function only", function()
      local ok, message = pcall(async.fn, 5)
      assert.is_false(ok)
      assert.matches("async.fn: a function expected, got number", message)
    end)
  end)

  describe("tostring", function()
    it("names the function", function()
      local lets_wait = async.fn(function() end)
      local object = lets_wait(1)
      assert.matches("^<coroutine object lets_wait at 0x%x+>$", tostring(object))
      object:close()
    end)
  end)

  describe("await", function()
    it("runs in the task that awaits", function()
      local job = async.fn(async.current_task)
      assert.equal(async.current_task(), job():await())
      assert.equal(async.current_task(), async.await(job()))
    end)

    it("returns all results and waits as the body does", function()
      local job = async.fn(function()
        return async.sleep(2, "a", nil, "c")
      end)
      assert.same({ n = 3, "a", nil, "c" }, table.pack(async.await(job())))
      assert.equal(2, async.time())
    end)

    it("raises the error of the body", function()
      local e = { "an error" }
      local ok, raised = pcall(async.await, async.fn(error)(e))
      assert.is_false(ok)
      assert.equal(e, raised)
    end)

    it("is good once", function()
      local once = async.fn(function() end)
      local object = once()
      object:await()
      for _, again in ipairs { object.await, async.await, async.create_task } do
        local ok, message = pcall(again, object)
        assert.is_false(ok)
        assert.matches("cannot reuse already awaited coroutine 'once'", message)
      end
    end)

    it("is not good any more once a task was made of it", function()
      local object = async.fn(function() end)()
      local t = async.create_task(object)
      assert.is_false(pcall(object.await, object))
      t:await()
    end)
  end)

  describe("never awaited", function()
    it("is reported with its name and the line of the call", function()
      local reports = reports_of(function()
        local forgotten = async.fn(function() end)
        forgotten(1)
      end)
      assert.equal(1, #reports)
      assert.equal("coroutine 'forgotten' was never awaited", reports[1].message)
      assert.matches("coroutine_spec.lua:%d+$", reports[1].where)
      assert.is_true(reports[1].warning)
      assert.matches(
        "^strobe: warning: coroutine 'forgotten' was never awaited %(made at .*coroutine_spec.lua:%d+%)$",
        report.text(reports[1])
      )
    end)

    it("is not reported when it was awaited, closed, or made a task", function()
      assert.same({}, reports_of(function()
        local job = async.fn(function() end)
        job():await()
        job():close()
        async.create_task(job()):await()
      end))
    end)

    it("is not reported when its task was cancelled before its start", function()
      assert.same({}, reports_of(function()
        local t = async.create_task(async.fn(function() end)())
        t:cancel()
        pcall(t.await, t)
      end))
    end)
  end)

  describe("await of other awaitables", function()
    it("takes an object with __await, which gets the object", function()
      local object = setmetatable({ answer = 42 }, {
        __await = function(self)
          return async.sleep(1, self.answer, "more")
        end,
      })
      assert.same({ 42, "more" }, { async.await(object) })
      assert.same({ 42 }, { async.gather(object) })
      assert.equal(2, async.time())
    end)

    it("refuses what cannot be awaited, naming its type", function()
      for value, name in pairs { [5] = "number", x = "string", [print] = "function", [true] = "boolean" } do
        local ok, message = pcall(async.await, value)
        assert.is_false(ok)
        assert.matches(name .. " can't be awaited: a coroutine object, Task or Future expected", message)
      end
      assert.is_false(pcall(async.await))
      assert.is_false(pcall(async.await, {}))
    end)
  end)

  describe("is_awaitable", function()
    it("tells awaitables from the rest", function()
      local object = async.fn(function() end)()
      local task = async.create_task(async.sleep, 0)
      for _, awaitable in ipairs { object, task, async.Future(), setmetatable({}, { __await = print }) } do
        assert.is_true(async.is_awaitable(awaitable))
      end
      for _, other in ipairs { 5, "x", {}, print, io.stdout, false } do
        assert.is_false(async.is_awaitable(other))
      end
      assert.is_false(async.is_awaitable(nil))
      object:close()
      task:await()
    end)
  end)
end)
