local async = require "strobe.async"
local gpio = require "strobe.gpio"

describe("a watch of lines", function()
  it("tells who requests, reconfigures and releases pins", function()
    local board <close> = gpio.board { pins = 2 }
    local watch <close> = board:watch_lines()
    board:sleep(0.001)
    local line = assert(board:line(1, { consumer = "me" }))
    line:reconfigure { bias = "pull-up" }
    line:release()
    local seen = {}
    for event in watch do
      table.insert(seen, ("%s %s by %s, %s"):format(event.event, event.line, event.info.consumer, event.info.bias))
      assert.equal(1000000, event.timestamp_ns)
      if #seen == 3 then
        break
      end
    end
    assert.same({
      "requested 1 by me, disabled", "reconfigured 1 by me, pull-up", "released 1 by nil, disabled",
    }, seen)
  end)

  it("leaves out other pins than those asked for", function()
    local board <close> = gpio.board { pins = 2 }
    local watch <close> = board:watch_lines { "1" }
    board:line(0)
    board:line(1)
    assert.equal("1", watch:wait().line)
  end)

  it("drops the oldest when nobody looks", function()
    local board <close> = gpio.board { pins = 1 }
    local watch <close> = board:watch_lines()
    local line = assert(board:line(0))
    for _ = 1, 1030 do
      line:reconfigure {}
    end
    assert.equal(7, watch.overruns)
    assert.equal("reconfigured", watch:wait().event)
  end)

  it("ends when it or its board is closed", function()
    local board = gpio.board {}
    local task = async.create_task(function()
      return select(3, board:watch_lines():wait())
    end)
    async.sleep(0)
    board:close()
    assert.equal("ECANCELED", task:await())
  end)
end)
