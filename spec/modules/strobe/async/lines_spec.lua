local Lines = require "strobe.async.lines"
local async = require "strobe.async"

-- The lines of a text that comes in chunks of so many bytes.
local function split(text, size, limit, keepends)
  local lines, found = Lines.new(limit or 1000, keepends), {}
  for from = 1, #text, size do
    lines:feed(text:sub(from, from + size - 1))
    for line in lines.next, lines do
      found[#found + 1] = line
    end
  end
  found[#found + 1] = lines:rest()
  return found
end

describe("lines", function()
  local cases = {
    { "a\nbc\n", { "a", "bc" } },
    { "a\r\nbc\r\n", { "a", "bc" } },
    { "\n\r\n\n", { "", "", "" } },
    { "last without end", { "last without end" } },
    { "one\nlast", { "one", "last" } },
    { "one\nlast\r", { "one", "last\r" } },
    { "a\rb\r\r\nc\n", { "a\rb\r", "c" } },
    { "\0binary\0\n", { "\0binary\0" } },
    { "", {} },
  }

  it("are the same however the bytes come", function()
    for _, case in ipairs(cases) do
      for size = 1, #case[1] + 1 do
        assert.same(case[2], split(case[1], size))
      end
    end
  end)

  it("keep their ends when told to, however the bytes come", function()
    local text = "a\r\n\nb\r\r\n\r\nlast\r"
    for size = 1, #text do
      assert.same({ "a\r\n", "\n", "b\r\r\n", "\r\n", "last\r" }, split(text, size, 1000, true))
    end
  end)

  it("come out of empty chunks as well", function()
    local lines = Lines.new(10)
    for _, chunk in ipairs { "", "a", "", "b\r", "", "\n", "" } do
      lines:feed(chunk)
      assert.equal(chunk == "\n" and "ab" or nil, lines:next())
    end
    assert.is_nil(lines:rest())
  end)

  it("have room for CR LF behind the last byte that they may have", function()
    for size = 1, 12 do
      assert.same({ "12345678", "x" }, split("12345678\r\nx", size, 8))
      for _, text in ipairs { "12345678\r", "12345678\rx\n", "12345678\r\r\n" } do
        assert.is_false(pcall(split, text, size, 8))
      end
    end
  end)

  it("without an end are refused before they have filled the memory", function()
    local lines, fed = Lines.new(1000), 0
    local ok = pcall(function()
      for _ = 1, 1000 do
        lines:feed(("x"):rep(100))
        fed = fed + 100
        lines:next()
      end
    end)
    assert.is_false(ok)
    assert.equal(1100, fed)
  end)

  it("may have so many bytes and no more", function()
    for size = 1, 12 do
      assert.same({ "12345678", "x" }, split("12345678\nx", size, 8))
      for _, text in ipairs { "123456789\n", "123456789", "a\n123456789\nb" } do
        local ok, e = pcall(split, text, size, 8)
        assert.is_false(ok)
        assert.is_true(async.is(e, async.LimitOverrunError))
        assert.matches("a line is longer than 8 bytes", tostring(e))
      end
    end
  end)
end)
