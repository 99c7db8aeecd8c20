local traceback = require "strobe.repl.traceback"

describe("the place of a mistake", function()
  for text, expected in pairs {
    ["x = = 1"] = { 5, "  x = = 1\n      ^" },
    ["a = 1\n\tb = = 2\nc = 3"] = { 12, "  \tb = = 2\n  \t    ^" },
    ["s = 'ä€字' ="] = { 16, "  s = 'ä€字' =\n             ^" },
    ["x"] = { 1, "  x\n  ^" },
    ["\27 ="] = { 3, "  \\x1b =\n       ^" },
  } do
    it(("is pointed at in %q"):format(text), function()
      assert.equal(expected[2], traceback.caret(text, expected[1]))
    end)
  end

  it("is shown in the middle of a long line", function()
    local text = ("a"):rep(500) .. " = = " .. ("b"):rep(500)
    local line, caret = traceback.caret(text, 504):match "^(.-)\n(.*)$"
    assert.is_true(utf8.len(line) <= 124)
    assert.equal("=", line:sub(utf8.offset(line, #caret)):sub(1, 1))
  end)
end)
