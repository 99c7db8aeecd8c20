local fields = require "strobe.http.fields"

describe("header fields", function()
  it("become lines, in the order of their names", function()
    local text = fields.text({ b = "1", a = 2, ["C-D"] = { "x", "y" }, n = 1.5 })
    assert.equal("C-D: x\r\nC-D: y\r\na: 2\r\nb: 1\r\nn: 1.5\r\n", text)
    assert.equal("a: 1\r\n", fields.text({ a = 1, ["Left-Out"] = 2 }, "left-out"))
    assert.equal("", fields.text())
  end)

  it("are refused when they would be more than a line", function()
    for _, headers in ipairs {
      { ["a b"] = "x" }, { [""] = "x" }, { ["a:"] = "x" }, { ["a\r\nb"] = "x" }, { a = "x\r\ny: z" }, { a = "x\ny" },
      { a = "x\0" }, { a = true }, { a = { "x", {} } }, { "x" }, { ["ü"] = "x" },
    } do
      assert.error_matches(function()
        fields.text(headers)
      end, "a name without blanks, and a value of one line expected")
      assert.error_matches(function()
        fields.check("here", headers)
      end, "here: header .*: a name without blanks")
    end
  end)

  it("which are lists have words, in any case", function()
    assert.is_true(fields.has_word("keep-alive , Upgrade", "upgrade"))
    assert.is_false(fields.has_word("upgraded", "upgrade"))
    assert.is_false(fields.has_word(nil, "upgrade"))
  end)
end)
