local Lines = require "strobe.async.lines"
local async = require "strobe.async"

-- The lines of a text that comes in chunks of so many bytes.
local function split(text, size, limit)
  local lines, found = Lines.new(limit or 1000), {}
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
