local shell = require "spec.support.shell"

-- Runs a line, in which tasks of more than 20 ms get an error from the function `judge`.
local function strobe(code)
  local prelude = [[
    local watchdog = require "strobe.core.watchdog"
    require "strobe.core.host".slow_step(99) -- nor is it reported
    local function judge(seconds, place) return ("too long at %%s"):format(place:gsub(": $", "")) end
    local function spin() while true do local _ = {} end end
    local function ended(f) return select(2, pcall(async.wait_for, async.create_task(f), 9)) end
    watchdog.quota(0.02, function(...) return judge(...) end)
  ]]
  local output, status = shell.lua((prelude .. code):gsub("%%%%", "%%"), "live")
  return output:gsub("strobe: warning: strobe ran [^\n]+\n", ""), status -- to start may take its time
end

describe("the watchdog", function()
  describe("asked for a quota", function()
    for name, body in pairs {
      ["spins"] = "spin()",
      ["catches all errors"] = "while true do pcall(spin) end",
      ["handles all errors"] = "while true do xpcall(spin, function(e) return e end) end",
      ["spins in a coroutine"] = "coroutine.wrap(spin)()",
      ["catches errors in coroutines in coroutines"] = [[
        local function inner() while true do pcall(spin) end end
        local function outer() local co = coroutine.create(inner) while true do coroutine.resume(co) end end
        while true do pcall(coroutine.wrap(outer)) end]],
      ["spins in a generator"] = "for _ in async.generator(function() while true do pcall(spin) end end)() do end",
      ["makes coroutines without end"] = "while true do coroutine.wrap(function() pcall(error) end)() end",
      ["spins while it cleans up"] = "local _ <close> = setmetatable({}, { __close = spin }) spin()",
      ["spins in a loop of pcall alone"] = "for _ in pcall, spin do end",
    } do
      it("ends a task that " .. name, function()
        local output, status = strobe(("print(ended(function() %s end))"):format(body))
        assert.matches("^too long at %(command line%):%d+\n", output)
        assert.equal(0, status)
      end)
    end

    it("lets the others go on, and later steps of the same code", function()
      local output = strobe [[
        local other = async.create_task(function() for i = 1, 3 do async.sleep(0.001) end return "served" end)
        print((ended(spin):gsub(":%d+", "")))
        print(other:await())
        print(ended(function() async.sleep(0) for i = 1, 10 do pcall(error, i) end return "short" end))]]
      assert.equal("too long at (command line)\nserved\nshort\n", output)
    end)

    it("counts processor time, not waiting", function()
      local output = strobe [[
        judge = function() print "asked" end
        for i = 1, 10 do async.sleep(0.01) end
        os.execute "sleep 0.1"]]
      assert.equal("", output)
    end)

    it("asks again when the judge says so, and never when it says nothing", function()
      local output = strobe [[
        local times = {}
        judge = function(seconds)
          times[#times + 1] = seconds
          return #times < 3 and 0.02 * (#times + 1) or nil
        end
        local began = os.clock()
        while os.clock() - began < 0.2 do local _ = {} end
        print(#times, times[2] >= 0.04, times[3] >= 0.06)]]
      assert.matches("3\ttrue\ttrue\n", output)
    end)

    it("does not cut strobe's own modules, whose clean-up runs", function()
      local output = strobe [[
        local lock = async.Lock()
        local e = ended(function() local held <close> = lock:acquire() spin() end)
        print(lock:locked(), (e:gsub(":%d+", "")))]]
      assert.matches("false\ttoo long at %(command line%)\n", output)
    end)

    it("pardons what has left the code", function()
      local output = strobe [[
        print(ended(function()
          local co = coroutine.create(spin)
          coroutine.resume(co)
        end) ~= nil)
        print(ended(load("pcall(...) require 'strobe.core.watchdog'.pardon() return 'survived'", "=strobe:x")))]]
      assert.matches("true\n", output)
    end)

    it("says when code cannot be interrupted", function()
      local output = strobe [[
        local text = ("a"):rep(1e6)
        print(ended(function() text:gsub(".", io.open) end))]]
      assert.matches("'[%w-]+' has run for [%d.]+ s without waiting, the last [%d.]+ s in a C function", output)
    end)

    it("has a thread only as long as somebody asks", function()
      local output = strobe [[
        print(watchdog.alive())
        watchdog.stall(9) watchdog.quota()
        print(watchdog.alive())
        watchdog.stall()
        print(watchdog.alive())]]
      assert.equal("true\ntrue\nfalse\n", output)
    end)

    it("refuses what is no time, or no function", function()
      local output = strobe [[
        print(pcall(watchdog.quota, 0, print))
        print(pcall(watchdog.quota, 1))
        print(pcall(watchdog.stall, 1e9))]]
      assert.matches("bad argument #1 .*0.001 to 1000000 s expected", output)
      assert.matches("bad argument #2 .*function expected", output)
    end)
  end)

  describe("asked for stalls", function()
    local stall = [[
      local watchdog = require "strobe.core.watchdog"
      require "strobe.core.host".slow_step(99)
      watchdog.stall(0.05)
      local function spin(seconds)
        local began = os.clock()
        while os.clock() - began < seconds do local _ = {} end
      end
      local patient = async.create_task(function() async.sleep(0.4) end)
      patient:set_name "patient"
      async.sleep(0)
    ]]

    it("prints where all tasks stand, once, and lets them go on", function()
      local output, status = shell.lua(stall .. "spin(0.4) async.sleep(0.01) print 'on'", "live")
      local _, count = output:gsub("the loop has stood still for [%d.]+ s, 'main' runs; all tasks:\n", "")
      assert.equal(1, count)
      assert.matches("Task%-%d+ 'main', running:\n.-in .-'spin'\n", output)
      assert.matches("Task%-%d+ 'patient', waiting for sleep:\n.-%(command line%):%d+: in function", output)
      assert.matches("on\n", output)
      assert.equal(0, status)
    end)

    it("names the unit whose step it is", function()
      local output = shell.lua(stall .. [[
        require "strobe.core.inspect".own(async.current_task(), "mm", 3)
        spin(0.2)]], "live")
      assert.matches("the loop has stood still for [%d.]+ s, 'main' of unit mm runs; all tasks:\n", output)
    end)

    it("sees a turn of many short steps", function()
      local output = shell.lua(stall .. [[
        for _ = 1, 400 do async.create_task(spin, 0.001) end
        async.sleep(0)]], "live")
      assert.matches("the loop has stood still for", output)
    end)

    it("is silent while the loop waits", function()
      assert.equal("", (shell.lua(stall .. "async.sleep(0.3)", "live")))
    end)
  end)

  describe("for SIGUSR2", function()
    local signal = "local uv = require 'luv' local function signal() uv.kill(uv.os_getpid(), 'sigusr2') end "

    it("prints where all tasks stand, while one spins and while all wait", function()
      local output, status = shell.lua(signal .. [[
        async.create_task(function() async.sleep(0.02) end):set_name "patient"
        async.sleep(0)
        signal()
        for i = 1, 1e5 do local _ = {} end
        print "between"
        signal()
        async.sleep(0.01)]], "live")
      local spinning, waiting = output:match "^(.*)between\n(.*)$"
      assert.matches("pid %d+: 'main' runs; all tasks:\n.*'patient', waiting for sleep:\n", spinning)
      assert.matches("'main', running:\n", spinning)
      assert.matches("'patient', waiting for sleep:\n", waiting)
      assert.equal(0, status)
    end)

    it("says when the code is in a C function, and prints them after that", function()
      local output, status = shell.lua(signal .. [[
        async.current_task():set_name "busy"
        signal()
        uv.sleep(1500)
        for i = 1, 1e5 do local _ = {} end
        print(require "strobe.core.watchdog".alive())]], "live")
      output = output:gsub("strobe: warning: [^\n]*\n", "") -- it was slow, that is true
      local told, after = output:match "^(.-\n)(.*)$"
      assert.matches("^strobe: pid %d+: 'busy' has run for [%d.]+ s without waiting, the last [%d.]+ s in a C function",
        told)
      assert.matches("'busy', running:\n", after)
      assert.matches("false\n", after)
      assert.equal(0, status)
    end)

    it("needs no thread", function()
      local output = shell.lua(signal .. [[
        signal()
        async.sleep(0)
        print(require "strobe.core.watchdog".alive())]], "live")
      assert.matches("false\n", output)
    end)
  end)
end)
