local lookup = require "strobe.reference.lookup"
local wording = require "strobe.reference.wording"

local function item(name)
  return assert(lookup.find(name)[1], name)
end

describe("the wording of the reference", function()
  it("writes a function with its arguments, those in question marks that may be left out", function()
    assert.equal("async.wait_for(awaitable, seconds?, ...)", wording.signature(item "async.wait_for"))
    assert.equal("async.Queue:put(item)", wording.signature(item "Queue:put"))
    assert.equal("json", wording.signature { kind = "module", name = "json" })
  end)

  it("names types as users do, or with what stands for a class", function()
    assert.equal("async.Queue?", wording.type "strobe.Queue?")
    assert.equal("table<string, <Queue>>", wording.type("table<string, strobe.Queue>", function(class)
      return "<" .. class.short .. ">"
    end))
    assert.equal("strobe.NoClass", wording.type "strobe.NoClass")
  end)

  it("makes a sentence of a text, and one line of that", function()
    assert.equal("Takes a tick.", wording.text { text = "takes a tick" })
    assert.equal("Takes `x`.", wording.text { text = "takes `x`" })
    assert.equal("Takes a tick", wording.summary { text = "Takes a tick. Then another\none." })
    assert.equal("It sleeps one second", wording.summary { text = "It sleeps one\nsecond.\n\nMore." })
    local long = "Something that is told at length, so that it is more than a line in a list: " .. ("and "):rep(20)
    assert.equal("Something that is told at length, so that it is more than a line in a list",
      wording.summary { text = long })
  end)

  it("knows where a name comes from, what makes a class, and what to see as well", function()
    assert.equal("asyncio.gather", wording.origin(item "async.gather"))
    assert.same({ "ws.connect" }, wording.makers(item "ws.Connection"))
    assert.same({}, wording.makers(item "ws.connect"))
    local seen = {}
    for _, class in ipairs(wording.see_also(item "ws.connect")) do
      seen[class.name] = true
    end
    assert.is_true(seen["ws.Connection"])
  end)
end)
