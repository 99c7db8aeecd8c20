local dice = require "spec.support.dice"
local dtf = require "strobe.tectonic.dtf"
local frame = require "strobe.tectonic.frame"
local tick = require "strobe.tectonic.tick"

local function bytes(hex)
  return (hex:gsub("%s", ""):gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function row(ms, seq)
  return { ts = ms / 1000, seq = seq, is_trade = false, is_bid = true, price = 1.5, size = 2.5 }
end

-- The sizes of the batches in a text, read without the decoder.
local function batch_sizes(text)
  local sizes, at = {}, 1
  while at <= #text do
    local count = string.unpack(">I2", text, at + 13)
    sizes[#sizes + 1] = count
    at = at + 15 + 12 * count
  end
  return sizes
end

local TWO_ROWS = {
  { ts = 1513922718.770, seq = 1000, is_bid = true, is_trade = false, price = tick.f32(0.001939),
    size = tick.f32(22.85) },
  { ts = 1513922718.870, seq = 1003, is_bid = false, is_trade = true, price = tick.f32(0.00194), size = 1.5 },
}
local TWO_ROWS_BYTES = [[01 00 00 01 60 7c d3 6c 32 00 00 03 e8 00 02 00 00 00 01 3a fe 26 0b 41 b6 cc cd
  00 64 03 02 3a fe 47 99 3f c0 00 00]]
local HEADER_BYTES = [[44 54 46 90 01 62 6e 63 5f 62 74 63 5f 65 74 68 20 20 20 20 20 20 20 20 20
  00 00 00 00 00 00 00 02 00 00 01 60 7c d3 6c 96]]

describe("dtf batches", function()
  describe("encode_batches", function()
    it("writes the worked example, 39 bytes", function()
      assert.equal(bytes(TWO_ROWS_BYTES), dtf.encode_batches(TWO_ROWS))
      assert.equal(bytes("01 00 00 00 00 00 00 00 27" .. TWO_ROWS_BYTES),
        frame.encode_reply(true, dtf.encode_batches(TWO_ROWS)))
    end)

    it("writes nothing for no ticks", function()
      assert.equal("", dtf.encode_batches({}))
    end)

    local splits = {
      { "65,534 ms after the reference stay together", { row(1000, 1), row(66534, 1) }, { 2 } },
      { "65,535 ms after the reference start a new batch", { row(1000, 1), row(66535, 1) }, { 1, 1 } },
      { "14 numbers after the reference stay together", { row(1000, 1), row(1000, 15) }, { 2 } },
      { "15 numbers after the reference start a new batch", { row(1000, 1), row(1000, 16) }, { 1, 1 } },
      { "an earlier time starts a new batch", { row(1000, 1), row(999, 2) }, { 1, 1 } },
      { "an earlier number starts a new batch", { row(1000, 2), row(1000, 1) }, { 1, 1 } },
      { "an earlier row than its neighbour, but not than the reference, stays",
        { row(1000, 1), row(1009, 9), row(1002, 2) }, { 3 } },
    }
    for _, case in ipairs(splits) do
      it("knows that " .. case[1], function()
        local text = dtf.encode_batches(case[2])
        assert.same(case[3], batch_sizes(text))
        assert.same(case[2], dtf.decode_batches(text))
      end)
    end

    it("starts a new batch after 65,535 rows", function()
      local ticks, one = {}, row(1000, 1)
      for i = 1, 65536 do
        ticks[i] = one
      end
      assert.same({ 65535, 1 }, batch_sizes(dtf.encode_batches(ticks)))
    end)

    it("raises for what is not a tick, naming its position", function()
      assert.error_matches(function()
        dtf.encode_batches({ row(1, 1), { ts = 1, seq = "x" } })
      end, "ticks%[2%]%.seq:")
    end)
  end)

  describe("decode_batches", function()
    it("reads the worked example", function()
      assert.same(TWO_ROWS, dtf.decode_batches(bytes(TWO_ROWS_BYTES)))
    end)

    it("reads no bytes as no ticks", function()
      assert.same({}, dtf.decode_batches(""))
    end)

    it("reads several batches, and one without rows", function()
      local text = bytes(TWO_ROWS_BYTES) .. "\1" .. ("\0"):rep(14) .. bytes(TWO_ROWS_BYTES)
      assert.equal(4, #dtf.decode_batches(text))
      assert.same({}, dtf.decode_batches("\1" .. ("\0"):rep(14)))
    end)

    it("refuses bytes cut anywhere", function()
      local text = bytes(TWO_ROWS_BYTES)
      for cut = 1, #text - 1 do
        local ticks, message, code = dtf.decode_batches(text:sub(1, cut))
        assert.is_nil(ticks)
        assert.truthy(message:find("^damaged batches at byte %d+: "))
        assert.equal("EPROTO", code)
      end
    end)

    local text = bytes(TWO_ROWS_BYTES)
    local damaged = {
      { "another mark", "\2" .. text:sub(2), "byte 0: a batch starts with 1, not 2" },
      { "text", "PING and much more", "byte 0: a batch starts with 1, not 80" },
      { "an unknown flag", text:sub(1, 30) .. "\4" .. text:sub(32), "byte 27: flags: 4" },
      { "a price that is no number", text:sub(1, 19) .. "\x7f\xc0\0\0" .. text:sub(24), "byte 15: price:" },
      { "an infinite size", text:sub(1, 23) .. "\xff\x80\0\0" .. text:sub(28), "byte 15: size:" },
      { "a time of 2^63 ms", "\1\x80" .. text:sub(3), "byte 15: ts:" },
      { "numbers beyond u32", text:sub(1, 9) .. "\xff\xff\xff\xff" .. text:sub(14), "byte 27: seq:" },
      { "more rows than there are",
        text:sub(1, 13) .. "\xff\xff" .. text:sub(16), "65535 rows announced, only 2 there" },
      { "a row that is cut", text:sub(1, -2), "byte 15: 2 rows announced, only 1 there" },
      { "bytes behind the last batch", text .. "\1", "byte 39: a cut batch header" },
    }
    for _, case in ipairs(damaged) do
      it("refuses " .. case[1] .. " and says where", function()
        local ticks, message, code = dtf.decode_batches(case[2])
        assert.is_nil(ticks)
        assert.truthy(message:find(case[3], 1, true), message)
        assert.equal("EPROTO", code)
      end)
    end

    it("gives back any ticks", function()
      local random = dice(21)
      local ticks = {}
      for i = 1, 3000 do
        ticks[i] = { ts = (1513922718770 + random(70000) * random(3)) / 1000, seq = 1000 + random(40),
          is_trade = random(2) == 1, is_bid = random(2) == 1, price = tick.f32(random(8388608) / 1000),
          size = tick.f32(random(8388608) / 7) }
      end
      local all = dtf.encode_batches(ticks)
      assert.is_true(#batch_sizes(all) > 100)
      assert.same(ticks, dtf.decode_batches(all))
    end)
  end)
end)

describe("dtf header", function()
  local header = { symbol = "bnc_btc_eth", count = 2, max_ts = 1513922718.870 }

  it("has the 41 bytes of the worked example and 39 zeros", function()
    local text = dtf.encode_header(header)
    assert.equal(bytes(HEADER_BYTES), text:sub(1, 41))
    assert.equal(("\0"):rep(39), text:sub(42))
  end)

  it("is read back, from 41 bytes too", function()
    assert.same(header, dtf.decode_header(dtf.encode_header(header)))
    assert.same(header, dtf.decode_header(bytes(HEADER_BYTES)))
  end)

  it("takes a symbol of 20 bytes and refuses 21", function()
    local long = { symbol = ("s"):rep(20), count = 0, max_ts = 0 }
    assert.equal(long.symbol, dtf.decode_header(dtf.encode_header(long)).symbol)
    long.symbol = long.symbol .. "s"
    local text, message, code = dtf.encode_header(long)
    assert.is_nil(text)
    assert.equal("symbol: 21 bytes, the limit is 20", message)
    assert.equal("ENAMETOOLONG", code)
  end)

  it("is refused when cut anywhere", function()
    local text = bytes(HEADER_BYTES)
    for cut = 0, #text - 1 do
      local read, message, code = dtf.decode_header(text:sub(1, cut))
      assert.is_nil(read)
      assert.equal(("a DTF header has 80 bytes, only %d there"):format(cut), message)
      assert.equal("EPROTO", code)
    end
  end)

  it("is refused with another magic or impossible numbers", function()
    local text = bytes(HEADER_BYTES)
    assert.equal("not a DTF file", select(2, dtf.decode_header("DTF" .. text:sub(3))))
    assert.equal("not a DTF file", select(2, dtf.decode_header("x")))
    assert.truthy(select(2, dtf.decode_header(text:sub(1, 25) .. "\xFF" .. text:sub(27))):find("impossible"))
    assert.truthy(select(2, dtf.decode_header(text:sub(1, 33) .. "\xFF" .. text:sub(35))):find("impossible"))
  end)
end)
