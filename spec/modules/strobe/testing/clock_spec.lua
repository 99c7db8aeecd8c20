local async = require "strobe.async"
local errors = require "spec.support.errors"
local net = require "strobe.net"
local shell = require "spec.support.shell"
local testing = require "strobe.testing"

local clock = testing.clock

-- Notes the times at which something happens.
local function at_times(...)
  local log = {}
  for _, seconds in ipairs { ... } do
    async.create_task(function()
      async.sleep(seconds)
      log[#log + 1] = async.time()
    end)
  end
  return log
end

describe("testing.clock", function()
  describe("advance", function()
    it("runs what is due on the way, in order, and returns at the end", function()
      local log = at_times(3, 1, 2, 5)
      clock.advance(3)
      assert.same({ 1, 2, 3 }, log)
      assert.equal(3, clock.now())
      clock.advance(2)
      assert.same({ 1, 2, 3, 5 }, log)
    end)

    it("runs all that becomes due by what it runs", function()
      local count = 0
      local task = async.create_task(function()
        while true do
          async.sleep(0.5)
          count = count + 1
          async.sleep(0)
        end
      end)
      clock.advance(2)
      assert.equal(4, count)
      task:cancel()
    end)

    it("of nothing lets what is ready run", function()
      local log = {}
      async.create_task(function()
        for i = 1, 3 do
          log[i] = i
          async.sleep(0)
        end
      end)
      clock.advance(0)
      assert.same({ 1, 2, 3 }, log)
      assert.equal(0, clock.now())
    end)

    it("may be longer than an `it` has time", function()
      local log = at_times(86400)
      clock.advance(86400)
      assert.same({ 86400 }, log)
    end)

    it("stops where the task is cancelled", function()
      local task = async.create_task(clock.advance, 1)
      task:cancel()
      assert.is_false((pcall(task.await, task)))
      assert.equal(0, clock.now())
    end)

    it("takes a number of seconds", function()
      for _, wrong in ipairs { -1, "long", 0 / 0, math.huge } do
        assert.matches("^testing.clock.advance: a number of seconds, 0 or more, expected, got ",
          errors.raised_by(clock.advance, wrong))
      end
    end)
  end)

  describe("run_until_idle", function()
    it("waits until every task is blocked, and moves no time", function()
      local log = at_times(0.001)
      local left, right = net.pipe()
      local seen
      async.create_task(function()
        seen = right:read()
        right:close()
      end)
      left:write "x"
      clock.run_until_idle()
      assert.equal("x", seen)
      assert.same({}, log)
      assert.equal(0, clock.now())
      left:close()
      async.sleep(1)
    end)

    it("wakes all who wait for it", function()
      local count = 0
      for _ = 1, 3 do
        async.create_task(function()
          clock.run_until_idle()
          count = count + 1
        end)
      end
      clock.run_until_idle()
      async.sleep(0)
      assert.equal(3, count)
    end)

    it("waits for what comes from the network", function()
      local server <close> = assert(net.listen(nil, 0))
      local client <close> = assert(net.connect("127.0.0.1", server:port()))
      local conn <close> = server:accept_one()
      local seen
      local reader = async.create_task(function()
        seen = conn:read()
      end)
      client:write "x"
      clock.run_until_idle()
      assert.equal("x", seen)
      reader:await()
    end)
  end)

  describe("manual", function()
    it("keeps time from moving by itself", function()
      local log = at_times(1)
      do
        local manual <close> = clock.manual() -- luacheck: ignore
        clock.run_until_idle()
        clock.advance(0.5)
        assert.same({}, log)
        clock.advance(0.5)
        assert.same({ 1 }, log)
      end
      async.sleep(1)
      assert.equal(2, clock.now())
    end)

    it("cancels who has asked for it when every task waits, and says why", function()
      local manual <close> = clock.manual()
      local e = errors.raised(async.CancelledError, async.sleep, 1)
      assert.equal("testing.clock is manual, and every task waits: only testing.clock.advance moves it", e.message)
      manual:close()
      manual:close()
      async.current_task():uncancel()
      async.sleep(1)
    end)

    it("does so with a server open as well", function()
      local server <close> = assert(net.listen(nil, 0)) -- luacheck: ignore
      local manual <close> = clock.manual() -- luacheck: ignore
      errors.raised(async.CancelledError, async.sleep, 1)
      async.current_task():uncancel()
    end)

    it("may be called within another one", function()
      local outer <close> = clock.manual() -- luacheck: ignore
      clock.manual():close()
      local log = at_times(1)
      clock.run_until_idle()
      assert.same({}, log)
      clock.advance(1)
      assert.same({ 1 }, log)
    end)
  end)

  describe("outside of `strobe test`", function()
    local script = [[
      local clock = require("strobe.testing").clock
      async.create_task(function() async.sleep(3) print("woken at " .. clock.now()) end)
      clock.advance(5)
      print(clock.now())]]

    it("moves a virtual clock", function()
      assert.same({ "woken at 3.0\n5.0\n", 0 }, { shell.lua(script) })
    end)

    it("says that no other one can be moved", function()
      local output, status = shell.lua(script, "live")
      assert.matches("%(command line%):3: testing.clock.advance: the clock is live: only a virtual one can be moved "
        .. "%(`strobe test` has it, and `strobe %-%-clock=virtual FILE`%)", output)
      assert.equal(1, status)
      for _, call in ipairs { "run_until_idle", "manual" } do
        output = shell.lua(('require("strobe.testing").clock.%s()'):format(call), "x10")
        assert.matches("testing.clock." .. call .. ": the clock is scaled", output)
      end
    end)
  end)
end)
