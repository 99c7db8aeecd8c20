local Runtime = require "strobe.live.runtime"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local feeds = require "strobe.live.feed"
local reports = require "spec.support.reports"

local QUIET = [[return { version = 1, subscribe = { "ticks" },
  on_event = function(ctx, st, m) ctx:emit("out", m.data) end }]]

local function path_of(units, name)
  return ("%s/%s.lua"):format(units.folder.path, name)
end

describe("a runtime", function()
  it("starts all units, or none", function()
    local units <close> = UnitFolder.new { ["a.lua"] = QUIET, ["b.lua"] = "return {" }
    local list = { { name = "a", path = path_of(units, "a") }, { name = "b", path = path_of(units, "b") } }
    local told = units.runtime:start_all(list)
    assert.same({ "rejected:syntax", "rejected:syntax" }, { told[1].verdict, told[2].verdict })
    assert.same({ {}, {} }, { units.runtime.units, units.runtime.order })
    units:write("b.lua", QUIET)
    told = units.runtime:start_all(list)
    assert.same({ "committed", "committed" }, { told[1].verdict, told[2].verdict })
    assert.equal(2, #units.runtime.order)
  end)

  it("has each name once, also of units that are started at the same time", function()
    local units <close> = UnitFolder.new { ["a.lua"] = QUIET }
    local first = async.create_task(units.start, units, "a")
    local second = async.create_task(units.start, units, "a")
    assert.equal("committed", first:await().verdict)
    assert.error_matches(function() second:await() end, "a unit 'a' runs already", nil, true)
    assert.has_error(function()
      units.runtime:start_all { { name = "b", path = path_of(units, "a") }, { name = "b", path = path_of(units, "a") } }
    end)
  end)

  it("knows no other unit than those: reload, rollback and the like raise, and name it", function()
    local units <close> = UnitFolder.new {}
    for _, method in ipairs { "reload", "request_reload", "rollback", "gens" } do
      assert.error_matches(function()
        units.runtime[method](units.runtime, "mm")
      end, "there is no unit 'mm'", nil, true)
    end
  end)

  it("reloads once for many requests, and tells each watcher until it stops", function()
    local units <close> = UnitFolder.new { ["a.lua"] = QUIET }
    units:start "a"
    local seen = {}
    local stop = units.runtime:watch { report = function(told)
      table.insert(seen, told.verdict)
    end }
    units:write("a.lua", QUIET .. " ")
    for _ = 1, 10 do
      units.runtime:request_reload "a"
    end
    async.sleep(1)
    assert.same({ "committed" }, seen)
    stop()
    stop()
    units:reload("a", "return {")
    assert.same({ { "committed" }, 3 }, { seen, #units.reports })
  end)

  it("goes on when a report cannot be written", function()
    local contexts = reports.of(function()
      local units <close> = UnitFolder.new { ["a.lua"] = QUIET }
      units.runtime.options.on_report = function()
        error "no space left on device"
      end
      assert.equal("committed", units:start("a").verdict)
      units:offer("ticks", 1)
      assert.same({ 1 }, units:values())
    end)
    assert.equal(1, #contexts)
    assert.matches("a report cannot be written: .*no space left on device", contexts[1].message)
  end)

  it("runs tasks of its own, which are no unit's, and ends them", function()
    local units <close> = UnitFolder.new { ["a.lua"] = QUIET }
    units:start "a"
    local task = units.runtime:spawn(async.sleep, 1000)
    async.sleep(0)
    assert.equal(1, #units.runtime.units.a.run:tasks())
    units.runtime:close()
    assert.is_true(task:cancelled())
  end)

  it("takes feeds until it is closed, each name once", function()
    local units <close> = UnitFolder.new {}
    local function open(name)
      return assert(feeds.open("synthetic:1?count=1", { name = name }))
    end
    units.runtime:add_feed(open "x", { held = true })
    assert.error_matches(function()
      units.runtime:add_feed(open "x")
    end, "there is a feed 'x' already", nil, true)
    units.runtime:close()
    assert.error_matches(function()
      units.runtime:add_feed(open "y")
    end, "add_feed: the runtime is closed", nil, true)
  end)

  it("comes to its end though who closes it is cancelled, and twice is harmless", function()
    local units <close> = UnitFolder.new { ["a.lua"] = [[return { version = 1, on_event = function() end,
      dispose = function(ctx) ctx:sleep(0.5) ctx:emit("out", "disposed") end }]] }
    units:start "a"
    local closing = async.create_task(units.runtime.close, units.runtime)
    async.sleep(0.1)
    closing:cancel()
    async.sleep(1)
    assert.is_true(closing:cancelled())
    assert.same({ { "disposed" }, "stopped" }, { units:values(), units.runtime.units.a.state })
    units.runtime:close()
  end)

  it("refuses what is asked for after its end", function()
    local units <close> = UnitFolder.new { ["a.lua"] = QUIET }
    units:start "a"
    units.runtime:close()
    assert.equal("rejected:shutdown", units.runtime:reload("a")[1].verdict)
    units.runtime:request_reload "a"
    async.sleep(1)
    assert.equal(2, #units.reports)
  end)

  it("writes its log to stderr, without what is only for debugging, unless somebody takes it", function()
    local sh = require("spec.support.shell").run
    local output = sh [[$S -e 'local runtime <close> = require("strobe.live").Runtime()
      runtime:log("debug", "small", {}) runtime:log("info", "started", { unit = "mm" })
      runtime:log("error", "bad", {})']]
    assert.matches("^strobe: mm: started\nstrobe: live: bad\n", output)
  end)

  it("is a value of a block, and has nothing to close without units", function()
    local closed
    do
      local runtime <close> = Runtime.new()
      closed = runtime
    end
    assert.is_true(closed.closed)
  end)
end)
