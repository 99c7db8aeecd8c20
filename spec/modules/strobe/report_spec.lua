local shell = require "spec.support.shell"

describe("the log", function()
  it("tells the same once, and at the end how often it came", function()
    local output, status = shell.lua [[
      local function fail(i) error("bad " .. i) end
      for i = 1, 5 do async.create_task(fail, i) end
      async.sleep(1)
      collectgarbage() collectgarbage()
      error "the end"]]
    local _, count = output:gsub("bad %d", "")
    assert.equal(1, output:gsub("\n[^\n]* more of: [^\n]*", "") and select(2, output:gsub("in Task%-%d+:", "")))
    assert.is_true(count >= 1)
    assert.matches("strobe: warning: 4 more of: ", output)
    assert.matches("the end", output)
    assert.equal(1, status)
  end)

  it("tells what happened at several places", function()
    local output = shell.lua [[
      async.create_task(function() error "one" end)
      async.create_task(function()
        error "two"
      end)
      async.sleep(1)]]
    assert.matches("one", output)
    assert.matches("two", output)
    assert.not_matches("more of", output)
  end)

  it("may be somebody else's, who may not want all", function()
    local output = shell.lua [[
      local report = require "strobe.report"
      report.set_log {
        heeds = function(context) return context.message ~= "no" end,
        write = function(level, text) print(level, text) end,
      }
      local core = require "strobe.core.error"
      core.report { message = "no", warning = true }
      core.report { message = "yes", warning = true, at = "x.lua:1" }
      core.report { message = "yes", warning = true, at = "x.lua:1" }
      core.report { message = "Task-1 fails" }
      core.report { message = "Task-2 fails" }
      report.flush()
      report.set_log(nil)]]
    assert.equal("warning\tyes, at x.lua:1\nerror\tTask-1 fails\nwarning\t1 more of: Task-1 fails\n"
      .. "warning\t1 more of: yes, at x.lua:1\n", output)
  end)

  it("is not asked when an exception handler is set", function()
    local output = shell.lua [[
      async.get_running_loop():set_exception_handler(function(_, context) print(context.message) end)
      local core = require "strobe.core.error"
      core.report { message = "yes", warning = true }
      core.report { message = "yes", warning = true }]]
    assert.equal("yes\nyes\n", output)
  end)
end)
