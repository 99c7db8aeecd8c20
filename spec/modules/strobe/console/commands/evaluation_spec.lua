local Attached = require("spec.support.attached").Attached
local Console = require "spec.support.console"
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"
local Pace = require "spec.support.pace"

local function each(f)
  local attached <close> = Attached.new()
  Console.both(attached, f)
end

describe(":time", function()
  it("tells the values, then what they took", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    each(function(console)
      local text = console:command ":time async.sleep(0.02) async.sleep(0.02) return 6 * 7, 'x'"
      assert.matches("^42\n\"x\"\n[%d.]+ m?s: [%d.]+ .?.?s running, [%d.]+ m?s waiting in 2 awaits; ", text)
      assert.matches("; [%w ]*[%d.]+ %w+ of memory$", text)
    end)
    assert.is_false(inspect.times())
  end)

  it("tells running from waiting", function()
    each(function(console)
      local text = console:command ":time local x = 0 for i = 1, 300000 do x = x + i end"
      local wall, unit, running = text:match "^([%d.]+) (%S+): ([%d.]+) %2 running"
      assert.is_true(wall and tonumber(running) / tonumber(wall) > 0.5, text .. tostring(unit))
    end)
  end)

  it("keeps what was made local, and results", function()
    each(function(console)
      console:command ":time local answer = 42 return answer"
      assert.matches("^42\n", console:command ":time answer")
      assert.matches("^42\n", console:command ":time _")
    end)
  end)

  it("shows errors, and what does not compile", function()
    each(function(console)
      assert.matches("no such luck", console:refused ":time error 'no such luck'")
      assert.equal("the code is incomplete", console:refused ":time if x then")
      assert.matches("near 'then'", console:refused ":time then")
      assert.equal("code expected: :time CODE", console:refused ":time")
    end)
  end)

  it("is interrupted when its task is cancelled", function()
    each(function(console)
      local message
      local task = async.create_task(function()
        message = console:refused ":time async.sleep(1000)"
      end)
      async.sleep(0.5)
      task:cancel()
      task:await()
      assert.matches("^it was cancelled", message)
    end)
  end)
end)

describe(":bg and :fg", function()
  it("start code in the background, and wait for it", function()
    each(function(console)
      assert.matches("^%[1%] task %d+$", console:command ":bg async.sleep(3) return 'done'")
      assert.matches("^%[1%] task %d+, for ", console:command ":fg")
      local began = async.time()
      assert.equal('"done"', console:command ":fg 1")
      assert.near(3, async.time() - began, 0.1)
      assert.equal("nothing runs in the background", console:command ":fg")
      assert.matches("there is no job 1", console:refused ":fg 1")
      assert.equal("the number of a job expected: :fg N", console:refused ":fg x")
    end)
  end)

  it("remember how a job has ended", function()
    each(function(console)
      console.jobs[1] = { ev = "job", job = 1, ok = true, values = { "42" } }
      console.jobs[2] = { ev = "job", job = 2, ok = false, code = "error", error = "no luck", trace = "at x:1" }
      assert.equal("42", console:command ":fg 1")
      assert.equal("no luck\nat x:1", console:refused ":fg 2")
    end)
  end)

  it("show an error where it is waited for", function()
    each(function(console)
      console:command ":bg async.sleep(1) error 'late'"
      assert.matches("late", console:refused ":fg 1")
    end)
  end)

  it("are refused to those who look on", function()
    local attached <close> = Attached.new()
    local console <close> = Console.far "ro"
    for _, line in ipairs {
      ":bg 1", ":fg 1", ":time 1", ":timeit 1", ":prof start", ":prof stop", ":heap", ":pry", ":step", ":advance 1",
      ":log debug", ":clock stop",
    } do
      assert.equal("this console may only look on (ro); it takes the rights rw", console:refused(line))
    end
    assert.truthy(attached)
  end)
end)
