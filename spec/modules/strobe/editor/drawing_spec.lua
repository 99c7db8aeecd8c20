local Typist = require "spec.support.typist"

local LEFT, UP = "\27[D", "\27[A"

-- A typist who looks at more than the input.
local function seeing(options)
  local typist = Typist.new(options)
  typist.plain = false
  return typist:draw()
end

local function cursor(typist)
  return { typist.screen.row, typist.screen.column }
end

describe("what the line editor shows", function()
  it("is the prompt, then what is typed, one byte for each key", function()
    local ed = Typist.new().editor
    assert.equal("\27[?2004h> ", ed:draw())
    ed:feed "a"
    assert.equal("a", ed:draw())
    assert.equal("", ed:draw())
    ed:feed(LEFT)
    assert.equal("\r\27[2C", ed:draw())
  end)

  it("is not drawn anew for a key with a prompt in colour either", function()
    local ed = Typist.new({ prompt = "\27[32m>\27[m " }).editor
    ed:draw()
    ed:feed "ab"
    assert.equal("ab", ed:draw())
  end)

  it("wraps, and the cursor goes to the next row when one is full", function()
    local typist = Typist.new({ width = 6 }):type "abcd"
    assert.equal("> abcd", typist.screen:text())
    assert.same({ 2, 1 }, cursor(typist))
    typist:type("efg" .. LEFT:rep(4) .. "世")
    assert.equal("> abc\n世defg", typist.screen:text())
    assert.same({ 2, 3 }, cursor(typist))
  end)

  it("shows controls, tabs, and what is no text as what they are", function()
    local typist = Typist.new():type "\22\1a\22\tb\22\127\xff\u{9b}\u{202e}"
    assert.equal("> ^Aa   b^?\u{fffd}\u{fffd}\u{fffd}", typist.screen:text())
  end)

  it("follows the cursor through an input that is higher than the screen", function()
    local typist = Typist.new { width = 10, height = 3 }
    typist:type "\27[200~1\n2\n3\n4\n5\27[201~"
    assert.equal(".. 3\n.. 4\n.. 5", typist.screen:text())
    typist:type(UP .. UP .. UP)
    assert.equal(".. 2\n.. 3\n.. 4", typist.screen:text())
    typist:type(UP)
    assert.equal("> 1\n.. 2\n.. 3", typist.screen:text())
    typist:type "\27[B\27[B\27[B\11\127"
    assert.equal(".. 2\n.. 3\n.. 5", typist.screen:text())
    typist:type "\127"
    assert.equal("> 1\n.. 2\n.. 35", typist.screen:text())
  end)

  it("leaves a submitted input, and no empty row behind a full one", function()
    local typist = Typist.new { width = 4 }
    typist:type "ab\rc\r"
    assert.equal("> ab\n> c\n>", typist.screen:text())
  end)

  it("goes below what was printed meanwhile", function()
    local typist = Typist.new():type "ab"
    typist.screen:feed((function()
      typist.editor:feed "\r"
      return typist.editor:leave() .. "out\r\n"
    end)())
    assert.equal("> ab\nout\n> cd", typist:type("cd").screen:text())
  end)

  it("is left below, as it is, when somebody else takes over", function()
    local typist = Typist.new({ width = 20 }):type "ab\ncd\2\27[A"
    typist.screen:feed(typist.editor:leave() .. "out\r\n")
    typist:draw()
    assert.equal("> ab\n.. cd\nout\n> ab\n.. cd", typist.screen:text())
    assert.equal("a|b\ncd", typist:input())
  end)

  it("goes away while it is hidden", function()
    local typist = Typist.new():type "ab\ncd"
    typist.screen:feed(typist.editor:hide())
    assert.equal("", typist.screen:text())
    assert.equal("> ab\n.. cd", typist:draw().screen:text())
  end)

  it("is drawn anew at the top of a screen that Ctrl-L has cleared", function()
    local typist = Typist.new():type "a\rb\rcd\2\12"
    assert.equal("> cd", typist.screen:text())
    assert.same({ 1, 4 }, cursor(typist))
  end)

  it("is drawn anew after others have written to the screen", function()
    local typist = Typist.new():type "ab"
    typist.editor:forget()
    typist.screen:feed "\r\nstopped\r\n"
    assert.equal("> ab\nstopped\n> ab", typist:draw().screen:text())
  end)

  describe("above the prompt", function()
    it("is what is printed, with the input below as it was", function()
      local typist = Typist.new():type "ab\ncd\2"
      typist:above "one\ntwo\n"
      assert.equal("one\ntwo\n> ab\n.. cd", typist.screen:text())
      assert.same({ 4, 5 }, cursor(typist))
      assert.equal("one\ntwo\nx\n> ab\n.. cd", typist:above("x").screen:text())
    end)

    it("scrolls, whatever its length", function()
      local typist = Typist.new { width = 10, height = 4 }
      typist:type "ab"
      for i = 1, 9 do
        typist:above(("%d"):format(i):rep(10) .. "\n")
        typist:draw()
      end
      assert.equal("7777777777\n8888888888\n9999999999\n> ab", typist.screen:text())
      assert.equal(6, #typist.screen.gone)
    end)

    it("is printed alone while there is no prompt", function()
      local typist = Typist.new()
      typist:above "out\n"
      assert.equal("out", typist.screen:text())
      assert.equal("out\n>", typist:draw().screen:text())
    end)
  end)

  describe("with pinned lines", function()
    it("has them above the prompt until they change", function()
      local typist = seeing { width = 12, height = 8 }
      typist.editor:pin { "p = 1", "\27[1mlonger than the row\27[m" }
      typist:type "ab"
      assert.equal("p = 1\nlonger than…\n> ab", typist.screen:text())
      typist:above "out"
      typist.editor:pin { "p = 2" }
      typist:draw()
      assert.equal("out\np = 2\n> ab", typist.screen:text())
      typist.editor:pin {}
      assert.equal("out\n> ab", typist:draw().screen:text())
    end)

    it("does not leave them above what was submitted", function()
      local typist = seeing()
      typist.editor:pin { "p" }
      typist:type "a\rb"
      assert.equal("> a\np\n> b", typist.screen:text())
    end)

    it("gives them half of a low screen at most", function()
      local typist = seeing { height = 4 }
      typist.editor:pin { "1", "2", "3" }
      assert.equal("1\n> a", typist:type("a").screen:text())
      assert.equal("1\n> a\n.. b\n.. c", typist:type("\nb\nc").screen:text())
    end)
  end)

  describe("with a hint", function()
    it("has it below the input, dimmed, until the input ends", function()
      local typist = seeing()
      typist:type "f("
      typist.editor:hint "f(a, b)"
      assert.matches("\27[2mf(a, b)\27[m", typist.editor:draw(), 1, true)
      typist.editor:hint "f(a)"
      typist.editor:forget()
      typist.screen:feed "\r\27[J"
      assert.equal("> f(\nf(a)", typist:draw().screen:text())
      assert.same({ 1, 5 }, cursor(typist))
      assert.equal("> f(\n>", typist:type("\r").screen:text())
    end)

    it("may be a signature, but nothing that has no text", function()
      local typist = seeing()
      typist.editor:hint { text = "f(a)", parameter = 1 }
      assert.equal(">\nf(a)", typist:draw().screen:text())
      assert.error_matches(function() typist.editor:hint(5) end, "text: a string is needed, not a number")
    end)

    it("goes when it is taken away", function()
      local typist = seeing()
      typist.editor:hint "h"
      assert.equal("> a\nh", typist:type("a").screen:text())
      typist.editor:hint(nil)
      assert.equal("> a", typist:draw().screen:text())
    end)
  end)

  describe("in colour", function()
    local function words(text)
      local list = {}
      for first, last in text:gmatch "()local()" do
        list[#list + 1] = { first = first, last = last - 1, style = "keyword" }
      end
      return list
    end

    it("has what it is told to be something", function()
      local ed = Typist.new({ highlight = words }).editor
      ed:feed "local x\nlocal y"
      assert.equal("\27[?2004h> \27[35mlocal\27[m x\r\n.. \27[35mlocal\27[m y", ed:draw())
    end)

    it("goes on in the next row", function()
      local ed = Typist.new({ highlight = words, width = 5 }).editor
      ed:feed "local x"
      assert.equal("\27[?2004h> \27[35mloc\27[m \r\27[35mal\27[m x", ed:draw())
    end)

    it("has none when none are wanted", function()
      local ed = Typist.new({ highlight = words, color = false }).editor
      ed:feed "local x"
      ed:hint "h"
      assert.equal("\27[?2004h> local x\r\nh\r\27[1A\27[9C", ed:draw())
    end)

    it("is the same text", function()
      local typist = Typist.new { highlight = words, width = 7 }
      for character in ("a local\tlocal\1local世 local"):gmatch(utf8.charpattern) do
        typist:type(character)
      end
      typist:type(LEFT:rep(9) .. "\127\127x" .. UP)
    end)

    it("is left out in a long text, so that keys are quick", function()
      local calls = 0
      local ed = Typist.new({ highlight = function(text)
        calls = calls + 1
        return words(text)
      end }).editor
      ed:feed(("\27[200~%s\27[201~"):format(("local "):rep(3000)))
      ed:draw()
      assert.equal(0, calls)
    end)
  end)

  describe("in a window of another size", function()
    it("is drawn anew, with nothing left of the old", function()
      for _, from in ipairs { 1, 2, 7, 20, 80 } do
        for _, to in ipairs { 1, 3, 8, 30, 80 } do
          local typist = Typist.new { width = from, height = 90 }
          typist:type(("a\tb世 "):rep(5) .. "\n" .. ("x"):rep(15) .. LEFT:rep(4))
          typist:resize(to, 90)
          assert.equal(1, typist.screen.row - (typist.editor.drawing.row - 1), from .. " to " .. to)
        end
      end
    end)

    it("knows that a row which became full goes on in the next", function()
      local typist = Typist.new { width = 5, height = 9, more = "" }
      typist.screen:feed "$\r\n"
      typist:type("ab\n"):type(UP .. "\5c"):resize(4, 9)
      assert.equal("$\n> ab\nc", typist.screen:text())
    end)

    it("has what was above it above it", function()
      local typist = Typist.new { width = 20, height = 12 }
      typist.screen:feed "$ strobe\r\n"
      typist:type(("x"):rep(30) .. "\n" .. ("y"):rep(30) .. UP .. "\1")
      typist:resize(11, 12)
      assert.equal("$ strobe", typist.screen:line(1))
      typist:resize(40, 12)
      assert.equal("$ strobe", typist.screen:line(1))
      assert.equal("> " .. ("x"):rep(30), typist.screen:line(2))
      assert.is_nil(typist.screen:text():find("\n> .*\n> "))
    end)

    it("may be lower", function()
      local typist = Typist.new { width = 10, height = 8 }
      typist:type "a\nb\nc\nd\ne"
      typist:resize(10, 2)
      assert.equal(".. d\n.. e", typist.screen:text())
      typist:resize(10, 1)
      assert.equal(".. e", typist.screen:text())
      typist:resize(10, 8)
      assert.equal("> a\n.. b\n.. c\n.. d\n.. e", typist.screen:text())
    end)
  end)

  it("has no size that it does not know", function()
    assert.error_matches(function() Typist.new { width = "wide" } end, "^[^\n]*width: an integer is needed, not wide")
    local typist = Typist.new()
    typist.editor:resize(0, -1)
    assert.matches("^\27", typist.editor:draw())
  end)

  it("never has more prompt than row", function()
    local typist = Typist.new { width = 3, prompt = "a long prompt> ", more = "...... " }
    typist:type "xyz\nxyz\1\127"
  end)
end)
