local Footer = require "strobe.gpio.footer"
local Screen = require "spec.support.screen"

-- A screen with a footer, and what the program before it has printed.
local function bench(rows, columns, printed)
  local screen, footer = Screen.new(rows, columns), Footer.new()
  screen:feed(printed or "")
  local function draw(...)
    local bytes = footer:draw({ ... }, screen.columns, screen.rows)
    screen:feed(bytes)
    return bytes
  end
  return screen, footer, draw
end

describe("a footer", function()
  it("stands at the bottom while other lines scroll above it", function()
    local screen, _, draw = bench(6, 20, "$ run\r\n")
    draw("one", "two")
    assert.equal("$ run\n\n\n\none\ntwo", screen:text())
    for i = 1, 5 do
      screen:feed(("line %d\r\n"):format(i))
    end
    assert.equal("line 3\nline 4\nline 5\n\none\ntwo", screen:text())
    draw("one", "2")
    assert.equal("line 3\nline 4\nline 5\n\none\n2", screen:text())
    assert.same({ 4, 1 }, { screen.row, screen.column })
  end)

  it("makes room at the end of a full screen, in the middle of a line", function()
    local screen, _, draw = bench(4, 20, "1\r\n2\r\n3\r\n4: ")
    draw("one", "two")
    assert.equal("3\n4:\none\ntwo", screen:text())
    screen:feed "yes"
    assert.equal("3\n4: yes\none\ntwo", screen:text())
  end)

  it("draws what is new, over what was there: nothing is blank in between", function()
    local _, _, draw = bench(6, 20)
    draw("one", "two")
    assert.equal("\0277\27[?7l\27[6;1H2\27[K\27[?7h\0278", draw("one", "2"))
    assert.equal("", draw("one", "2"))
  end)

  it("grows and shrinks", function()
    local screen, _, draw = bench(6, 20, "$ run\r\n")
    draw "one"
    draw("one", "two", "three")
    assert.equal("$ run\n\n\none\ntwo\nthree", screen:text())
    draw "one"
    assert.equal("$ run\n\n\n\n\none", screen:text())
    screen:feed "out\r\n"
    assert.equal("$ run\nout\n\n\n\none", screen:text())
  end)

  it("follows the size of its terminal, and leaves no line behind", function()
    local screen, _, draw = bench(6, 20, "$ run\r\n")
    for _, size in ipairs { { 10, 20 }, { 5, 8 }, { 4, 30 }, { 12, 4 } } do
      draw("one", "two")
      screen:resize(table.unpack(size))
      draw("one", "two")
      local text = screen:text()
      assert.matches("one\ntwo$", text)
      assert.equal(1, select(2, text:gsub("one", "")))
      assert.equal(size[1] - 2, screen.bottom)
    end
  end)

  it("cuts what is longer than the terminal; its last column stays free", function()
    local screen, _, draw = bench(4, 5, "$\r\n")
    draw("123456789", "two")
    assert.equal("$\n\n1234\ntwo", screen:text())
  end)

  it("goes, and what is printed then begins a line", function()
    for _, echoed in ipairs { "", "^C", "^C^C" } do
      local screen, footer, draw = bench(6, 5, "$ go\r\n")
      draw("one", "two")
      screen:feed(echoed)
      screen:feed(footer:erase() .. footer:begin_line() .. "end\r\n")
      assert.equal("$ go\n" .. (echoed ~= "" and echoed .. "\n" or "") .. "end", screen:text())
      assert.same({ 1, 6, true }, { screen.top, screen.bottom, screen.wraps })
      assert.equal("", footer:erase())
    end
  end)
end)
