local codecs = require "strobe.codecs"
local dice = require "spec.support.dice"
local peer = require "spec.support.peer"

local PYTHON = [[
import codecs, sys
for line in sys.stdin:
    how, *chunks = line.split()
    decoder, consumed, out = codecs.getincrementaldecoder("utf-8")(how), 0, ""
    try:
        for i, chunk in enumerate(chunks + [""]):
            data = b"" if chunk == "-" else bytes.fromhex(chunk)
            consumed += len(data)
            out += decoder.decode(data, i == len(chunks))
        print(out.encode().hex())
    except UnicodeDecodeError as e:
        print("error", consumed - len(e.object) + e.start, e.end - e.start, e.reason)
]]

local function hex(bytes)
  return bytes == "" and "-" or (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

-- What Python would print.
local function answer(how, chunks)
  local decoder, out = codecs.getincrementaldecoder "utf-8"(how), ""
  local ok, e = pcall(function()
    for _, chunk in ipairs(chunks) do
      out = out .. decoder:decode(chunk)
    end
    out = out .. decoder:decode("", true)
  end)
  if ok then
    return out == "" and "" or hex(out)
  end
  return ("error %d %d %s"):format(e.offset, e.stop - e.start + 1, e.reason)
end

-- Chunks of bytes that are nearly text.
local function throw(roll)
  local bytes = { 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0,
    0xF1, 0xF4, 0xF5, 0xFF }
  local chunks = {}
  for i = 1, roll(4) do
    local chunk = {}
    for j = 1, roll(5) - 1 do
      chunk[j] = string.char(bytes[roll(#bytes)])
    end
    chunks[i] = table.concat(chunk)
  end
  return chunks
end

describe("our decoder of UTF-8", function()
  local python = peer.python "codecs"

  it("says of any bytes what Python's says, with the same offsets", function()
    if not python then
      pending "there is no python3 here"
      return
    end
    local roll, questions, answers = dice(11), {}, {}
    for _ = 1, 5000 do
      local how, chunks, words = ({ "strict", "replace", "ignore" })[roll(3)], throw(roll), {}
      for i, chunk in ipairs(chunks) do
        words[i] = hex(chunk)
      end
      questions[#questions + 1] = how .. " " .. table.concat(words, " ")
      answers[#answers + 1] = answer(how, chunks)
    end
    local said = peer.run(python, { "-c", PYTHON }, { input = table.concat(questions, "\n") .. "\n" })
    local i = 0
    for line in said:gmatch "([^\n]*)\n" do
      i = i + 1
      assert.equal(line, answers[i], questions[i])
    end
    assert.equal(#questions, i)
  end)
end)
