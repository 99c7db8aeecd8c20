local strobe = require("spec.support.shell").lua

describe("a deadlock", function()
  describe("of the script alone", function()
    it("is reported with what it waits for and where, and ends with status 1", function()
      for _, clock in ipairs { "virtual", "live" } do
        local output, status = strobe("async.Future():await()", clock)
        assert.equal(
          "strobe: every task is blocked for ever:\n  main waits for future at (command line):1\n",
          output
        )
        assert.equal(1, status)
      end
    end)
  end)

  describe("of several tasks", function()
    it("names each of them", function()
      local output, status = strobe [[
        local f = async.Future()
        local a = async.create_task(function() f:await() end)
        a:set_name "a"
        local b = async.create_task(function() a:await() end)
        b:set_name "b"
        async.sleep(1)
        b:await()]]
      assert.matches("every task is blocked for ever:\n", output)
      assert.matches("  main waits for future at %(command line%):7\n", output)
      assert.matches("  a waits for future at %(command line%):2\n", output)
      assert.matches("  b waits for future at %(command line%):4\n", output)
      assert.equal(1, status)
    end)

    it("that await each other in a ring is reported and ends", function()
      local output, status = strobe [[
        local a, b
        a = async.create_task(function() async.sleep(0) b:await() end)
        b = async.create_task(function() a:await() end)
        a:set_name "a"
        b:set_name "b\27"
        a:await()]]
      assert.matches("every task is blocked for ever:\n", output)
      assert.matches("\n  in a circle, each waits for the next: a %-> b\\x1b %-> a\n", output)
      assert.equal(1, status)
    end)

    it("lets them clean up, and they may wait again", function()
      local output, status = strobe [[
        local ok, e = pcall(async.await, async.Future())
        async.sleep(1)
        print(ok, e)]]
      assert.matches("false\tCancelledError: deadlock\n$", output)
      assert.equal(1, status)
    end)
  end)

  describe("of tasks while others go on", function()
    it("is no deadlock", function()
      local output, status = strobe [[
        local f = async.Future()
        local t = async.create_task(function() return f:await() end)
        async.sleep(10)
        f:set_result "woken"
        print(t:await())]]
      assert.equal("woken\n", output)
      assert.equal(0, status)
    end)
  end)

  describe("of a task that waits in a generator", function()
    it("names the line in the generator", function()
      local output = strobe [[
        local gen = async.generator(function(yield)
          async.Future():await()
        end)
        gen():next()]]
      assert.matches("main waits for future at %(command line%):2\n", output)
    end)
  end)
end)
