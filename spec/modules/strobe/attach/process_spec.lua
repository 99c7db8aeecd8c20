local Process = require "strobe.attach.process"
local UnitFolder = require "spec.support.unit_folder"
local live = require "strobe.live"
local shell = require "spec.support.shell"

describe("this process, for those who attach", function()
  it("tells how long it runs, its tasks and its command line", function()
    local process <close> = Process.new()
    local told = process:figures()
    assert.is_true(told.uptime >= 0 and told.uptime < 60)
    assert.is_true(told.tasks >= 1)
    assert.matches("strobe", told.command)
    assert.is_nil(told.lag_p99)
    local named <close> = Process.new { command = "mine" }
    assert.equal("mine", named:figures().command)
  end)

  it("measures how late the loop is under a live clock", function()
    local output, status = shell.lua([[
      local Process = require "strobe.attach.process"
      local process <close> = Process.new()
      async.sleep(0.3)
      print(process:figures().lag_p99 >= 0)
    ]], "live")
    assert.same({ "true\n", 0 }, { output, status })
  end)

  it("keeps the lines of the log, with and without units", function()
    local process <close> = Process.new()
    process:log("info", "one")
    local units <close> = UnitFolder.new {}
    live.set_runtime(units.runtime)
    process:log("warning", "two")
    assert.equal("two", units.logged[1][2])
    live.set_runtime(nil)
    process:log("info", "three")
    local texts = {}
    for i, line in ipairs(process.journal:lines()) do
      texts[i] = line.text
    end
    assert.same({ "one", "two", "three" }, texts)
  end)

  it("keeps to the runtime it was given, and lets go of it at the end", function()
    local units <close> = UnitFolder.new {}
    local other <close> = UnitFolder.new {}
    local before = #units.runtime.watchers
    local process = Process.new { runtime = units.runtime }
    live.set_runtime(other.runtime)
    assert.equal(units.runtime, process:runtime())
    live.set_runtime(nil)
    assert.equal(before + 1, #units.runtime.watchers)
    process:close()
    process:close()
    assert.equal(before, #units.runtime.watchers)
    process:runtime()
    assert.equal(before, #units.runtime.watchers)
  end)

  it("numbers its consoles", function()
    local process <close> = Process.new()
    assert.same({ 1, 2 }, { process:new_console(), process:new_console() })
  end)
end)
