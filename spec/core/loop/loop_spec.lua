local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local sh = require("spec.support.shell").run
local uv = require "luv"

describe("the loop", function()
  -- What a program prints in real time.
  local function live(code)
    return (sh("$S --clock=live -e '" .. code .. "'"))
  end

  it("runs at once what a timer of luv has made ready, though that was due before it polled", function()
    assert.equal("in time\n", live [[
      local async, time = require "strobe.async", require "strobe.core.time"
      local begun, future, timer = time.real(), async.Future(), require("luv").new_timer()
      timer:start(1, 0, function() future:set_result(true) end)
      async.create_task(function()
        async.sleep(0)
        while time.real() - begun < 0.02 do end
        async.sleep(30)
      end)
      future:await()
      print(time.real() - begun < 10 and "in time" or "late")
      timer:close()
      os.exit(0)]])
  end)

  describe("under the virtual clock, with a timer of luv", function()
    -- Whether it rings before a virtual minute is over.
    local function rings(milliseconds)
      local rang, timer = async.Event(), uv.new_timer()
      local _ <close> = cleanup(function()
        timer:close()
      end)
      timer:start(milliseconds, 0, function()
        rang:set()
      end)
      return (async.move_on_after(60, rang.wait, rang))
    end

    it("waits for it within its quiet period, and not longer", function()
      local began = async.time()
      assert.same({ true, true, false }, { rings(0), rings(1), rings(3600000) })
      assert.near(60, async.time() - began, 1e-6)
    end)

    it("jumps as fast as without", function()
      local timer = uv.new_timer()
      local _ <close> = cleanup(function()
        timer:close()
      end)
      timer:start(3600000, 0, print)
      local began = async.time()
      for _ = 1, 20000 do -- at 5 ms each it would take minutes
        async.sleep(0.001)
      end
      assert.near(20, async.time() - began, 1e-6)
    end)
  end)

  describe("under the virtual clock, while another process is at work", function()
    local time = require "strobe.core.time"

    local function paced(f)
      time.keep_pace()
      local timer = uv.new_timer() -- what the loop may wait for
      timer:start(3600000, 0, print)
      local _ <close> = cleanup(function()
        timer:close()
        time.end_pace()
      end)
      local now, real = time.now(), time.real()
      f()
      return time.now() - now, time.real() - real
    end

    it("passes time as fast as it really does", function()
      local took, really = paced(function()
        async.sleep(0.03)
      end)
      assert.near(0.03, took, 1e-9)
      assert.is_true(really >= 0.029)
    end)

    it("passes time also while things happen", function()
      local took, really = paced(function()
        local event = async.Event()
        local async_handle = uv.new_async(function()
          event:set()
        end)
        local sleeper = async.create_task(async.sleep, 0.03)
        while not sleeper:done() do
          event:clear()
          async_handle:send()
          event:wait()
          async.sleep(0.001)
        end
        async_handle:close()
      end)
      assert.is_true(took >= 0.03 and really >= 0.03)
      assert.is_true(took <= really + 0.001)
    end)

    it("jumps when nothing can come from anywhere", function()
      time.keep_pace()
      async.sleep(100)
      time.end_pace()
      assert.equal(100, time.now())
      assert.is_false(pcall(time.end_pace))
    end)
  end)
end)
