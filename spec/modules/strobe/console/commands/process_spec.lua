local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local prolong = require("strobe.testing").clock.prolong
local async = require "strobe.async"
local time = require "strobe.core.time"

local UNIT = [[
return { version = 1, subscribe = { "ticks" }, on_event = function(ctx, st, m)
  ctx:log(m.data, "a line of level %s", m.data)
end }]]

local function each(f)
  local attached <close> = Attached.new { units = { ["mm.lua"] = UNIT } }
  Console.both(attached, function(console)
    f(console, attached)
  end)
end

describe(":metrics", function()
  it("tells of the process and its counters", function()
    each(function(console)
      local text = console:command ":metrics"
      assert.matches("^process +%d+  ", text)
      assert.matches("\nmemory +%S+ [MG]iB\n", text)
      assert.matches("\nCOUNTER +VALUE\n", text)
      assert.matches("\nlive.units.mm.inbox.size +65,536\n", text)
      assert.matches("^COUNTER +VALUE\nlua_bytes +%S+ MiB$", console:command ":metrics lua_by")
      assert.equal("no counter has 'nonsense' in its name", console:command ":metrics nonsense")
    end)
  end)
end)

describe(":log", function()
  it("shows the last lines, with their level and unit", function()
    each(function(console, attached)
      attached.units:offer("ticks", "info", "error")
      local text = console:command ":log"
      assert.matches("%d%d:%d%d:%d%d.%d%d%d info    mm: a line of level info\n"
        .. "%d%d:%d%d:%d%d.%d%d%d error   mm: a line of level error$", text)
    end)
  end)

  it("sets from which level on lines are kept", function()
    each(function(console, attached)
      assert.equal("the log takes lines from warning on (it was debug)", console:command ":log warning")
      attached.units:offer("ticks", "info", "error")
      assert.matches("level error$", console:command ":log")
      assert.is_nil(console:command(":log"):find "level info\n.-level error$")
      assert.equal("the log takes lines from debug on (it was warning)", console:command ":log debug")
      assert.equal("debug, info, warning or error expected: :log [LEVEL]", console:refused ":log loud")
      attached.server.journal.count = 0
    end)
  end)

  it("is open to those who look on, but for the level", function()
    local attached <close> = Attached.new()
    local console <close> = Console.far "ro"
    assert.matches("op=open ro", console:command ":log")
    assert.equal("this console may only look on (ro); it takes the rights rw", console:refused ":log debug")
    assert.truthy(attached)
  end)
end)

-- Time stands after these.
local function let_go()
  time.stands(false)
end

describe(":clock", function()
  it("tells what time it is", function()
    each(function(console)
      local text = console:command ":clock"
      assert.matches("^clock +virtual: it jumps when every task waits\nloop time +%d+%.%d+ s\ndate +2020%-01%-01 ",
        text)
      assert.matches("\nunits see +1970%-01%-01 ", text)
    end)
  end)

  it("stands still, and goes on", function()
    each(function(console)
      assert.matches("^clock +virtual, and stands: :advance, :step and :clock run move it\n",
        console:command ":clock stop")
      assert.matches("^clock +virtual: it jumps", console:command ":clock run")
      assert.equal(":clock, :clock stop or :clock run expected", console:refused ":clock faster")
    end)
  end)
end)

describe(":advance", function()
  it("moves a virtual clock, and what is due runs", function()
    each(function(console)
      prolong(1000)
      local rung = {}
      for _, seconds in ipairs { 90, 3, 60 } do
        async.create_task(function()
          async.sleep(seconds)
          rung[#rung + 1] = seconds
        end)
      end
      async.sleep(0)
      local began = async.time()
      assert.matches("^1m 1s on: it is ", console:command ":advance 61s")
      assert.near(61, async.time() - began, 1e-6)
      assert.same({ 3, 60 }, rung)
      console:command ":advance 1m"
      assert.same({ 3, 60, 90 }, rung)
      let_go()
    end)
  end)

  it("takes times as people write them", function()
    each(function(console)
      prolong(10000)
      for text, seconds in pairs { ["5"] = 5, ["0.5"] = 0.5, ["20ms"] = 0.02, ["1h30m"] = 5400, ["2m 3s"] = 123 } do
        local began = async.time()
        console:command(":advance " .. text)
        assert.near(seconds, async.time() - began, 1e-6)
      end
      for _, text in ipairs { "", "soon", "5 parsecs", "-3", "nan", "1e300" } do
        assert.is_string(console:refused(":advance " .. text))
      end
      let_go()
    end)
  end)
end)

describe(":step", function()
  it("moves a virtual clock to the next timer", function()
    each(function(console)
      local rung
      async.create_task(function()
        async.sleep(7)
        rung = true
      end)
      async.sleep(0)
      time.stands(true)
      local steps = 0
      while not rung do
        console:command ":step"
        steps = steps + 1
      end
      assert.is_true(steps >= 1 and steps < 20)
      let_go()
    end)
  end)

  it("is for virtual clocks", function()
    local attached <close> = Attached.new()
    local mode = time.mode
    time.mode = function()
      return "live"
    end
    local ok, e = pcall(Console.both, attached, function(console)
      local refused = "the clock is live: only a virtual one is moved by hand (strobe --clock=virtual)"
      assert.equal(refused, console:refused ":step")
      assert.equal(refused, console:refused ":advance 1")
    end)
    time.mode = mode
    assert.is_true(ok, e)
  end)
end)
