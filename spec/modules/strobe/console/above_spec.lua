local Above = require "strobe.console.above"

describe("lines above the prompt", function()
  local above

  before_each(function()
    above = Above.new()
  end)

  it("are shown when they are whole", function()
    above:take("a", "one\ntw", 10)
    assert.same({ "one" }, above:lines(10))
    above:take("a", "o\n", 10.1)
    assert.same({ "two" }, above:lines(10.1))
    assert.is_nil(above:due(10.1))
  end)

  it("wait for their end, but not for longer than 200 ms", function()
    above:take("a", "wait", 10)
    assert.near(0.2, above:due(10), 1e-9)
    above:take("a", "ing", 10.15)
    assert.near(0.05, above:due(10.15), 1e-9)
    assert.same({}, above:lines(10.19))
    assert.same({ "waiting" }, above:lines(10.21))
    above:take("a", "more\n", 10.3)
    assert.same({ "more" }, above:lines(10.3))
  end)

  it("are put together for each source of its own", function()
    above:take("a", "1", 10)
    above:take("b", "x", 10)
    above:take("a", "2\n", 10)
    above:take("b", "y\n", 10)
    assert.same({ "12", "xy" }, above:lines(10))
  end)

  it("are at most 20 in a second; the others are counted, once a second", function()
    for i = 1, 332 do
      above:take("a", i .. "\n", 10)
    end
    local lines = above:lines(10)
    assert.equal(20, #lines)
    assert.equal("20", lines[20])
    assert.near(1, above:due(10), 1e-9)
    assert.same({}, above:lines(10.9))
    assert.same({ "… 312 more (:log)" }, above:lines(11))
    assert.is_nil(above:due(11))
  end)

  it("hand on what they do not show", function()
    local lost = {}
    above = Above.new(function(line)
      lost[#lost + 1] = line
    end)
    for i = 1, 23 do
      above:take("a", i .. "\n", 10)
    end
    assert.same({ "21", "22", "23" }, lost)
  end)

  it("tell the count before what comes in the next second", function()
    for i = 1, 1500 do
      above:take("a", i .. "\n", 10)
    end
    above:lines(10)
    above:take("a", "next\n", 11.5)
    assert.same({ "… 1,480 more (:log)", "next" }, above:lines(11.5))
  end)

  it("begin a new second with full room", function()
    for second = 10, 14 do
      for i = 1, 20 do
        above:take("a", i .. "\n", second)
      end
      assert.equal(20, #above:lines(second))
    end
  end)

  it("cannot drive the terminal", function()
    above:take("a", "\27[2J\r\7\0\127\tx\194\155y\255\200\n", 10)
    assert.same({ "\\x1b[2J\\r\\x07\\x00\\x7f\tx\\u{9b}y\\xff\\xc8" }, above:lines(10))
    above:take("a", "grün 雪 🙂\n", 11)
    assert.same({ "grün 雪 🙂" }, above:lines(11))
  end)

  it("are cut when they are long, even if they never end", function()
    above:take("a", ("x"):rep(100000) .. "\n", 10)
    assert.same({ ("x"):rep(4096) .. "… 95,904 more" }, above:lines(10))
    for _ = 1, 100 do
      above:take("b", ("y"):rep(1000), 10)
    end
    for _, line in ipairs(above:lines(10)) do
      assert.equal(("y"):rep(4096), line:sub(1, 4096))
    end
  end)
end)
