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

  local function named(name, ...)
    local t = async.create_task(...)
    t:set_name(name)
    return t
  end

  for name, wait in pairs { directly = function(t) t:await() end, ["among others"] = async.gather } do
    it("tell of tasks that wait for each other " .. name, function()
      local list = messages_of(function()
        local alice, bob, carol
        alice = named("alice", function() wait(bob) end)
        bob = named("bob", function() carol:await() end)
        carol = named("carol", function() async.sleep(0) wait(alice) end)
        async.sleep(1)
        alice:cancel()
        async.wait { alice, bob, carol }
      end)
      assert.same({ "carol awaits alice, which waits for it: they wait for each other for ever" }, list)
    end)
  end

  it("tell of a child of a group that waits for its parent", function()
    local list = messages_of(function()
      local parent
      parent = named("parent", function()
        local group <close> = async.TaskGroup()
        group:create_task(function()
          async.wait({ parent }, { timeout = 1 })
        end):set_name "child"
      end)
      parent:await()
    end)
    assert.same({ "child awaits parent, which waits for it: they wait for each other for ever" }, list)
  end)

  it("say nothing of tasks that wait for the first of several, as one of these may end", function()
    local list = messages_of(function()
      local first
      local parent = async.create_task(function()
        async.wait({ first, async.create_task(async.sleep, 1) }, { return_when = "FIRST_COMPLETED" })
      end)
      first = async.create_task(function()
        parent:await()
      end)
      first:await()
    end)
    assert.same({}, list)
  end)

  describe("of a live process", function()
    -- What a program says, that does something twice while somebody looks.
    local function twice(code)
      return (shell.lua([[
        local stop = require "strobe.async.warnings".open()
        local function spin(seconds)
          local began = os.clock()
          while os.clock() - began < seconds do end
        end
        for i = 1, 2 do
          ]] .. code .. [[

          collectgarbage() collectgarbage() -- finalizers make garbage, too
        end
        stop()]], "live"))
    end

    -- Each begins its warning, at its place.
    for name, story in pairs {
      ["a step that is too long"] = {
        "slow ran [%d.]+ s without waiting, until %(command line%):%d+", [[
          async.create_task(function()
            spin(0.15)
            async.sleep(0)
          end):set_name "slow"
          async.sleep(0) async.sleep(0)]],
      },
      ["the last step of a task, when that is too long"] = {
        "short ran [%d.]+ s without waiting", [[
          async.create_task(spin, 0.15):set_name "short"
          async.sleep(0)]],
      },
      ["a cancellation that is swallowed"] = {
        "deaf was cancelled, and returned as if it was not: CancelledError was swallowed", [[
          local t = async.create_task(function() pcall(async.sleep, 9) end)
          t:set_name "deaf"
          async.sleep(0)
          t:cancel()
          t:await()]],
      },
      ["a timer that is late"] = {
        "a timer is late by %d+ ms, at %(command line%):%d+", [[
          local t = async.create_task(function()
            async.sleep(0.01)
          end)
          async.sleep(0)
          spin(0.09)
          t:await()]],
      },
      ["tasks that wait for each other"] = {
        "bob awaits alice, which waits for it: they wait for each other for ever", [[
          local alice, bob
          alice = async.create_task(function() bob:await() end)
          bob = async.create_task(function() alice:await() end)
          alice:set_name "alice"
          bob:set_name "bob"
          async.sleep(0)
          alice:cancel()
          async.wait { alice, bob }]],
      },
      ["a handle that is collected while it is open"] = {
        "a server was collected while it was open: close it", [[
          assert(require "strobe.net".listen("127.0.0.1", 0))]],
      },
      ["a task that gives way again and again"] = {
        "busy gives way %d+ times a second and gets nowhere: .-, at %(command line%):%d+", [[
          local over
          local t = async.create_task(function()
            while not over do async.sleep(0) end
          end)
          t:set_name "busy"
          async.sleep(2.5)
          over = true
          t:await()]],
      },
    } do
      it("tell of " .. name .. ", once in a minute, and at the end how often it came", function()
        local output = twice(story[2])
        local text = "strobe: warning: " .. story[1]
        assert.matches(text, output)
        assert.equal(1, select(2, output:gsub(text, "")), output)
        assert.matches("strobe: warning: %d+ more of: " .. story[1], output)
      end)
    end

    it("tell of the error of a task that nobody awaits, with its place", function()
      local output = twice [[
        async.create_task(function() error "lost" end):set_name "loser"
        async.sleep(0)]]
      local text = "strobe: exception was never retrieved\n%(command line%):%d+: lost\nin loser:\n"
      assert.matches(text, output)
      assert.equal(1, select(2, output:gsub(text, "")), output)
      assert.matches("strobe: warning: 1 more of: exception was never retrieved\n", output)
    end)
  end)
end)
