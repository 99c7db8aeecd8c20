local interface = require "strobe.discovery.interface"

local function made(name, address, netmask, loopback)
  return { name = name, address = address, loopback = loopback or false, ipv4 = { address }, ipv6 = {},
    networks = { { address = address, netmask = netmask } } }
end

local LIST = { made("lo", "127.0.0.1", "255.0.0.0", true), made("eth0", "192.168.1.5", "255.255.255.0"),
  made("eth1", "10.0.0.1", "255.0.0.0") }

describe("the network interfaces", function()
  it("of this machine come with their addresses, the loopback first", function()
    for i, found in ipairs(interface.all()) do
      assert.equal(found.address, found.ipv4[1])
      assert.is_true(i == 1 or not found.loopback)
      assert.equal(i, interface.of(interface.all(), found.address))
    end
  end)

  it("are told apart by the network of who has sent a packet; who is no neighbour has come by none", function()
    assert.equal(1, interface.of(LIST, "127.0.0.9"))
    assert.equal(2, interface.of(LIST, "192.168.1.77"))
    assert.equal(3, interface.of(LIST, "10.9.9.9"))
    assert.is_nil(interface.of(LIST, "8.8.8.8"))
    assert.is_nil(interface.of(LIST, "192.168.2.77"))
    assert.is_nil(interface.of(LIST, "fe80::1"))
  end)

  it("know this machine's own addresses", function()
    assert.is_true(interface.is_own(LIST, "192.168.1.5"))
    assert.is_true(interface.is_own(LIST, "127.0.0.2"))
    assert.is_false(interface.is_own(LIST, "192.168.1.6"))
  end)

  it("are chosen by name or address", function()
    assert.same({ LIST[1], LIST[3] }, interface.among(LIST, { "10.0.0.1", "lo", "10.0.0.1" }))
    assert.same({}, interface.among(LIST, { "wlan0" }))
  end)
end)
