local probe = require "strobe.discovery.probe"

local NAME = "iopin._strobe._tcp.local"

local function srv(port, target)
  return { name = NAME, type = "SRV", flush = true, ttl = 120, priority = 0, weight = 0, port = port,
    target = target or "pi.local" }
end

local function a(address)
  return { name = NAME, type = "A", flush = true, ttl = 120, address = address }
end

describe("of two who probe for a name", function()
  it("the one whose data is later in the alphabet wins, byte by byte", function()
    -- The example of RFC 6762 section 8.2.
    assert.is_true(probe.loses({ a "169.254.99.200" }, { a "169.254.200.50" }))
    assert.is_false(probe.loses({ a "169.254.200.50" }, { a "169.254.99.200" }))
    assert.is_true(probe.loses({ srv(255) }, { srv(256) }))
  end)

  it("neither loses when they say the same, in whatever order", function()
    assert.is_false(probe.loses({ a "10.0.0.1", srv(1) }, { srv(1), a "10.0.0.1" }))
  end)

  it("the one that says more wins, when all before is the same", function()
    assert.is_true(probe.loses({ a "10.0.0.1" }, { a "10.0.0.1", srv(1) }))
    assert.is_false(probe.loses({ a "10.0.0.1", srv(1) }, { a "10.0.0.1" }))
  end)

  it("the type counts before the data", function()
    assert.is_true(probe.loses({ a "255.255.255.255" }, { srv(1) }))
  end)

  it("nobody loses to who wants another name", function()
    local other = a "255.0.0.0"
    other.name = "buzzer._strobe._tcp.local"
    assert.is_false(probe.loses({ a "10.0.0.1" }, { other }))
  end)
end)

describe("a record of another one", function()
  local ours = { { srv(1), a "10.0.0.1" }, { srv(1), a "127.0.0.1" } }

  it("contradicts when it says something else about our name", function()
    assert.is_true(probe.contradicts(ours, srv(2)))
    assert.is_true(probe.contradicts(ours, srv(1, "other.local")))
    assert.is_true(probe.contradicts(ours, a "10.0.0.2"))
  end)

  it("does not when it says what we say on any interface, is a goodbye, or of another type", function()
    assert.is_false(probe.contradicts(ours, srv(1)))
    assert.is_false(probe.contradicts(ours, a "127.0.0.1"))
    local goodbye = srv(2)
    goodbye.ttl = 0
    assert.is_false(probe.contradicts(ours, goodbye))
    assert.is_false(probe.contradicts(ours, { name = NAME, type = "TXT", ttl = 1, strings = {} }))
  end)
end)
