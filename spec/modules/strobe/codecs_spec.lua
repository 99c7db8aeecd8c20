local async = require "strobe.async"
local codecs = require "strobe.codecs"
local dice = require "spec.support.dice"
local raised = require("spec.support.errors").raised

local utf_8 = codecs.getincrementaldecoder "utf-8"

-- The text of bytes that come in these pieces.
local function decode(how, ...)
  local decoder, parts = utf_8(how), {}
  for i = 1, select("#", ...) do
    parts[i] = decoder:decode((select(i, ...)))
  end
  return table.concat(parts) .. decoder:decode("", true)
end

-- Calls f with all ways to cut bytes in two, and with the one to cut them everywhere.
local function each_cut(bytes, f)
  for at = 0, #bytes do
    f(bytes:sub(1, at), bytes:sub(at + 1))
  end
  local single = {}
  for i = 1, #bytes do
    single[i] = bytes:sub(i, i)
  end
  f(table.unpack(single))
end

-- Bytes, and what "replace" makes of them, by Unicode 15, tables 3-8 to 3-11 and what is like them. "?" is U+FFFD.
local wrong = {
  { "a\xFFb", "a?b" },
  { "\x80", "?" },
  { "\xC0\xAF", "??" }, -- overlong forms
  { "\xC1\xBFx", "??x" },
  { "\xE0\x80\xAF", "???" },
  { "\xE0\x9F\xBF", "???" },
  { "\xF0\x80\x80\xAF", "????" },
  { "\xF0\x8F\xBF\xBF", "????" },
  { "\xED\xA0\x80", "???" }, -- surrogates
  { "\xED\xBF\xBFz", "???z" },
  { "\xF4\x90\x80\x80", "????" }, -- beyond U+10FFFF
  { "\xF5\x80\x80\x80", "????" },
  { "\xF8\x88\x80\x80\x80", "?????" },
  { "\xC3", "?" }, -- the end is missing
  { "\xE2\x82", "?" },
  { "\xF0\x9F\x98", "?" },
  { "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "????A" },
  { "x\xE2\x82y", "x?y" },
  { "\xE2\x82\xE2\x82\xAC", "?€" },
  { "\xC3\xC3\xA9", "?é" },
}

local good = {
  "", "plain", "é", "naïve €3,50", "😀😀", "\u{10FFFF}\u{10000}\u{FFFF}\u{E000}\u{D7FF}\u{800}\u{7FF}\u{80}\0",
}

describe("a decoder of UTF-8", function()
  it("gives good text as it is, however it is cut", function()
    for _, text in ipairs(good) do
      for _, how in ipairs { "strict", "replace", "ignore" } do
        each_cut(text, function(...)
          assert.equal(text, decode(how, ...))
        end)
      end
    end
  end)

  it("keeps a character back until its end comes", function()
    local decoder = utf_8()
    assert.equal("a", decoder:decode "a\xF0")
    assert.equal("", decoder:decode "\x9F")
    assert.equal("", decoder:decode "")
    assert.equal("", decoder:decode "\x98")
    assert.equal("😀b", decoder:decode "\x80b")
  end)

  it("replaces what is wrong, the longest beginning of a character at once, however it is cut", function()
    for _, case in ipairs(wrong) do
      local expected = case[2]:gsub("%?", "\u{FFFD}")
      each_cut(case[1], function(...)
        assert.equal(expected, decode("replace", ...))
      end)
    end
  end)

  it("ignores what is wrong when told to", function()
    for _, case in ipairs(wrong) do
      local expected = case[2]:gsub("%?", "")
      each_cut(case[1], function(...)
        assert.equal(expected, decode("ignore", ...))
      end)
    end
  end)

  it("strict refuses what is wrong, and tells where, however it is cut", function()
    for _, case in ipairs(wrong) do
      local _, fault = utf8.len(case[1])
      each_cut("text " .. case[1], function(...)
        local e = raised(async.UnicodeDecodeError, decode, nil, ...)
        assert.equal(5 + fault - 1, e.offset)
        assert.equal(case[1]:byte(fault), e.object:byte(e.start))
        assert.equal("utf-8", e.encoding)
      end)
    end
  end)

  it("says what is wrong in Python's words", function()
    for bytes, message in pairs {
      ["ab\xFF"] = "'utf-8' codec can't decode byte 0xff in position 2: invalid start byte",
      ["\xE2\x28"] = "'utf-8' codec can't decode byte 0xe2 in position 0: invalid continuation byte",
      ["\xE2\x82\x28"] = "'utf-8' codec can't decode bytes in position 0-1: invalid continuation byte",
      ["é\xC3"] = "'utf-8' codec can't decode byte 0xc3 in position 2: unexpected end of data",
      ["\xF0\x9F\x98"] = "'utf-8' codec can't decode bytes in position 0-2: unexpected end of data",
    } do
      assert.equal(message, raised(async.UnicodeDecodeError, decode, "strict", bytes).message)
    end
  end)

  it("that has refused is as it was before", function()
    local decoder = utf_8()
    assert.equal("a", decoder:decode "a\xC3")
    assert.equal(1, raised(async.UnicodeDecodeError, decoder.decode, decoder, "x").offset)
    assert.equal("é", decoder:decode "\xA9")
  end)

  it("forgets all by reset", function()
    local decoder = utf_8()
    decoder:decode "abc\xC3"
    decoder:reset()
    assert.equal("d", decoder:decode("d", true))
    decoder:reset()
    assert.equal(0, raised(async.UnicodeDecodeError, decoder.decode, decoder, "\xFF").offset)
  end)

  it("makes good text of any bytes, the same however they are cut", function()
    local roll = dice(7)
    local leads = { 0x41, 0x80, 0xBF, 0xC0, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF4, 0xF5, 0xA0, 0x9F, 0x90, 0x8F }
    for _ = 1, 200 do
      local bytes = {}
      for i = 1, roll(12) do
        bytes[i] = string.char(leads[roll(#leads)])
      end
      local whole = table.concat(bytes)
      for _, how in ipairs { "replace", "ignore" } do
        local expected = decode(how, whole)
        assert.is_truthy(utf8.len(expected))
        each_cut(whole, function(...)
          assert.equal(expected, decode(how, ...))
        end)
      end
      local ok, text = pcall(decode, "strict", whole)
      assert.equal(utf8.len(whole) ~= nil, ok)
      assert.is_true(not ok or text == whole)
    end
  end)

  it("is known by its names, and no other", function()
    for _, name in ipairs { "utf-8", "UTF-8", "utf8", "UTF_8" } do
      assert.equal(utf_8, codecs.getincrementaldecoder(name))
    end
    for _, name in ipairs { "latin-1", "", 8 } do
      assert.error_matches(function()
        codecs.getincrementaldecoder(name)
      end, 'codecs: encoding: "utf%-8" expected')
    end
    assert.error_matches(function()
      utf_8 "guess"
    end, 'codecs: errors: "strict", "replace" or "ignore" expected, got guess')
  end)
end)
