local dice = require "spec.support.dice"
local dns = require "strobe.discovery.dns"

local IOPIN = "iopin._strobe._tcp.local"

-- The header's six numbers.
local function header(...)
  return string.pack(">I2I2I2I2I2I2", ...)
end

local HEADER_OF_ANSWER = header(0, 0x8400, 0, 1, 0, 0)

-- A record of any type with any data.
local function answer(name, kind, rdata, class, ttl)
  return HEADER_OF_ANSWER .. name .. string.pack(">I2I2I4s2", kind, class or 1, ttl or 120, rdata)
end

local LOCAL = "\5local\0"

local announcement = {
  id = 0, response = true, opcode = 0, authoritative = true, truncated = false, rcode = 0,
  questions = {}, authorities = {},
  answers = {
    { name = IOPIN, type = "SRV", flush = true, ttl = 120, priority = 1, weight = 2, port = 8765,
      target = "strobe-1.local" },
    { name = IOPIN, type = "TXT", flush = true, ttl = 4500, strings = { "a=1", "b" } },
    { name = "_strobe._tcp.local", type = "PTR", ttl = 4500, target = IOPIN },
    { name = "strobe-1.local", type = "A", flush = true, ttl = 120, address = "127.0.0.1" },
  },
  additionals = {
    { name = "strobe-1.local", type = "AAAA", flush = true, ttl = 120, address = "2001:db8::1" },
    { name = IOPIN, type = "TXT", ttl = 0, strings = {} },
    { name = IOPIN, type = 47, ttl = 120, rdata = "\0\1\2" },
    { name = IOPIN, type = 16384, class = 3, ttl = 0xFFFFFFFF, rdata = "" },
  },
}

local query = {
  id = 7, response = false, opcode = 0, authoritative = false, truncated = true, rcode = 0,
  questions = {
    { name = "_strobe._tcp.local", type = "PTR" },
    { name = IOPIN, type = "ANY", unicast = true },
    { name = "Büro 1\\.2._ipp._tcp.local", type = 99, class = 3 },
  },
  answers = {}, authorities = {}, additionals = {},
}

describe("a DNS message", function()
  it("comes back from its bytes as it was", function()
    assert.same(announcement, dns.decode(dns.encode(announcement)))
    assert.same(query, dns.decode(dns.encode(query)))
    assert.same({ id = 0, response = false, opcode = 0, authoritative = false, truncated = false, rcode = 0,
      questions = {}, answers = {}, authorities = {}, additionals = {} }, dns.decode(dns.encode {}))
  end)

  it("has exactly the bytes of RFC 1035", function()
    assert.equal(header(0, 0, 1, 0, 0, 0) .. "\7_strobe\4_tcp\5local\0" .. "\0\12\0\1",
      dns.encode { questions = { { name = "_strobe._tcp.local", type = "PTR" } } })
    assert.equal(header(0, 0x8400, 0, 2, 0, 0)
      .. "\1a\5local\0" .. "\0\1\x80\1" .. "\0\0\0\x78" .. "\0\4\10\0\0\1"
      .. "\1b\xC0\x0E" .. "\0\33\0\1" .. "\0\0\0\x78" .. "\0\8" .. "\0\0\0\0\0\80" .. "\xC0\x0C",
      dns.encode { response = true, authoritative = true, answers = {
        { name = "a.local", type = "A", flush = true, ttl = 120, address = "10.0.0.1" },
        { name = "b.local", type = "SRV", ttl = 120, port = 80, target = "A.LOCAL" },
      } })
  end)

  it("for who speaks no multicast DNS has whole names in SRV", function()
    local message = { response = true, answers = { { name = "b.local", type = "SRV", ttl = 1, port = 80,
      target = "b.local" } } }
    assert.equal(header(0, 0x8000, 0, 1, 0, 0) .. "\1b\5local\0\0\33\0\1\0\0\0\1\0\15\0\0\0\0\0\80\1b\5local\0",
      dns.encode(message, true))
  end)

  it("compresses names only up to what a pointer reaches", function()
    local records = {}
    for i = 1, 200 do
      records[i] = { name = ("r%d.local"):format(i), type = "TXT", ttl = 1, strings = { ("x"):rep(100) } }
    end
    local bytes = dns.encode { answers = records }
    local after = bytes:find("\4r199\xC0", 1, true)
    assert.is_true(after > 0x4000) -- still points to the first "local"
    assert.matches("a message of more than 9000 bytes", (select(2, dns.decode(bytes))))
  end)

  it("cannot be made of what is no name, address or text", function()
    for _, record in ipairs {
      { name = "a..b", type = "PTR", ttl = 1, target = "b" },
      { name = "a", type = "PTR", ttl = 1, target = "" },
      { name = "a", type = "A", ttl = 1, address = "1.2.3" },
      { name = "a", type = "TXT", ttl = 1, strings = { ("x"):rep(256) } },
    } do
      assert.is_false((pcall(dns.encode, { answers = { record } })))
    end
  end)

  describe("that is cut", function()
    it("anywhere is refused, with a reason", function()
      for _, bytes in ipairs { dns.encode(announcement), dns.encode(query) } do
        for size = 0, #bytes - 1 do
          local message, why = dns.decode(bytes:sub(1, size))
          assert.is_nil(message)
          assert.is_string(why)
        end
      end
    end)
  end)

  describe("that is hostile", function()
    local function refused(bytes)
      local message, why = dns.decode(bytes)
      assert.is_nil(message)
      return why
    end

    it("does not lead a name round in circles", function()
      assert.equal("a name's pointer at byte 12 does not lead back", refused(answer("\xC0\x0C", 12, LOCAL)))
      assert.equal("a name's pointer at byte 12 does not lead back", refused(answer("\xC0\xFF", 12, LOCAL)))
      -- Two that point at each other, and a label before one that points at it.
      assert.matches("does not lead back", refused(answer("\xC0\x0E\xC0\x0C", 12, LOCAL)))
      assert.matches("does not lead back", refused(answer("\1a\xC0\x0C", 12, LOCAL)))
    end)

    it("does not send a name along many pointers", function()
      -- 100 pointers, each to the one before it, in the data of an unknown record.
      local chain = { LOCAL }
      for i = 1, 100 do
        chain[#chain + 1] = string.pack(">I2", 0xC000 | 12 + 1 + 10 + (i == 1 and 0 or 7 + 2 * (i - 2)))
      end
      local rdata = table.concat(chain)
      local last = 12 + 1 + 10 + 7 + 2 * 99
      local bytes = header(0, 0x8400, 0, 2, 0, 0) .. "\0" .. string.pack(">I2I2I4s2", 99, 1, 1, rdata)
        .. string.pack(">I2", 0xC000 | last) .. string.pack(">I2I2I4s2", 99, 1, 1, "")
      assert.equal("a name with more than 64 pointers", refused(bytes))
    end)

    it("does not make a name of more than 255 bytes", function()
      local label = "\63" .. ("a"):rep(63)
      assert.equal("a name with more than 255 bytes", refused(answer(label:rep(5) .. "\0", 99, "")))
    end)

    it("is refused for data that is not what its type says", function()
      for expected, bytes in pairs {
        ["an address of 5 bytes"] = answer("\0", 1, "12345"),
        ["an address of 4 bytes"] = answer("\0", 28, "1234"),
        ["a SRV record of 6 bytes"] = answer("\0", 33, "123456"),
        ["a text is longer than its record"] = answer("\0", 16, "\5abc"),
        ["a name does not end with its record"] = answer("\0", 12, LOCAL .. "x"),
        ["a label of an unknown kind at byte 12"] = answer("\x40", 12, ""),
        ["a message of 3 bytes"] = "abc",
        ["the message ends inside a name"] = header(0, 0, 65535, 65535, 65535, 65535),
      } do
        assert.equal(expected, refused(bytes))
      end
      assert.equal("a name does not end with its record", refused(answer("\0", 12, "\3abc") .. "\0"))
    end)

    it("takes a bounded time, whatever it says", function()
      local label = "\63" .. ("a"):rep(62) .. "b"
      local bytes = header(0, 0x8400, 0, 700, 0, 0) .. label:rep(3) .. "\0"
        .. string.pack(">I2I2I4s2", 99, 1, 1, "")
      bytes = bytes .. (string.pack(">I2", 0xC00C) .. string.pack(">I2I2I4s2", 99, 1, 1, "")):rep(699)
      local message = assert(dns.decode(bytes))
      assert.equal(700, #message.answers)
      assert.equal(3 * 64 - 1, #message.answers[700].name)
    end)

    it("is a message or is refused, and what is taken can be sent on: 20,000 that were changed at random", function()
      local random = dice(42)
      local seeds, taken = { dns.encode(announcement), dns.encode(query) }, 0
      for _ = 1, 20000 do
        local bytes = seeds[random(2)]
        for _ = 1, random(4) do
          local at, what = random(#bytes), random(4)
          local byte = random(256) - 1
          local new = what == 1 and "" or what == 2 and string.char(0xC0, byte) or string.char(byte)
          bytes = bytes:sub(1, at - 1) .. new .. bytes:sub(at + random(2))
        end
        local message, why = dns.decode(bytes)
        if message then
          taken = taken + 1
          local again = dns.encode(message)
          if #again <= dns.MOST then
            assert.same(message, dns.decode(again))
          end
        else
          assert.is_string(why)
        end
      end
      assert.is_true(taken > 1000 and taken < 19000, tostring(taken))
    end)

    it("is refused or a message when it is noise: 20,000 of them", function()
      local random = dice(43)
      for _ = 1, 20000 do
        local parts = { header(0, 0x8400, random(3) - 1, random(3) - 1, random(2) - 1, random(2) - 1) }
        for i = 2, random(60) do
          parts[i] = string.char(random(4) == 1 and 0xC0 or random(256) - 1)
        end
        local message, why = dns.decode(table.concat(parts))
        assert.is_true(message and why == nil or type(why) == "string")
      end
    end)
  end)
end)

describe("two records", function()
  it("are the same but for their time to live and the case of names", function()
    local function srv(more)
      local record = { name = IOPIN, type = "SRV", ttl = 120, priority = 0, weight = 0, port = 1, target = "a.local" }
      for key, value in pairs(more) do
        record[key] = value
      end
      return record
    end
    assert.is_true(dns.same(srv {}, srv { ttl = 1, flush = true, name = IOPIN:upper(), target = "A.local" }))
    for key, value in pairs { port = 2, target = "b.local", name = "x.local", weight = 1, priority = 1 } do
      assert.is_false(dns.same(srv {}, srv { [key] = value }))
    end
    assert.is_false(dns.same({ name = "a", type = "A", address = "1.2.3.4" }, { name = "a", type = "A",
      address = "1.2.3.5" }))
    assert.is_true(dns.same({ name = "a", type = "TXT", strings = { "x" } }, { name = "a", type = "TXT",
      strings = { "x" } }))
  end)
end)
