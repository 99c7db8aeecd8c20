local async = require "strobe.async"
local reports_of = require("spec.support.reports").of
local strobe = require("spec.support.shell").lua

describe("run", function()
  describe("from a script", function()
    it("runs a function with its arguments and returns its results", function()
      assert.same({ n = 3, "a", nil, "c" }, table.pack(async.run(function(...)
        async.sleep(2)
        return ...
      end, "a", nil, "c")))
      assert.equal(2, async.time())
    end)

    it("runs a coroutine object", function()
      assert.equal(3, async.run(async.fn(function(a, b)
        return a + b
      end)(1, 2)))
    end)

    it("raises the error of main", function()
      local e = { "an error" }
      local ok, raised = pcall(async.run, error, e)
      assert.is_false(ok)
      assert.equal(e, raised)
    end)

    it("runs main in a task of its own", function()
      assert.not_equal(async.current_task(), async.run(async.current_task))
    end)

    it("may be called again", function()
      assert.equal(1, async.run(async.sleep, 0, 1))
      assert.equal(2, async.run(async.sleep, 0, 2))
    end)

    it("cancels the tasks that main left, and waits for their cleanup", function()
      local log = {}
      async.run(function()
        async.create_task(function()
          local ok = pcall(async.sleep, 100)
          async.sleep(2)
          table.insert(log, ok)
        end)
        async.sleep(1)
      end)
      assert.same({ false }, log)
      assert.equal(3, async.time())
    end)

    it("cancels them when main fails as well", function()
      local left
      pcall(async.run, function()
        left = async.create_task(async.sleep, 100)
        async.sleep(1)
        error "main"
      end)
      assert.is_true(left:cancelled())
    end)

    it("leaves tasks alone that were there before", function()
      local before = async.create_task(async.sleep, 5)
      async.run(async.sleep, 1)
      assert.is_false(before:done())
      before:await()
    end)

    it("reports the error of a task it cancels", function()
      local reports = reports_of(function()
        async.run(function()
          async.create_task(function()
            pcall(async.sleep, 100)
            error("broken cleanup", 0)
          end)
          async.sleep(1)
        end)
      end)
      assert.equal(1, #reports)
      assert.equal("error while ending", reports[1].message)
      assert.equal("broken cleanup", reports[1].failure.error)
    end)
  end)

  describe("inside a running task", function()
    it("is refused", function()
      local t = async.create_task(async.run, async.sleep, 1)
      local ok, message = pcall(t.await, t)
      assert.is_false(ok)
      assert.matches("async.run%(%) cannot be called from a running task", message)
    end)

    it("is refused in main itself", function()
      local ok, message = pcall(async.run, function()
        async.run(async.sleep, 1)
      end)
      assert.is_false(ok)
      assert.matches("async.run%(%) cannot be called from a running task", message)
    end)
  end)

  describe("arguments", function()
    it("are a function or a coroutine object, and wrong ones do no harm", function()
      local task = async.create_task(async.sleep, 0)
      for _, wrong in ipairs { 5, task, {} } do
        local ok, message = pcall(async.run, wrong)
        assert.is_false(ok)
        assert.matches("async.run: a function or coroutine object expected", message)
      end
      assert.equal("fine", async.run(async.sleep, 0, "fine"))
      task:await()
    end)
  end)

  describe("a whole script", function()
    it("ends with status 0", function()
      local output, status = strobe [[
        async.run(function() async.sleep(3600) print "an hour later" end)]]
      assert.equal("an hour later\n", output)
      assert.equal(0, status)
    end)

    it("may wait at its top level, without run", function()
      local output = strobe [[
        async.sleep(2)
        print(async.time())]]
      assert.equal("2.0\n", output)
    end)

    it("ends with status 1 and the error when main fails", function()
      local output, status = strobe [[
        async.run(function() async.sleep(1) error "no good" end)]]
      assert.matches("no good", output)
      assert.equal(1, status)
    end)

    it("shows where an error happened and who awaited it", function()
      local output = strobe [[
        local inner = async.create_task(function() async.sleep(1) error "deep" end)
        inner:set_name "inner"
        local outer = async.create_task(function() inner:await() end)
        outer:set_name "outer"
        outer:await()]]
      assert.matches("strobe: %(command line%):1: deep\nin inner:.*awaited by outer:.*awaited by main:", output)
    end)

    it("cancels the tasks which it left and lets them clean up", function()
      local output, status = strobe [[
        async.create_task(function()
          local ok, e = pcall(async.sleep, 100)
          async.sleep(1)
          print(ok, e)
        end)
        async.sleep(1)
        print "end of script"]]
      assert.equal("end of script\nfalse\tCancelledError\n", output)
      assert.equal(0, status)
    end)

    it("ends with status 1 when it is cancelled", function()
      local output, status = strobe [[
        async.current_task():cancel()
        async.sleep(1)]]
      assert.equal("strobe: the script was cancelled\n", output)
      assert.equal(1, status)
    end)

    it("goes on when a task fails, and reports what nobody awaited", function()
      local output, status = strobe [[
        async.create_task(function() error "nobody looks" end)
        async.sleep(1)
        collectgarbage() collectgarbage()
        print "still here"]]
      assert.matches("exception was never retrieved\n.*nobody looks\n", output)
      assert.matches("still here\n$", output)
      assert.equal(0, status)
    end)
  end)
end)
