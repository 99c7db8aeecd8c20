local streams = require "strobe.live.streams"

local one = { name = "one", streams = { "btc_usd", "eth_usd" } }
local two = { name = "two", streams = { "eth_usd", "x:y" } }
local any = { name = "any" }

local function check(name, ...)
  return streams.check(name, { ... }, { fills = true })
end

describe("the name of a stream", function()
  it("is one of a feed, or of the runtime", function()
    for _, name in ipairs { "btc_usd", "one:btc_usd", "two:eth_usd", "x:y", "two:x:y", "fills" } do
      assert.is_true(check(name, one, two), name)
    end
  end)

  it("may be anything where a feed may have anything", function()
    assert.is_true(check("what", one, any))
    assert.is_true(check("any:what", one, any))
    assert.is_false((check("one:what", one, any)))
  end)

  it("is refused when two feeds have it, with what to say", function()
    local ok, message = check("eth_usd", one, two, any)
    assert.is_false(ok)
    assert.equal("the stream 'eth_usd' is of 2 feeds: say 'one:eth_usd' or 'two:eth_usd'", message)
  end)

  it("is refused when none has it, with the three nearest", function()
    local _, message = check("btc_usb", one, two)
    assert.equal("no feed has a stream 'btc_usb'; the nearest of 5: 'btc_usd', 'eth_usd', 'fills'", message)
    _, message = check("three:btc_usd", one)
    assert.matches("no feed has a stream 'three:btc_usd'", message)
  end)

  it("may be long, and anything", function()
    local ok, message = check(("x"):rep(100000), one)
    assert.is_false(ok)
    assert.is_string(message)
    assert.is_false((check("", one)))
    assert.is_false((check(":", one)))
  end)
end)
