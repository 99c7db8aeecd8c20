local dice = require "spec.support.dice"
local frame = require "strobe.tectonic.frame"
local tick = require "strobe.tectonic.tick"

local function bytes(hex)
  return (hex:gsub("%s", ""):gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

-- Everything a decoder gives out.
local function drain(decoder, found)
  for text in function() return (decoder:next()) end do
    found[#found + 1] = text
  end
  return found
end

-- Feeds the text whole, split in two at every point, and byte by byte.
local function in_all_pieces(new, text, check)
  for cut = 0, #text do
    local decoder, found = new(), {}
    decoder:feed(text:sub(1, cut))
    drain(decoder, found)
    decoder:feed(text:sub(cut + 1))
    check(drain(decoder, found), decoder)
  end
  local decoder, found = new(), {}
  for i = 1, #text do
    decoder:feed(text:sub(i, i))
    drain(decoder, found)
  end
  check(found, decoder)
end

local BNC = { ts = 1513922718.770, seq = 0, is_bid = true, is_trade = false, price = tick.f32(0.001939),
  size = tick.f32(22.85) }
local BNC_NAMED = [[72 61 00 00 00 00 00 00 00 0b 62 6e 63 5f 62 74 63 5f 65 74 68 00 00 01 60 7c d3 6c 32
  00 00 00 00 01 3a fe 26 0b 41 b6 cc cd 0a]]
local BNC_CURRENT = [[72 61 00 00 00 00 00 00 00 00 00 00 01 60 7c d3 6c 32 00 00 00 00 01 3a fe 26 0b
  41 b6 cc cd 0a]]

describe("reply frame", function()
  local examples = {
    { "PONG", true, "PONG", "01 00 00 00 00 00 00 00 04 50 4f 4e 47" },
    { "an empty success", true, "", "01 00 00 00 00 00 00 00 00" },
    { "an error of generation A", false, "ERR: No db named `nope`\n\n", [[00 00 00 00 00 00 00 00 19 45 52 52
      3a 20 4e 6f 20 64 62 20 6e 61 6d 65 64 20 60 6e 6f 70 65 60 0a 0a]] },
    { "an error of generation C", false, "ERR: No db named `nope`\n", [[00 00 00 00 00 00 00 00 18 45 52 52
      3a 20 4e 6f 20 64 62 20 6e 61 6d 65 64 20 60 6e 6f 70 65 60 0a]] },
    { "the answer to SUBSCRIBE", true, "Subscribed to bnc_btc_eth", [[01 00 00 00 00 00 00 00 19 53 75 62 73 63
      72 69 62 65 64 20 74 6f 20 62 6e 63 5f 62 74 63 5f 65 74 68]] },
    { "NONE", true, "NONE", "01 00 00 00 00 00 00 00 04 4e 4f 4e 45" },
    { "a pushed update", true, bytes(BNC_NAMED), "01 00 00 00 00 00 00 00 2b" .. BNC_NAMED },
  }

  describe("encode_reply", function()
    for _, example in ipairs(examples) do
      it("writes " .. example[1], function()
        assert.equal(bytes(example[4]), frame.encode_reply(example[2], example[3]))
      end)
    end

    it("leaves the length out for a bare answer", function()
      assert.equal("\1batches", frame.encode_reply(true, "batches", true))
    end)
  end)

  describe("decode_reply_header", function()
    for _, example in ipairs(examples) do
      it("reads that of " .. example[1], function()
        local success, length, code = frame.decode_reply_header(bytes(example[4]):sub(1, frame.REPLY_HEADER))
        assert.equal(example[2], success)
        assert.equal(#example[3], length)
        assert.is_nil(code)
      end)
    end

    it("accepts a body of exactly the limit, which is 64 MiB unless told otherwise", function()
      assert.same({ true, 100 }, { frame.decode_reply_header(bytes "01 00 00 00 00 00 00 00 64", 100) })
      assert.same({ true, 64 * 1024 * 1024 }, { frame.decode_reply_header(bytes "01 00 00 00 00 04 00 00 00") })
      assert.is_nil((frame.decode_reply_header(bytes "01 00 00 00 00 04 00 00 01")))
    end)

    local impossible = {
      { "02 00 00 00 00 00 00 00 00", "status byte 2" },
      { "ff 00 00 00 00 00 00 00 00", "status byte 255" },
      { "7b 22 74 73 22 3a 31 35 30", "status byte 123" },
      { "01 00 00 00 00 00 00 00 65", "a body of 101 bytes, the limit is 100" },
      { "01 00 00 00 01 00 00 00 00", "a body of 4294967296 bytes" },
      { "01 7f ff ff ff ff ff ff ff", "a body of 9223372036854775807 bytes" },
      { "01 80 00 00 00 00 00 00 00", "a body of 2^63 or more bytes" },
      { "01 ff ff ff ff ff ff ff ff", "a body of 2^63 or more bytes" },
    }
    for _, case in ipairs(impossible) do
      it("refuses " .. case[1] .. ", and shows it", function()
        local success, message, code = frame.decode_reply_header(bytes(case[1]), 100)
        assert.is_nil(success)
        assert.truthy(message:find(case[2], 1, true), message)
        assert.truthy(message:find(case[1], 1, true), message)
        assert.equal("EPROTO", code)
      end)
    end
  end)
end)

describe("request line", function()
  describe("encode_line", function()
    it("writes the worked examples", function()
      assert.equal(bytes "50 49 4e 47 0a", frame.encode_line("PING"))
      assert.equal(bytes "53 55 42 53 43 52 49 42 45 20 62 6e 63 5f 62 74 63 5f 65 74 68 0a",
        frame.encode_line("SUBSCRIBE bnc_btc_eth"))
      assert.equal("\n", frame.encode_line(""))
    end)

    it("refuses a line end that would smuggle in a second command", function()
      for _, text in ipairs { "CREATE x\nCLEAR ALL", "PING\r", "\n" } do
        assert.error_matches(function() frame.encode_line(text) end, "text: a command must not contain")
      end
    end)
  end)

  describe("line_decoder", function()
    it("reads lines in any pieces, without their line ends", function()
      in_all_pieces(frame.line_decoder, "PING\nUSE a\r\n\n\r\nCOUNT \r\r\nGET ALL\n", function(found, decoder)
        assert.same({ "PING", "USE a", "", "", "COUNT \r", "GET ALL" }, found)
        assert.equal(0, decoder:pending())
        assert.is_nil(decoder:finish())
      end)
    end)

    it("gives a last line without its end when the stream ends", function()
      in_all_pieces(frame.line_decoder, "PING\nINSERT 1", function(found, decoder)
        assert.same({ "PING" }, found)
        assert.equal(8, decoder:pending())
        assert.equal("INSERT 1", decoder:finish())
        assert.is_nil(decoder:finish())
        assert.equal(0, decoder:pending())
      end)
    end)

    it("accepts a line of exactly the limit, with either line end", function()
      in_all_pieces(function() return frame.line_decoder { limit = 4 } end, "PING\r\nPONG\n", function(found)
        assert.same({ "PING", "PONG" }, found)
      end)
    end)

    for _, text in ipairs { "12345\n", "12345\r\n", "123456", "1234\r5", ("x"):rep(500) } do
      it(("refuses %q, longer than 4 bytes, for ever"):format(text:sub(1, 8)), function()
        in_all_pieces(function() return frame.line_decoder { limit = 4 } end, "PING\n" .. text,
          function(found, decoder)
            assert.same({ "PING" }, found)
            decoder:feed("PING\n")
            local line, message, code = decoder:next()
            assert.is_nil(line)
            assert.equal("line longer than 4 bytes", message)
            assert.equal("EMSGSIZE", code)
            assert.is_nil(decoder:finish())
          end)
      end)
    end

    it("refuses a line without end as soon as it is too long", function()
      local decoder = frame.line_decoder { limit = 4 }
      decoder:feed("12345")
      assert.same({ nil }, { decoder:next() })
      decoder:feed("6")
      assert.equal("EMSGSIZE", select(3, decoder:next()))
    end)

    it("reads a long line byte by byte, and many short ones in one piece", function()
      local decoder, text = frame.line_decoder { limit = 300000 }, ("x"):rep(300000)
      for i = 1, #text do
        decoder:feed(text:sub(i, i))
        assert(decoder:next() == nil)
      end
      decoder:feed("\n")
      assert.is_true(decoder:next() == text)

      decoder:feed(("\n"):rep(100000))
      local count = 0
      while decoder:next() do
        count = count + 1
      end
      assert.equal(100000, count)
    end)

    it("needs no more memory for the last line than for the first", function()
      local decoder = frame.line_decoder()
      collectgarbage()
      local before = collectgarbage("count")
      for _ = 1, 100000 do
        decoder:feed("PING\n")
        while decoder:next() do end
      end
      collectgarbage()
      assert.is_true(collectgarbage("count") - before < 64)
    end)

    it("gives the same lines however the stream is torn", function()
      local random = dice(13)
      for _ = 1, 500 do
        local text = {}
        for i = 1, random(60) do
          text[i] = random(6) == 1 and "\n" or random(9) == 1 and "\r" or "x"
        end
        text = table.concat(text) .. "\n"
        local expected = {}
        for line in text:gmatch("([^\n]*)\n") do
          expected[#expected + 1] = line:gsub("\r$", "")
        end
        local decoder, found, from = frame.line_decoder(), {}, 1
        while from <= #text do
          local to = from + random(9) - 1
          decoder:feed(text:sub(from, to))
          if random(2) == 1 then
            drain(decoder, found)
          end
          from = to + 1
        end
        assert.same(expected, drain(decoder, found))
      end
    end)
  end)
end)

describe("request of generation C", function()
  it("is a length and a payload", function()
    assert.equal(bytes "00 00 00 04 50 49 4e 47", frame.encode_request("PING"))
    assert.equal(bytes("00 00 00 2b" .. BNC_NAMED), frame.encode_request(frame.encode_insert(BNC, "bnc_btc_eth")))
    assert.equal(bytes("00 00 00 20" .. BNC_CURRENT), frame.encode_request(frame.encode_insert(BNC)))
  end)

  it("is read in any pieces", function()
    local insert = frame.encode_insert(BNC, "bnc_btc_eth")
    in_all_pieces(frame.request_decoder, frame.encode_request("PING") .. frame.encode_request("")
      .. frame.encode_request(insert), function(found, decoder)
      assert.same({ "PING", "", insert }, found)
      assert.equal(0, decoder:pending())
    end)
  end)

  it("may have 1 MiB, and no more", function()
    local decoder, largest = frame.request_decoder(), ("x"):rep(1048576)
    decoder:feed(frame.encode_request(largest))
    assert.is_true(decoder:next() == largest)
    assert.error_matches(function() frame.encode_request(largest .. "x") end, "payload: 1048577 bytes")
    decoder:feed("\0\16\0\1")
    local payload, message, code = decoder:next()
    assert.is_nil(payload)
    assert.equal("a request of 1048577 bytes, the limit is 1048576", message)
    assert.equal("EMSGSIZE", code)
  end)

  it("tells at the end of the stream that it was cut", function()
    local text = frame.encode_request "PING"
    for cut = 1, #text - 1 do
      local decoder = frame.request_decoder()
      decoder:feed(text:sub(1, cut))
      assert.is_nil((decoder:next()))
      assert.equal(cut, decoder:pending())
    end
  end)

  it("refuses a limit that is no positive integer", function()
    for _, limit in ipairs { 0, -1, 1.5, "x" } do
      assert.error_matches(function() frame.request_decoder { limit = limit } end, "limit: a positive integer")
    end
  end)

  -- Quadratic copying would take minutes here, not a moment.
  it("reads a large payload byte by byte, and many small ones in one piece", function()
    local payload = ("x"):rep(300000)
    local decoder, text = frame.request_decoder(), frame.encode_request(payload)
    for i = 1, #text - 1 do
      decoder:feed(text:sub(i, i))
      assert(decoder:next() == nil)
    end
    decoder:feed(text:sub(-1))
    assert.is_true(decoder:next() == payload)

    decoder:feed(frame.encode_request("PING"):rep(100000))
    local count = 0
    while decoder:next() do
      count = count + 1
      decoder:feed("")
    end
    assert.equal(100000, count)
  end)

  it("needs no more memory for the last request than for the first", function()
    local decoder, text = frame.request_decoder(), frame.encode_request "PING"
    collectgarbage()
    local before = collectgarbage("count")
    for _ = 1, 50000 do
      decoder:feed(text:sub(1, 5))
      decoder:feed(text:sub(6))
      while decoder:next() do end
    end
    collectgarbage()
    assert.is_true(collectgarbage("count") - before < 64)
  end)

  it("is the same however the stream is torn", function()
    local random = dice(11)
    for _ = 1, 500 do
      local expected, text = {}, {}
      for i = 1, random(8) do
        expected[i] = ("b"):rep(random(30) - 1)
        text[i] = frame.encode_request(expected[i])
      end
      text = table.concat(text)
      local decoder, found, from = frame.request_decoder(), {}, 1
      while from <= #text do
        local to = from + random(12) - 1
        decoder:feed(text:sub(from, to))
        if random(3) == 1 then
          drain(decoder, found)
        end
        from = to + 1
      end
      assert.same(expected, drain(decoder, found))
    end
  end)

  it("is any bytes, or a wait, or an error for ever", function()
    local random = dice(12)
    for _ = 1, 3000 do
      local decoder, text = frame.request_decoder { limit = 50 }, {}
      for i = 1, random(60) do
        text[i] = string.char(random(4) == 1 and random(256) - 1 or random(2) - 1)
      end
      decoder:feed(table.concat(text))
      local payload, _, code = decoder:next()
      while payload do
        assert.is_true(#payload <= 50)
        payload, _, code = decoder:next()
      end
      assert.truthy(code == nil or code == "EMSGSIZE")
      assert.equal(code, (select(3, decoder:next())))
    end
  end)

  it("refuses the text of a generation A client, which reads as a huge length", function()
    in_all_pieces(frame.request_decoder, "PING\n", function(found, decoder)
      assert.same({}, found)
      assert.equal("EMSGSIZE", select(3, decoder:next()))
    end)
  end)
end)

describe("binary insert", function()
  it("has the bytes of the worked examples", function()
    assert.equal(bytes(BNC_NAMED), frame.encode_insert(BNC, "bnc_btc_eth"))
    assert.equal(bytes(BNC_CURRENT), frame.encode_insert(BNC))
    assert.equal(bytes(BNC_CURRENT), frame.encode_insert(BNC, ""))
  end)

  it("is read back with its book", function()
    local value, book = frame.decode_insert(bytes(BNC_NAMED))
    assert.same(BNC, value)
    assert.equal("bnc_btc_eth", book)
    value, book = frame.decode_insert(bytes(BNC_CURRENT))
    assert.same(BNC, value)
    assert.is_nil(book)
  end)

  it("carries both flags, in the order bid 1, trade 2", function()
    for flags = 0, 3 do
      local value = { ts = 1, seq = 2, is_bid = flags % 2 == 1, is_trade = flags >= 2, price = 3.0, size = 4.0 }
      local payload = frame.encode_insert(value, "b")
      assert.equal(flags, payload:byte(24))
      assert.same(value, frame.decode_insert(payload))
    end
  end)

  it("is read without its line feed too, even when the size ends in that byte", function()
    local value = { ts = 1, seq = 2, is_bid = true, is_trade = true, price = 1.0,
      size = string.unpack(">f", "\x41\xb6\xcc\x0a") }
    local payload = frame.encode_insert(value, "b")
    assert.same(value, frame.decode_insert(payload))
    assert.same(value, frame.decode_insert(payload:sub(1, -2)))
  end)

  local row = bytes(BNC_CURRENT):sub(11)
  local zero = ("\0"):rep(7)
  local malformed = {
    { "nothing", "", "Bad format." }, { "a text command", "PING", "Bad format." },
    { "the prefix alone", "ra", "Bad format." }, { "a cut name length", "ra" .. zero, "Bad format." },
    { "a name longer than the payload", "ra" .. zero .. "\x40" .. row, "Bad format." },
    { "a name one byte longer than the payload", "ra" .. zero .. "\x17" .. row, "Bad format." },
    { "a name as long as the payload", "ra" .. zero .. "\x16" .. row, "Bad format." },
    { "a name of 65 bytes", "ra" .. zero .. "\x41" .. ("n"):rep(65) .. row, "Bad format." },
    { "a name of 2^63 bytes", "ra\x80" .. zero .. row, "Bad format." },
    { "a name of 2^64-1 bytes", "ra" .. ("\xFF"):rep(8) .. row, "Bad format." },
    { "a name that is not UTF-8", "ra" .. zero .. "\1\xFF" .. row, "Bad format." },
    { "no row", "ra" .. zero .. "\0", "Unable to parse line" },
    { "a cut row", "ra" .. zero .. "\0" .. row:sub(1, 20), "Unable to parse line" },
    { "another byte than a line feed behind the row", "ra" .. zero .. "\0" .. row:sub(1, 21) .. "x",
      "Unable to parse line" },
    { "more bytes behind the row", "ra" .. zero .. "\0" .. row .. "\n", "Unable to parse line" },
    { "an unknown flag", "ra" .. zero .. "\0" .. row:sub(1, 12) .. "\4" .. row:sub(14), "Unable to parse line" },
    { "a time of 2^63 ms", "ra" .. zero .. "\0\x80" .. row:sub(2), "Unable to parse line" },
    { "an infinite price", "ra" .. zero .. "\0" .. row:sub(1, 13) .. "\x7f\x80\0\0" .. row:sub(18),
      "Unable to parse line" },
    { "a size that is no number", "ra" .. zero .. "\0" .. row:sub(1, 17) .. "\x7f\xc0\0\0\n",
      "Unable to parse line" },
  }
  for _, case in ipairs(malformed) do
    it("is refused with " .. case[1], function()
      local value, message, code = frame.decode_insert(case[2])
      assert.is_nil(value)
      assert.equal(case[3], message)
      assert.equal("EPROTO", code)
    end)
  end

  it("is refused when cut anywhere but before its line feed", function()
    local payload = bytes(BNC_NAMED)
    for cut = 0, #payload - 2 do
      assert.is_nil((frame.decode_insert(payload:sub(1, cut))))
    end
  end)

  it("carries a name of 64 bytes", function()
    assert.equal(("n"):rep(64), select(2, frame.decode_insert(frame.encode_insert(BNC, ("n"):rep(64)))))
  end)

  it("raises for what is not a tick, and for a name no server takes", function()
    assert.error_matches(function() frame.encode_insert({ ts = 1 }, "b") end, "seq: an integer")
    assert.error_matches(function() frame.encode_insert(BNC, ("n"):rep(65)) end, "book: a name of 65 bytes")
  end)

  it("survives any damage", function()
    local random, payload = dice(14), bytes(BNC_NAMED)
    for _ = 1, 4000 do
      local at = random(#payload)
      local damaged = payload:sub(1, at - 1) .. string.char(random(256) - 1) .. payload:sub(at + random(2))
      local value, message, code = frame.decode_insert(damaged)
      if value then
        assert.is_true(tick.check(value))
      else
        assert.equal("EPROTO", code, message)
      end
    end
  end)
end)
