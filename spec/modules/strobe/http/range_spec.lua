local range = require "strobe.http.range"

-- What is selected of 1000 bytes, as "first-last" each; "whole" or "none".
local function select(text, size)
  local list = range.select(text, size or 1000)
  if not list then
    return list == nil and "whole" or "none"
  end
  local parts = {}
  for i, piece in ipairs(list) do
    parts[i] = ("%d-%d"):format(piece.first, piece.last)
  end
  return table.concat(parts, " ")
end

describe("a Range", function()
  it("is from a byte to a byte, to the end, or the last ones", function()
    assert.equal("0-499", select "bytes=0-499")
    assert.equal("500-999", select "bytes=500-")
    assert.equal("999-999", select "bytes=-1")
    assert.equal("0-999", select "bytes=-5000")
    assert.equal("990-999", select "Bytes=990-5000")
    assert.equal("0-0", select "bytes=0-0")
  end)

  it("of bytes that are not there is none", function()
    assert.equal("none", select "bytes=1000-")
    assert.equal("none", select "bytes=1000-2000,5000-")
    assert.equal("none", select "bytes=-0")
    assert.equal("none", select("bytes=0-", 0))
    assert.equal("none", select(("bytes=%s-"):format(("9"):rep(40))))
  end)

  it("of the last bytes of nothing is the whole of nothing", function()
    assert.equal("whole", select("bytes=-5", 0))
  end)

  it("may be several, of which those count that are there", function()
    assert.equal("0-9 20-29", select "bytes=0-9, 20-29")
    assert.equal("500-509 0-9", select "bytes=500-509,,0-9,2000-")
  end)

  it("of several that overlap or touch is one", function()
    assert.equal("0-19", select "bytes=0-9,10-19")
    assert.equal("0-999", select "bytes=0-,0-,0-,0-,0-,-1")
    assert.equal("0-29 500-509", select "bytes=500-509,0-9,5-20,21-29")
  end)

  it("of more than 16 pieces is ignored", function()
    local parts = {}
    for i = 0, 16 do
      parts[i + 1] = ("%d-%d"):format(3 * i, 3 * i)
    end
    assert.equal("whole", select("bytes=" .. table.concat(parts, ",")))
    assert.matches("^0%-0 3%-3", select("bytes=" .. table.concat(parts, ",", 1, 16)))
  end)

  it("that is malformed is ignored", function()
    for _, text in ipairs {
      "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "bytes=1-2-3", "bytes 0-1", "lines=0-1", "bytes=1",
      "bytes=0-1;2-3", "bytes= ", "bytes=,", "bytes=0x1-2", "bytes=+1-2", "bytes=1.5-2", "bytes=0-1,x", "bytes=--1",
      "bytes = 0-1",
    } do
      assert.equal("whole", select(text), text)
    end
  end)

  it("is told in Content-Range", function()
    assert.equal("bytes 0-9/1000", range.text({ first = 0, last = 9 }, 1000))
    assert.equal("bytes */1000", range.text(nil, 1000))
  end)
end)
