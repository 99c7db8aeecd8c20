local cell = require "strobe.editor.cell"
local width = require "strobe.editor.width"

describe("the look of a text", function()
  it("takes the columns that terminals give to it", function()
    for text, columns in pairs {
      ["abc"] = 3, ["äöü"] = 3, ["世界"] = 4, ["e\u{301}"] = 1, ["👩"] = 2, ["👩\u{200d}🚀"] = 4, ["한"] = 2,
      ["\1"] = 2, ["a\tb"] = 5, ["\xff\xfe"] = 2, ["\u{301}"] = 1, ["ｱ"] = 1, ["　"] = 2, ["\u{ad}"] = 1, ["✓"] = 1,
    } do
      assert.equal(columns, cell.width(text), ("%q"):format(text))
    end
  end)

  it("counts tabs from where the text begins", function()
    assert.equal(1, cell.width("\t", 3))
    assert.equal(4, cell.width("\t", 4))
  end)

  it("counts a long text in pieces", function()
    assert.equal(100000, cell.width(("x"):rep(100000)))
    assert.equal(150000, cell.width(("x世"):rep(50000)))
    assert.equal(50000, cell.width(("e\u{301}"):rep(50000)))
  end)

  it("is cut with a mark where it does not fit", function()
    assert.same({ "abc", 3 }, { cell.cut("abc", 3) })
    assert.same({ "ab…", 3 }, { cell.cut("abcd", 3) })
    assert.same({ "世…", 3 }, { cell.cut("世界", 3) })
    assert.same({ "世界", 4 }, { cell.cut("世界", 4) })
    assert.same({ "…", 1 }, { cell.cut("世界", 1) })
    assert.same({ "…", 1 }, { cell.cut("ab", 1) })
    assert.same({ "\27[1mab…\27[m", 3 }, { cell.cut("\27[1mabcd\27[m", 3) })
    assert.same({ "a^Jb", 4 }, { cell.cut("a\nb", 9) })
  end)

  it("knows the widths of all code points of the first three planes", function()
    local count = { [-1] = 0, [0] = 0, [1] = 0, [2] = 0 }
    for codepoint = 32, 0x2FFFF do
      local columns = width.of(codepoint)
      count[columns] = count[columns] + 1
    end
    assert.equal(32 + 1 + 2 + 7 + 4, count[-1])
    assert.is_true(count[0] > 2000 and count[0] < 3000, count[0])
    assert.is_true(count[2] > 115000 and count[2] < 125000, count[2])
  end)
end)
