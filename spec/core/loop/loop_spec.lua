local sh = require("spec.support.shell").run

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
end)
