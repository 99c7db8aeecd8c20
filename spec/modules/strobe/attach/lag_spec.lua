local Lag = require "strobe.attach.lag"
local async = require "strobe.async"

describe("the lag of the loop", function()
  it("is what 99 of 100 figures are not above", function()
    local lag = Lag.new()
    assert.is_nil(lag:p99())
    lag:add(-0.001)
    assert.equal(0, lag:p99())
    for i = 1, 100 do
      lag:add(i / 1000)
    end
    assert.equal(0.099, lag:p99())
  end)

  it("is that of the last minute", function()
    local lag = Lag.new()
    for _ = 1, 10 do
      lag:add(9)
    end
    for _ = 1, 240 do
      lag:add(0.001)
    end
    assert.equal(0.001, lag:p99())
  end)

  it("is measured four times a second", function()
    local lag = Lag.new()
    local task = async.create_task(lag.run, lag)
    async.sleep(2.1)
    task:cancel()
    assert.equal(8, #lag)
  end)
end)
