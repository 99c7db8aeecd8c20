local tick = require "strobe.tectonic.tick"
local walks = require "strobe.tectonic.walk"

-- So many ticks of a walk, as texts.
local function walk(seed, names, count)
  local made, texts = walks.new(seed, names), {}
  for i = 1, count do
    local value, book = made:next(i / 10)
    texts[i] = book .. "," .. tick.to_csv(value, true)
  end
  return texts
end

describe("a random walk", function()
  it("is the same for the same seed, for ever", function()
    local texts = walk(7, { "a", "b" }, 1000)
    assert.same(texts, walk(7, { "a", "b" }, 1000))
    assert.not_same(texts, walk(8, { "a", "b" }, 1000))
    assert.same({ "a,0.1,1,t,t,100.01,7.76", "a,0.2,2,f,f,100.02,2.05" }, { texts[1], texts[2] })
  end)

  it("is of ticks that a server takes, numbered in each book", function()
    for _, seed in ipairs { 0, 1, -1, math.maxinteger, math.mininteger, 2147483647 } do
      local made, last = walks.new(seed, { "a", "b" }), { a = 0, b = 0 }
      for i = 1, 500 do
        local value, book = made:next(i)
        assert(tick.check(value))
        assert.is_true(value.price >= 0.01 and value.size > 0)
        assert.equal(last[book] + 1, value.seq)
        last[book] = value.seq
      end
      assert.is_true(last.a > 100 and last.b > 100)
    end
  end)
end)
