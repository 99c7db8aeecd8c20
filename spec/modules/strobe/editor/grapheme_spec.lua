local grapheme = require "strobe.editor.grapheme"

-- The characters of a text, found forwards; backwards they are the same.
local function characters(text)
  local list, at = {}, 1
  while at <= #text do
    local next = grapheme.next(text, at)
    assert.equal(at, grapheme.previous(text, next), ("before byte %d of %q"):format(next, text))
    list[#list + 1] = text:sub(at, next - 1)
    for inside = at, next - 1 do
      if utf8.len(text, inside, inside) then
        assert.equal(at, grapheme.start(text, inside), ("at byte %d of %q"):format(inside, text))
      end
    end
    at = next
  end
  return list
end

describe("characters", function()
  it("are letters with their marks", function()
    assert.same({ "a", "e\u{301}", "\n", "\u{5d0}\u{5b8}" }, characters "ae\u{301}\n\u{5d0}\u{5b8}")
  end)

  it("are syllables of Hangul, and of scripts with vowels that take room", function()
    assert.same({ "\u{1112}\u{1161}\u{11ab}", "한", "का" }, characters "\u{1112}\u{1161}\u{11ab}한का")
  end)

  it("are emoji joined of several, with the colour of their skin, and flags", function()
    assert.same({ "👩\u{200d}🚀", "👍🏽", "🇩🇪", "🇫🇷", "🇫", "❤\u{fe0f}" },
      characters "👩\u{200d}🚀👍🏽🇩🇪🇫🇷🇫❤\u{fe0f}")
  end)

  it("are bytes that are no text, one by one", function()
    assert.same({ "\xff", "\xe4", "\xb8", "a", "\xed", "\xa0", "\x80", "\xc3" },
      characters "\xff\xe4\xb8a\xed\xa0\x80\xc3")
  end)

  it("have no marks behind a control character", function()
    assert.same({ "\1", "\u{301}", "\n", "\u{301}", "a" }, characters "\1\u{301}\n\u{301}a")
  end)

  it("are bounded, whatever a text is full of", function()
    for _, part in ipairs { "\u{301}", "🇩", "👩\u{200d}", "का" } do
      local text = part:rep(5001)
      assert.is_true(grapheme.next(text, 1) <= 32 * 4 + 1)
      local at = grapheme.previous(text, #text + 1)
      assert.is_true(at < #text + 1 and at > #text - 33 * 4)
    end
  end)
end)
