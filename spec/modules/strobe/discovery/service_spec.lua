local service = require "strobe.discovery.service"

local LO = { name = "lo", address = "127.0.0.1", loopback = true, ipv4 = { "127.0.0.1" }, ipv6 = { "::1" } }
local ETH = { name = "eth0", address = "10.0.0.1", loopback = false, ipv4 = { "10.0.0.1", "10.0.0.2" },
  ipv6 = { "fe80::1", "2001:db8::1" } }

-- The addresses that a service on a host has on an interface.
local function addresses(host, interface)
  local records = service.records({ instance = "iopin", type = "_strobe._tcp", port = 1, host = host,
    target = "pi.local", strings = {} }, interface)
  local list = {}
  for _, record in ipairs(records or {}) do
    list[#list + 1] = record.address and record.type .. " " .. record.address
  end
  return list
end

describe("a service", function()
  it("is told where it can be reached, with the addresses of that network", function()
    assert.same({ { "A 127.0.0.1" }, { "A 10.0.0.1" } }, { addresses("0.0.0.0", LO), addresses("0.0.0.0", ETH) })
    assert.same({ { "A 127.0.0.1" }, {} }, { addresses("127.0.0.1", LO), addresses("127.0.0.1", ETH) })
    assert.same({ { "A 127.0.0.2" }, {} }, { addresses("127.0.0.2", LO), addresses("127.0.0.2", ETH) })
    assert.same({ {}, { "A 10.0.0.2" } }, { addresses("10.0.0.2", LO), addresses("10.0.0.2", ETH) })
    assert.same({ { "A 127.0.0.1", "AAAA ::1" }, { "A 10.0.0.1", "AAAA 2001:db8::1" } },
      { addresses("::", LO), addresses("::", ETH) })
    assert.same({ { "AAAA ::1" }, {} }, { addresses("::1", LO), addresses("::1", ETH) })
    assert.same({ {}, {} }, { addresses("10.9.9.9", LO), addresses("fe80::1", ETH) })
    assert.is_true(service.reachable(LO, "0.0.0.0"))
    assert.is_false(service.reachable(ETH, "127.0.0.1"))
  end)

  it("takes the next number when its name is taken", function()
    for before, after in pairs {
      ["iopin"] = "iopin-2", ["iopin-2"] = "iopin-3", ["iopin-99"] = "iopin-100", ["pin-x"] = "pin-x-2",
      [("a"):rep(63)] = ("a"):rep(61) .. "-2", [("ü"):rep(31)] = ("ü"):rep(30) .. "-2",
      ["2020-12345"] = "2020-12345-2",
    } do
      assert.equal(after, service.rename(before))
      assert.is_true(#after <= 63)
    end
  end)
end)
