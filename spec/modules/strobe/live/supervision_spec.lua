local child = require "spec.support.child"
local Folder = require "spec.support.folder"
local Supervision = require "strobe.live.supervision"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local program = require("strobe.core.host").program

describe("supervision", function()
  it("restarts what has failed, after pauses that grow to a maximum", function()
    local supervision = Supervision.new { backoff = 1, max_backoff = 3, max_restarts = 4 }
    local pauses = {}
    for i = 1, 4 do
      pauses[i] = supervision:decide(i, true, i)
    end
    assert.same({ 1, 2, 3, 3 }, pauses)
    assert.same({ nil, "it failed 5 times within 60 s" }, { supervision:decide(5, true, 5) })
  end)

  it("forgets restarts that were long ago", function()
    local supervision = Supervision.new { max_restarts = 1, window = 10 }
    assert.equal(0.1, supervision:decide(0, true, 1))
    assert.is_nil(supervision:decide(9, true, 2))
    assert.equal(0.1, supervision:decide(11, true, 3))
  end)

  it("does not try one event for ever, however long the pauses are", function()
    local supervision = Supervision.new { max_restarts = 2, window = 1 }
    assert.equal(0.1, supervision:decide(0, true, 7))
    assert.equal(0.1, supervision:decide(100, true, 7))
    assert.same({ nil, "it failed 3 times at event 7" }, { supervision:decide(200, true, 7) })
  end)

  it("knows what is permanent, transient and temporary", function()
    local after_failure, after_end = {}, {}
    for _, word in ipairs { "permanent", "transient", "temporary" } do
      after_failure[word] = Supervision.new { restart = word }:decide(0, true, 1)
      after_end[word] = Supervision.new { restart = word }:decide(0, false)
    end
    assert.same({ permanent = 0.1, transient = 0.1 }, after_failure)
    assert.same({ permanent = 0.1 }, after_end)
  end)

  it("refuses options that there are not", function()
    for text, options in pairs {
      ["restart: \"permanent\""] = { restart = "always" },
      ["there is no option 'max'"] = { max = 1 },
      ["window: a number from 0 expected, got soon"] = { window = "soon" },
    } do
      assert.error_matches(function() Supervision.new(options) end, text, nil, true)
    end
  end)

  local failing = [[
    return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
      st.tried = (st.tried or 0) + 1
      ctx:emit("out", m.data)
      if m.data == 2 then error "two" end
    end }]]

  it("is an option of the runtime, or of one unit", function()
    local units <close> = UnitFolder.new({ ["a.lua"] = failing, ["b.lua"] = failing },
      { supervision = { max_restarts = 2 } })
    local folder = units.folder.path
    units:start "a"
    units.runtime:start("b", folder .. "/b.lua", { supervision = { restart = "temporary" } })
    units:offer("ticks", 1, 2, 3)
    async.sleep(60)
    local a, b = units.runtime.units.a, units.runtime.units.b
    assert.same({ "failed", "failed" }, { a.state, b.state })
    assert.same({ 4, 2 }, { a.run.st.tried, b.run.st.tried })
    assert.same({ 1, 1 }, units:values())
    assert.matches("unit a stops: it failed 3 times at event 2; fix it and reload", units.logged[#units.logged][2])
  end)

  it("runs a permanent unit again when its main ends", function()
    local units <close> = UnitFolder.new({ ["mm.lua"] = [[
      return { version = 1, subscribe = { "ticks" }, main = function(ctx, st)
        for m in ctx:inbox() do
          ctx:emit("out", m.data)
          return
        end
      end }]] }, { supervision = { restart = "permanent" } })
    units:start "mm"
    units:offer("ticks", 1, 2, 3)
    async.sleep(10)
    assert.same({ 1, 2, 3 }, units:values())
    assert.equal("running", units.runtime.units.mm.state)
  end)
end)

describe("the end of a unit", function()
  local goodbye = [[
    return { version = 1, subscribe = {}, on_event = function() end, dispose = function(ctx, st, why)
      ctx:sleep(0.8)
      ctx:emit("out", "disposed " .. why)
    end }]]

  it("is shielded: dispose comes to its end, though who ends it is cancelled", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = goodbye }
    units:start "mm"
    local ending = async.create_task(function() units.runtime:close() end)
    async.sleep(0.3)
    ending:cancel()
    async.sleep(0.3)
    ending:cancel()
    assert.is_false(pcall(ending.await, ending))
    assert.is_true(ending:cancelled())
    assert.same({ "disposed stop" }, units:values())
  end)

  it("comes with SIGTERM; another one ends the process at once", function()
    local folder <close> = Folder.new { ["mm.lua"] = goodbye, ["run.lua"] = [[
      local async, live = require "strobe.async", require "strobe.live"
      local runtime <close> = live.Runtime {}
      runtime:start("mm", arg[1])
      print "ready"
      async.sleep(1000)]] }
    for signals, expected in pairs { "disposed stop\n", "" } do
      local strobe <close> = child.spawn(program, { folder.path .. "/run.lua", folder.path .. "/mm.lua" })
      strobe:expect("stdout", "ready\n")
      for _ = 1, signals do
        strobe:kill "sigterm"
        async.sleep(0.1)
      end
      assert.equal(143, strobe:wait())
      assert.equal("ready\n" .. expected, strobe.output.stdout)
    end
  end)
end)
