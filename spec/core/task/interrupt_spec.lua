local shell = require "spec.support.shell"

describe("an interrupt", function()
  -- Runs a line, which can signal itself by `interrupt()`; returns output and status.
  local function strobe(code)
    local prelude = [[
      local uv = require "luv"
      local function interrupt() uv.kill(uv.os_getpid(), "sigint") end
    ]]
    return shell.lua(prelude .. code, "live")
  end

  describe("of a script that waits", function()
    it("cancels it; its cleanup runs and may wait", function()
      local output, status = strobe [[
        local _ <close> = setmetatable({}, { __close = function()
          async.sleep(0.01)
          print "clean"
        end })
        interrupt()
        async.sleep(100)]]
      assert.matches("clean\n", output)
      assert.equal(130, status)
    end)
  end)

  describe("of a script that only lets others run", function()
    it("cancels it", function()
      local output, status = strobe "interrupt() while true do async.sleep(0) end"
      assert.equal("", output)
      assert.equal(130, status)
    end)
  end)

  describe("of a script that does not wait", function()
    for name, loop in pairs {
      ["in the script"] = "interrupt() while true do end",
      ["in a task"] = "async.create_task(function() interrupt() while true do end end):await()",
      ["in a generator"] = "async.generator(function() interrupt() while true do end end)():next()",
      ["in a plain coroutine"] = "coroutine.wrap(function() interrupt() while true do end end)()",
      ["in a coroutine which is resumed again and again"] = [[
        local co = coroutine.wrap(function() while true do coroutine.yield() end end)
        interrupt() while true do co() end]],
    } do
      it("stops a loop " .. name .. " and says where it was", function()
        local output, status = strobe(loop)
        assert.matches("Interrupted: %(command line%):%d+: after running %d+ ms without waiting\n", output)
        assert.equal(130, status)
      end)
    end
  end)

  describe("twice", function()
    it("ends it at once", function()
      local output, status = strobe [[
        local _ <close> = setmetatable({}, { __close = function()
          print "never printed"
        end })
        interrupt()
        interrupt()
        async.sleep(100)]]
      assert.equal("strobe: second signal: ended without cleaning up\n", output)
      assert.equal(130, status)
    end)
  end)
end)
