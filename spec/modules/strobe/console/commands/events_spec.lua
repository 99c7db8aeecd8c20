local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local async = require "strobe.async"
local Pace = require "spec.support.pace"

local UNIT = [[
return { version = 1, subscribe = { "ticks", "fills" }, on_event = function(ctx, st, m)
  if m.data == "slow" then ctx:sleep(10) end
end }]]

local function each(f)
  for _, kind in ipairs { "near", "far" } do
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local console <close> = kind == "near" and Console.near { server = attached.server } or Console.far()
    f(console, attached)
  end
end

-- Offers events so many times a second, for so long.
local function feed(attached, rate, seconds)
  return async.create_task(function()
    for i = 1, rate * seconds do
      attached.units.runtime:offer("ticks", i)
      async.sleep(1 / rate)
    end
  end)
end

local function wait_lines(console, count)
  Attached.wait_until(function()
    return #console.lines >= count
  end)
end

describe(":streams", function()
  it("tells rate, age and who gets what", function()
    each(function(console, attached)
      local feeding = feed(attached, 100, 3)
      local text = console:command ":streams"
      assert.matches("^STREAM +RATE +LAST  EVENTS  UNITS\n", text)
      assert.matches("\nfills +0/s +%- +0  mm\n", text)
      local rate = tonumber(text:match "\nticks +([%d.]+)/s")
      assert.is_true(rate > 90 and rate < 110, text)
      feeding:await()
      async.sleep(5)
      assert.matches("\nticks +[%d.]+/s +5.%d+ s ago +%d+  mm\n", console:command ":streams")
    end)
  end)

  it("tells of feeds, with their gaps", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    attached.units.runtime.feeds[1] = {
      name = "tdb", url = "tectonic://localhost/btc",
      statistics = function()
        return { events = 7, gaps = 2, lost = 5, duplicates = 0, reordered = 0, broken = 0, reconnects = 1 }
      end,
    }
    Console.both(attached, function(console)
      assert.matches("^FEED  RATE +LAST  EVENTS  GAPS  LOST  TWICE  BROKEN  RECONN.  FROM\n"
        .. "tdb +0/s +> 1%.%d+ s ago +7 +2 +5 +0 +0 +1  tectonic://localhost/btc\n", console:command ":streams")
    end)
    attached.units.runtime.feeds[1] = nil
  end)
end)

describe(":inbox", function()
  it("tells what waits, how long, and what was dropped", function()
    each(function(console, attached)
      attached.units:offer("ticks", "slow", 2, 3)
      async.sleep(4)
      local text = console:command ":inbox mm"
      assert.matches("^UNIT  WAITING   FULL  PEAK    SIZE  DROPPED  FAILED  OLDEST  AT WORK  IF FULL\n"
        .. "mm +2  <0.1%% +3  65,536 +0 +0 +4.00 s +4.00 s  block$", text)
      assert.equal(text, console:command ":lag")
      assert.equal("there is no unit 'nix'; there are: mm", console:refused ":inbox nix")
    end)
  end)
end)

describe(":tail", function()
  it("shows events as they come, until it is off", function()
    each(function(console, attached)
      assert.equal("", console:command ":tail ticks")
      attached.units:offer("ticks", 5, "a\27b")
      attached.units:offer("fills", 6)
      wait_lines(console, 2)
      assert.same({ "ticks 5", 'ticks "a\\x1bb"' }, console.lines)
      assert.equal("ticks\n:tail off ends them", console:command ":tail")
      assert.equal("1 tail ended", console:command ":tail off")
      attached.units:offer("ticks", 7)
      async.sleep(0.1)
      assert.equal(2, #console.lines)
      assert.equal("nothing is tailed", console:command ":tail off")
    end)
  end)

  it("chooses events by an expression over m", function()
    each(function(console, attached)
      console:command ":tail ticks m % 2 == 0"
      attached.units:offer("ticks", 1, 2, 3, 4)
      wait_lines(console, 2)
      assert.same({ "ticks 2", "ticks 4" }, console.lines)
      attached.units:offer("ticks", "x", 6)
      wait_lines(console, 3)
      assert.same({ "ticks 2", "ticks 4",
        "ticks m % 2 == 0 is no longer tailed: attempt to mod a 'string' with a 'number'" },
        console.lines)
      assert.equal("nothing is tailed", console:command ":tail off")
      assert.matches("^expr: ", console:refused ":tail ticks m =")
    end)
  end)

  it("needs the rights rw for an expression", function()
    local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
    local console <close> = Console.far "ro"
    assert.equal("this console may only look on (ro); it takes the rights rw", console:refused ":tail ticks m > 1")
    assert.equal("", console:command ":tail ticks")
    assert.truthy(attached)
  end)
end)

-- As each, with a terminal.
local function key() end

local function each_terminal(f)
  each(function(console)
    console.key = key
    f(console)
  end)
end

describe(":watch", function()
  local kept

  before_each(function()
    kept = Pace.keep()
  end)

  after_each(function()
    kept:close()
  end)

  it("keeps a value above the prompt, with a line of its last numbers", function()
    each_terminal(function(console)
      _G.watched_by_spec = 1
      console:command ":watch watched_by_spec 100ms"
      for i = 1, 9 do
        _G.watched_by_spec = i
        Attached.wait_until(function()
          return console.pins.watch1:find(("= %d "):format(i)) or i == 1
        end)
      end
      assert.matches("^%[1%] watched_by_spec = 9  ▁.*▂.*▃.*▄.*▅.*▆.*▇.*█$", console.pins.watch1)
      assert.equal("", console:command ":unwatch 1")
      assert.is_nil(console.pins.watch1)
      _G.watched_by_spec = nil
    end)
  end)

  it("ends after three errors in a row", function()
    each_terminal(function(console)
      console:command ":watch nothing.at_all 100ms"
      Attached.wait_until(function()
        return console.pins.watch1:find "^%[1%] nothing.at_all = ! .*attempt to index a nil value"
      end)
      Attached.wait_until(function()
        return not console.pins.watch1
      end)
      assert.matches("^%[1%] nothing.at_all is no longer watched: ", console.lines[1])
    end)
  end)

  it("takes four at most", function()
    each_terminal(function(console)
      for i = 1, 4 do
        console:command((":watch %d"):format(i))
      end
      assert.equal("4 expressions are watched already: :unwatch N", console:refused ":watch 5")
      console:command ":unwatch 2"
      console:command ":watch 6"
      Attached.wait_until(function()
        return console.pins.watch2 == "[2] 6 = 6"
      end)
      assert.equal(4, select(2, console:command(":watch"):gsub("%[", "")))
      console:command ":unwatch"
      assert.same({}, console.pins)
      assert.equal("nothing is watched", console:refused ":unwatch")
      assert.equal("nothing is watched as number 7", console:refused ":unwatch 7")
    end)
  end)

  it("interrupts what takes too long, and goes on", function()
    local attached <close> = Attached.new()
    local console <close> = Console.far()
    console.key = key
    console:command ":watch (function() while true do end end)()"
    Attached.wait_until(function()
      return console.pins.watch1:find "! .*after running 100 ms without waiting"
    end)
    console:command ":unwatch"
    assert.truthy(attached)
  end)

  it("tells a value that has changed on a line of its own where there is no terminal", function()
    each(function(console)
      _G.watched_by_spec = "a"
      console:command ":watch watched_by_spec 100ms"
      wait_lines(console, 1)
      async.sleep(0.3)
      _G.watched_by_spec = "b"
      wait_lines(console, 2)
      _G.watched_by_spec = nil
      assert.same({ '[1] watched_by_spec = "a"', '[1] watched_by_spec = "b"' }, { console.lines[1], console.lines[2] })
      assert.same({}, console.pins)
      console:command ":unwatch"
    end)
  end)

  it("is refused to those who look on", function()
    local attached <close> = Attached.new()
    local console <close> = Console.far "ro"
    assert.equal("this console may only look on (ro); it takes the rights rw", console:refused ":watch 1")
    assert.truthy(attached)
  end)
end)
