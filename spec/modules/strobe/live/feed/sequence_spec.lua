local Sequence = require "strobe.live.feed.sequence"

local function sequence()
  local said = {}
  return Sequence.new("book", function(_, text, ...)
    said[#said + 1] = text:format(...)
  end), said
end

local function counts(numbers)
  return { numbers.gaps, numbers.lost, numbers.reordered, numbers.duplicates }
end

describe("the numbers of a stream", function()
  it("begin anywhere, and run on", function()
    local numbers, said = sequence()
    for seq = 100, 120 do
      numbers:check("a", seq)
      numbers:check("b", seq * 2 - 100 - (seq - 100))
    end
    assert.same({ 0, 0, 0, 0 }, counts(numbers))
    assert.same({}, said)
  end)

  it("that are missing are a gap, told once", function()
    local numbers, said = sequence()
    for _, seq in ipairs { 99, 100, 118, 119 } do
      numbers:check("btc_usd", seq)
    end
    assert.same({ "book btc_usd: 17 lost between 100 and 118" }, said)
    assert.same({ 1, 17, 0, 0 }, counts(numbers))
  end)

  it("that come after all were not lost", function()
    local numbers = sequence()
    for _, seq in ipairs { 1, 7, 4, 2, 6, 3, 5, 8 } do
      numbers:check("a", seq)
    end
    assert.same({ 1, 0, 5, 0 }, counts(numbers))
    numbers:check("a", 4)
    assert.same({ 1, 0, 5, 1 }, counts(numbers))
  end)

  it("may stand for several", function()
    local numbers, said = sequence()
    numbers:check("a", 3, 1)
    numbers:check("a", 9, 4)
    numbers:check("a", 12, 8) -- overlaps
    numbers:check("a", 20, 15)
    assert.same({ "book a: 2 lost between 12 and 15" }, said)
  end)

  it("may begin anew after a reconnect, of the streams which that has", function()
    local numbers, said = sequence()
    for _, name in ipairs { "a", "b" } do
      numbers:check(name, 10)
    end
    numbers:reconnected { "a" }
    numbers:check("a", 1)
    numbers:check("b", 1)
    assert.same({ "book a: the numbers begin anew at 1, after 10", "book b: 1 came again, after 10" }, said)
    numbers:check("a", 2)
    numbers:check("a", 1)
    assert.same({ 0, 0, 0, 2 }, counts(numbers))
  end)

  it("that are missing over a reconnect are a gap as any other", function()
    local numbers, said = sequence()
    numbers:check("a", 10)
    numbers:reconnected()
    numbers:check("a", 13)
    numbers:check("a", 12)
    assert.same({ "book a: 2 lost between 10 and 13", "book a: 12 came late, after 13" }, said)
  end)

  it("take bounded memory, however many gaps and streams there are", function()
    local numbers = sequence()
    for seq = 1, 20000, 2 do
      numbers:check("a", seq)
    end
    for i = 1, 20000 do
      numbers:check("s" .. i, 1)
    end
    assert.equal(9999, numbers.gaps)
    assert.is_true(numbers.unchecked > 9000)
    collectgarbage()
    local before = collectgarbage "count"
    for i = 20001, 40000 do
      numbers:check("s" .. i, 1)
    end
    collectgarbage()
    assert.is_true(collectgarbage "count" - before < 100)
  end)
end)
