local address = require "strobe.discovery.address"
local dice = require "spec.support.dice"

describe("an address", function()
  it("of IPv4 is four bytes", function()
    assert.equal("\127\0\0\1", address.pack "127.0.0.1")
    assert.equal("192.168.1.255", address.unpack "\192\168\1\255")
    for _, text in ipairs { "256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.x", "", "1..2.3", "0x1.2.3.4", "1234.1.1.1" } do
      assert.is_nil(address.pack(text), text)
    end
  end)

  it("of IPv6 is written as RFC 5952 wants it", function()
    for text, bytes in pairs {
      ["::"] = ("\0"):rep(16),
      ["::1"] = ("\0"):rep(15) .. "\1",
      ["2001:db8::1"] = "\x20\1\x0D\xB8" .. ("\0"):rep(11) .. "\1",
      ["fe80::"] = "\xFE\x80" .. ("\0"):rep(14),
      ["1:0:0:2::3"] = "\0\1\0\0\0\0\0\2\0\0\0\0\0\0\0\3",
      ["1::2:0:0:3:4"] = "\0\1\0\0\0\0\0\2\0\0\0\0\0\3\0\4",
      ["1:0:2:3:4:5:6:7"] = "\0\1\0\0\0\2\0\3\0\4\0\5\0\6\0\7",
      ["a:b:c:d:e:f:1:2"] = "\0\10\0\11\0\12\0\13\0\14\0\15\0\1\0\2",
    } do
      assert.equal(text, address.unpack(bytes))
      assert.equal(bytes, address.pack(text))
    end
  end)

  it("of IPv6 is read as it may be written otherwise", function()
    assert.equal(address.pack "::ffff:102:304", address.pack "::FFFF:1.2.3.4")
    assert.equal(address.pack "1::", address.pack "0001:0:0::0")
    for _, text in ipairs { ":", ":::", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "1:2:3:4:5:6:7::8",
      "::1.2.3", ":1:2:3:4:5:6:7", "fe80::1%lo" } do
      assert.is_nil(address.pack(text), text)
    end
  end)

  it("of any bytes comes back from its text", function()
    local random = dice(7)
    for _ = 1, 2000 do
      local bytes = {}
      for i = 1, random(2) == 1 and 4 or 16 do
        bytes[i] = string.char(random(3) == 1 and random(256) - 1 or 0)
      end
      local whole = table.concat(bytes)
      assert.equal(whole, address.pack(address.unpack(whole)))
    end
  end)

  it("is in one network with another when the netmask says so", function()
    assert.is_true(address.together("192.168.1.5", "192.168.1.200", "255.255.255.0"))
    assert.is_false(address.together("192.168.1.5", "192.168.2.5", "255.255.255.0"))
    assert.is_true(address.together("10.1.2.3", "10.200.1.1", "255.0.0.0"))
    assert.is_false(address.together("10.1.2.3", "fe80::1", "255.0.0.0"))
  end)

  it("is of the loopback, of the link, or of neither", function()
    assert.same({ true, true, false, false }, { address.is_loopback "127.9.9.9", address.is_loopback "::1",
      address.is_loopback "1.127.0.0", address.is_loopback "fe80::1" })
    assert.same({ true, true, false }, { address.is_link_local "fe80::1", address.is_link_local "FEBF::1",
      address.is_link_local "fec0::1" })
  end)
end)
