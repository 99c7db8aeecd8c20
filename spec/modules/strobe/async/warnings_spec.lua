local async = require "strobe.async"
local inspect = require "strobe.core.inspect"
local net = require "strobe.net"
local reports = require "spec.support.reports"
local shell = require "spec.support.shell"
local warnings = require "strobe.async.warnings"

describe("warnings", function()
  -- The messages made while f runs and somebody looks.
  local function messages_of(f)
    local list = {}
    for i, context in ipairs(reports.of(function()
      local stop <close> = setmetatable({}, { __close = warnings.open() }) -- luacheck: ignore
      f()
      collectgarbage()
      collectgarbage()
    end)) do
      list[i] = context.message
    end
    return list
  end

  it("tell of a cancellation that was swallowed", function()
    local list = messages_of(function()
      local t = async.create_task(function()
        pcall(async.sleep, 9)
      end)
      async.sleep(0)
      t:cancel()
      t:await()
    end)
    assert.matches("CancelledError was swallowed", list[1])
  end)

  it("tell of a server and a connection that are collected while they are open", function()
    local list = messages_of(function()
      local server = assert(net.listen("127.0.0.1", 0))
      assert(net.connect("127.0.0.1", server:port()))
      server = nil -- luacheck: ignore
    end)
    table.sort(list)
    assert.same({ "a server was collected while it was open: close it",
      "a socket was collected while it was open: close it" }, list)
  end)

  it("say nothing when nobody looks any more, nor before", function()
    assert.is_false(inspect.warnings())
    messages_of(function()
      assert.is_true(inspect.warnings())
    end)
    assert.is_false(inspect.warnings())
  end)

  describe("of a live process", function()
    local function strobe(code)
      return (shell.lua("local stop = require 'strobe.async.warnings'.open() " .. code, "live"))
    end

    it("tell of a timer that is late, and where somebody waits for it", function()
      local output = strobe [[
        async.create_task(function()
          async.sleep(0.01)
        end)
        async.sleep(0)
        local began = os.clock() while os.clock() - began < 0.09 do end]]
      assert.matches("strobe: warning: a timer is late by %d+ ms, at %(command line%):%d+\n", output)
    end)

    it("tell of a task that gives way again and again", function()
      local output = strobe [[
        local over
        async.create_task(function()
          while not over do async.sleep(0) end
        end):set_name "busy"
        async.sleep(2.5)
        over = true]]
      local text = "strobe: warning: busy gives way %d+ times a second and gets nowhere: .-, at %(command line%):%d+\n"
      assert.matches(text, output)
    end)
  end)
end)
