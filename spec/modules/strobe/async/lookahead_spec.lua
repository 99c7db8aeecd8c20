local Lookahead = require "strobe.async.lookahead"
local dice = require "spec.support.dice"

describe("a lookahead", function()
  it("gives bytes back in the order they came, however they came", function()
    local text = "0123456789abcdefghij"
    for size = 1, #text do
      for n = 1, #text do
        local ahead, parts = Lookahead.new(), {}
        for from = 1, #text, size do
          ahead:feed(text:sub(from, from + size - 1))
        end
        assert.equal(#text, ahead:size())
        while ahead:size() > 0 do
          parts[#parts + 1] = ahead:take(n)
        end
        assert.equal(text, table.concat(parts))
        assert.equal(math.ceil(#text / n), #parts)
      end
    end
    assert.equal("", Lookahead.new():take(5))
  end)

  it("finds a separator that is cut anywhere, and looks at no byte twice", function()
    local text = "abcab<e<en<end>"
    for size = 1, #text do
      local ahead = Lookahead.new()
      for from = 1, #text, size do
        local found, clear = ahead:find "<end>"
        assert.is_nil(found)
        assert.is_true(clear <= 10 and clear >= math.min(10, ahead:size() - 4))
        ahead:feed(text:sub(from, from + size - 1))
      end
      assert.equal(10, (ahead:find "<end>"))
    end
  end)

  it("finds another separator after a rewind", function()
    local ahead = Lookahead.new()
    ahead:feed "a,b;c"
    assert.is_nil((ahead:find "x"))
    ahead:rewind()
    assert.equal(1, (ahead:find ","))
    assert.equal("a,", ahead:take(2))
    assert.equal(1, (ahead:find ";"))
    ahead:clear()
    assert.is_nil((ahead:find ";"))
    assert.equal(0, ahead:size())
  end)

  it("takes lines without their ends, when they are whole and not too long", function()
    local text = "a\r\n\nbc\r\r\nlast"
    for size = 1, #text do
      local ahead, lines, bytes = Lookahead.new(), {}, 0
      for from = 1, #text, size do
        ahead:feed(text:sub(from, from + size - 1))
        local line, count = ahead:take_line(3)
        while line do
          lines[#lines + 1], bytes = line, bytes + count
          line, count = ahead:take_line(3)
        end
      end
      assert.same({ "a", "", "bc\r" }, lines)
      assert.equal(#text - 4, bytes)
      ahead:feed "\n"
      assert.is_nil(ahead:take_line(3))
      assert.equal("last", (ahead:take_line(4)))
      assert.equal(0, ahead:size())
    end
  end)

  it("does all of that in any order as one string would", function()
    local roll, ahead, model = dice(3), Lookahead.new(), ""
    for _ = 1, 3000 do
      local what = roll(4)
      if what <= 2 then
        local bytes = ("ab,"):rep(roll(3)):sub(roll(3))
        ahead:feed(bytes)
        model = model .. bytes
      elseif what == 3 then
        local n = roll(6)
        assert.equal(model:sub(1, n), ahead:take(n))
        model = model:sub(n + 1)
      else
        local at = model:find("b,", 1, true)
        ahead:rewind()
        assert.equal(at and at - 1, (ahead:find "b,"))
      end
      assert.equal(#model, ahead:size())
    end
  end)
end)
