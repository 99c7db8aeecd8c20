local actions = require "strobe.editor.actions"
local editor = require "strobe.editor"

-- An editor with a text in which | is the cursor; and what it has after some actions, one after the other.
local function after(text, ...)
  local ed = editor.new { width = 80, height = 24, prompt = "> " }
  ed:set_text((text:gsub("|", "", 1)))
  ed.buffer.cursor = text:find("|", 1, true)
  for _, name in ipairs { ... } do
    ed.previous = actions[name](ed)
  end
  local whole, cursor = ed:text()
  return whole:sub(1, cursor) .. "|" .. whole:sub(cursor + 1), ed
end

describe("an action of the editor", function()
  for _, case in ipairs {
    { "ab|c\nd", "line_start", "|abc\nd" }, { "ab|c\nd", "line_end", "abc|\nd" },
    { "ab\nc|d", "line_start", "ab\n|cd" }, { "e\u{301}|x", "left", "|e\u{301}x" },
    { "|e\u{301}x", "right", "e\u{301}|x" }, { "|", "left", "|" }, { "|", "right", "|" },
    { "a.bc| d", "word_left", "a.|bc d" }, { "|a.bc", "word_right", "a|.bc" },
    { "long\na\nlon|g", "up", "long\na|\nlong" }, { "a|b\nc", "down", "ab\nc|" }, { "a|b", "erase", "|b" },
    { "a|b", "delete", "a|" }, { "|b", "erase", "|b" }, { "f(a.b|)", "kill_blank_word", "|)" },
    { "f(a.b|)", "kill_word_left", "f(a.|)" }, { "|ab cd", "kill_word_right", "| cd" },
    { "a|b\nc", "kill_to_end", "a|\nc" }, { "ab|\nc", "kill_to_end", "ab|c" },
    { "ab\nc|d", "kill_to_start", "ab\n|d" }, { "ab\n|cd", "kill_to_start", "ab|cd" },
    { "a|bc", "swap", "ba|c" }, { "abc|", "swap", "acb|" }, { "|abc", "swap", "|abc" },
    { "|größe x", "upper", "GRÖßE| x" }, { "|GRÖSSE", "lower", "grösse|" },
    { "|élan VITAL", "capital", "Élan| VITAL" }, { "a|b", "new_line", "a\n|b" }, { "  |", "complete", "  \t|" },
  } do
    it(("%s makes %q of %q"):format(case[2], case[3], case[1]), function()
      assert.equal(case[3], (after(case[1], case[2])))
    end)
  end

  it("keeps the column of a way through short lines", function()
    assert.equal("long\na\nlon|g", (after("lon|g\na\nlong", "down", "down")))
  end)

  it("yanks what was killed one after the other as one, and then what was killed before", function()
    assert.equal("ab cd|", (after("|ab cd", "kill_word_right", "kill_word_right", "yank")))
    assert.equal("b| ", (after("a b|", "kill_word_left", "left", "kill_to_start", "yank", "rotate")))
    assert.equal("x|", (after("x|", "rotate"))) -- nothing was yanked: a bell
  end)

  it("takes an edit back, and does it again", function()
    assert.equal("ab|", (after("ab|", "kill_to_start", "undo")))
    assert.equal("|", (after("ab|", "kill_to_start", "undo", "redo")))
  end)
end)
