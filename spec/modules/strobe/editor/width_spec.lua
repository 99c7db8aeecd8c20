local width = require "strobe.editor.width"

describe("the width of a character", function()
  it("is one column, two, or none", function()
    for text, columns in pairs {
      a = 1, [" "] = 1, ["ä"] = 1, ["字"] = 2, ["한"] = 2, ["😀"] = 2, ["\u{301}"] = 0, ["\u{200B}"] = 0, ["\u{FF21}"] = 2,
    } do
      assert.message(text).equal(columns, width.of(utf8.codepoint(text)))
    end
  end)

  it("is the same when it is asked for again", function()
    for codepoint = 0x3000, 0x3100 do
      assert.equal(width.of(codepoint), width.of(codepoint))
    end
  end)
end)
