local Pace = require "spec.support.pace"
local async = require "strobe.async"
local shell = require "spec.support.shell"
local uv = require "luv"

-- Runs a line in a strobe of its own; returns all it printed, and its status.
local function strobe(code)
  return shell.run("$S $F", 'local async, uv = require "strobe.async", require "luv"\n' .. code)
end

describe("luv", function()
  it("runs on the loop of the tasks: a task waits for a callback through a Future", function()
    local f = async.Future()
    local timer = uv.new_timer()
    timer:start(1, 0, function()
      timer:close()
      f:set_result "came"
    end)
    assert.equal("came", f:await())
  end)

  it("does work on its threads while tasks go on", function()
    local kept <close> = Pace.keep() -- luacheck: ignore kept
    local f = async.Future()
    uv.fs_stat(".", function(e, stat)
      f:set_result(e or stat.type)
    end)
    assert.equal("directory", f:await())
  end)

  it("refuses to run the loop a second time", function()
    local ok, message = pcall(uv.run)
    assert.is_false(ok)
    assert.matches("strobe runs the loop; a script just returns or waits", message)
  end)

  it("reports an error in a callback, and goes on", function()
    local output, status = strobe [[
      local timer = uv.new_timer()
      timer:start(1, 0, function() timer:close() error "mine" end)
      async.sleep(0.05)
      print "on"]]
    assert.matches("error in a luv callback", output)
    assert.matches("mine", output)
    assert.matches("on\n$", output)
    assert.equal(0, status)
  end)

  it("with handles left open ends in order", function()
    local output, status = strobe [[
      timer, signal, check, async_handle = uv.new_timer(), uv.new_signal(), uv.new_check(), uv.new_async(print)
      timer:start(1000000, 0, print)
      signal:start("sigusr1", print)
      check:start(function() end)
      tcp = uv.new_tcp()
      tcp:bind("127.0.0.1", 0)
      tcp:listen(10, print)
      uv.new_timer():start(1000000, 0, print)
      local closing = uv.new_timer()
      closing:close(function() end)
      print "end"]]
    assert.equal("end\n", output)
    assert.equal(0, status)
  end)

  it("may not wait in a callback, and says what to do", function()
    local output, status = strobe [[
      local timer = uv.new_timer()
      timer:start(1, 0, function() timer:close() async.sleep(1) end)
      async.sleep(0.05)]]
    assert.matches("cannot wait here: no task is running", output)
    assert.equal(0, status)
  end)
end)
