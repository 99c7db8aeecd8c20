local async = require "strobe.async"
local ether = require "spec.support.ether"
local place = require "strobe.sketch.place"

-- A component that is served on a port, and what it was told about its announcement.
local function component(port)
  local told = async.Queue()
  return {
    name = "IOPin",
    port = function() return port end,
    announced = function(_, ...) told:put_nowait(table.pack(...)) end,
  }, told
end

describe("the place of a component", function()
  it("has a name of letters, digits, - and _, which is no address", function()
    for _, name in ipairs { "iopin", "IO-pin_2", "7", ("a"):rep(63) } do
      assert.is_true(place.is_name(name))
    end
    for _, name in pairs { "", "a.b", "127.0.0.1", "::1", "a b", "a:1", ("a"):rep(64), 5, {} } do
      assert.is_false(place.is_name(name))
    end
    assert.is_false(place.is_name(nil))
  end)

  it("is found in a list, without asking anybody", function()
    local found = assert(place.find("iopin", { discovery = { services = { iopin = "127.0.0.1:8765" } } }))
    assert.same({ "127.0.0.1", 8765 }, { found.host, found.port })
  end)

  it("is told by name, with the component's, until it is closed", function()
    local network = ether.new()
    local pin, told = component(4711)
    local its = place.tell(pin, "iopin", "0.0.0.0", { discovery = { link = network:join "10.0.0.1" } })
    local name, wanted, why = table.unpack(told:get(), 1, 3)
    assert.same({ "iopin", "iopin" }, { name, wanted, why })
    local found = assert(place.find("iopin", { discovery = { link = network:join "10.0.0.2" } }))
    assert.same({ "10.0.0.1", 4711, "IOPin" }, { found.host, found.port, found.text.component })
    its:close()
    local gone, message, code = place.find("iopin", { discovery = { link = network:join "10.0.0.3", timeout = 1 } })
    assert.same({ nil, "ETIMEDOUT" }, { gone, code })
    assert.matches("^iopin", message) -- not "find iopin"
  end)

  it("may be closed before it was told", function()
    local network = ether.new()
    local pin, told = component(4711)
    local its = place.tell(pin, "iopin", "0.0.0.0", { discovery = { link = network:join "10.0.0.1" } })
    its:close()
    assert.equal(0, told:qsize())
  end)
end)
