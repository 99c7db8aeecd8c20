local amount = require "strobe.broker.amount"
local core = require "strobe.core.journal"
local dice = require "spec.support.dice"
local record = require "strobe.broker.record"

local PLACE = {
  op = "place", time = 1618677817.119, id = 'mm/5/"1"', unit = "mm", shared = true, symbol = "btc/usd ü", side = "buy",
  kind = "limit", size = 123456789, price = 0.1 + 0.2, ahead = 1, fills = { { 3, 1 / 3, -5 }, { 100000000, 7, 0 } },
}

describe("a record", function()
  it("is a line with checksum, number and JSON", function()
    local line = record.encode(3, { op = "cancel", time = 1.5, id = "mm/5/1" }, core.crc32)
    assert.equal(' 3 {"op":"cancel","time":1.5,"id":"mm/5/1"}\n', line:sub(9))
    assert.equal(("%08x"):format(core.crc32(line:sub(10, -2))), line:sub(1, 8))
  end)

  it("has the checksum that others call CRC-32", function()
    assert.equal(0xCBF43926, core.crc32 "123456789")
    assert.equal(0, core.crc32 "")
  end)

  it("is read as it was written", function()
    local line = record.encode(7, PLACE, core.crc32)
    assert.same(PLACE, record.decode(line:sub(1, -2), 7, core.crc32))
  end)

  it("has decimals that are exact", function()
    local random = dice(9)
    for _ = 1, 2000 do
      local value = { op = "fill", time = 0, id = "a", size = random(1 << 20) * random(1 << 20),
        price = random(1 << 20) / 7, fee = -random(1 << 20) }
      assert.same(value, record.decode(record.encode(1, value, core.crc32):sub(1, -2), 1, core.crc32))
    end
    local text = record.encode(1, { op = "fill", size = amount.of(0.5), fee = -1 }, core.crc32)
    assert.matches('"size":0.5,"fee":%-0.00000001}', text)
  end)

  it("says why a line is none", function()
    local line = record.encode(7, PLACE, core.crc32):sub(1, -2)
    for text, bad in pairs {
      ["its checksum is wrong"] = line:gsub("buy", "bug"),
      ["it is no record"] = "",
      ["it has the number 7, 8 is missing"] = line,
    } do
      local value, reason = record.decode(bad, bad == line and 8 or 7, core.crc32)
      assert.is_nil(value)
      assert.equal(text, reason)
    end
    local body = "1 [5]"
    assert.equal("it is no record", select(2, record.decode(("%08x %s"):format(core.crc32(body), body), 1, core.crc32)))
  end)
end)
