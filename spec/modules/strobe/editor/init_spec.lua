local Typist = require "spec.support.typist"

-- Types keys, a list in which the editor waits after each element but the last, cut behind a byte or at each.
local function type_in_pieces(typist, keys, cut)
  for i, bytes in ipairs(keys) do
    if i > 1 then
      typist:wait()
    end
    if cut == "each" then
      bytes:gsub(".", function(byte)
        typist:type(byte)
      end)
    else
      typist:type(bytes:sub(1, cut))
      typist:type(bytes:sub(cut + 1))
    end
  end
end

local function never_complete(text)
  return text:sub(-1) == ";"
end

-- Entries, the oldest first.
local function with_history(options, entries)
  local typist = Typist.new(options)
  for _, entry in ipairs(entries or {}) do
    assert(typist.editor.history:add(entry))
  end
  return typist
end

-- What it has come to. A screen that is too small shows a part, which depends on what it has shown before.
local function seen(typist)
  local screen = typist.screen
  local all = screen.rows > 3
  return { typist:input(), typist.events, all and { screen:text(), screen.gone, screen.row, screen.column } }
end

-- Types keys whole, split at every byte, and byte by byte: the same comes of it. On narrow and low screens as well.
local function in_any_pieces(keys, entries)
  keys = type(keys) == "string" and { keys } or keys
  for _, size in ipairs { { 1, 50 }, { 7, 3 }, { 20, 12 }, { 80, 12 } } do
    local options = { width = size[1], height = size[2], is_complete = never_complete }
    local whole = with_history(options, entries):draw()
    type_in_pieces(whole, keys, 0)
    local expected = seen(whole)
    for cut = 1, #keys[1] do
      local typist = with_history(options, entries):draw()
      type_in_pieces(typist, keys, cut < #keys[1] and cut or "each")
      assert.same(expected, seen(typist))
    end
    if size[1] == 80 then
      return whole
    end
  end
end

-- A table of stories: keys, and the input that comes of them.
local function stories(list)
  for _, story in ipairs(list) do
    it(story[1], function()
      assert.equal(story[3], in_any_pieces(story[2], story.history):input())
    end)
  end
end

local LEFT, RIGHT, UP, DOWN = "\27[D", "\27[C", "\27[A", "\27[B"

describe("the line editor", function()
  describe("moves", function()
    stories {
      { "to the line's start by Ctrl-A", "abc\1", "|abc" },
      { "to the line's start by Home, however a terminal sends it", "abc\27[Hd\27OHe\27[1~f\27[7~", "|fedabc" },
      { "to the line's end by Ctrl-E", "abc\1\5", "abc|" },
      { "to the line's end by End, however a terminal sends it", "a\1\27[Fb\1\27OFc\1\27[4~d\1\27[8~", "abcd|" },
      { "to the start and the end of its line only", "one\ntwo\1x\5y", "one\nxtwoy|" },
      { "by characters with Ctrl-B and Ctrl-F", "abc\2\2x\6y", "axby|c" },
      { "by characters with the arrows, in both modes", "abc" .. LEFT .. "\27ODx" .. RIGHT .. "y\27OC", "axbyc|" },
      { "over a letter and its accents, a flag, and an emoji made of several, at once",
        "e\u{301}🇩🇪👩\u{200D}🚀" .. LEFT:rep(2) .. "x" .. LEFT:rep(2) .. "y", "y|e\u{301}x🇩🇪👩\u{200D}🚀" },
      { "by words with Alt-B and Alt-F", "local foo_1.bär = 2\27b\27b\27b|\27f,\27f;", "local |foo_1,.bär;| = 2" },
      { "by words with Ctrl and the arrows", "a.b c\27[1;5D\27[1;5D,\27[1;5C;", "a.,b;| c" },
      { "by words with Alt and the arrows, with ESC before them, and as rxvt has it",
        "a.b c\27[1;3D\27\27[D,\27\27[C;\27Od!\27Oc?", "a.,!b?|; c" },
    }
  end)

  describe("erases", function()
    stories {
      { "to the left by Backspace and Ctrl-H", "abc\127\8", "a|" },
      { "to the right by Delete and Ctrl-D", "abc\1\27[3~\4", "|c" },
      { "whole characters", "ae\u{301}🇩🇪\127\1\6\4", "a|" },
      { "a newline as any character", "a\nb\2\127", "a|b" },
      { "bytes that are no UTF-8 one by one", "\xff\xfe\127", "\xff|" },
      { "a word between blanks by Ctrl-W", "one two.three \23", "one |" },
      { "a word by Alt-Backspace", "one two.three\27\127", "one two.|" },
      { "the word that follows by Alt-D", "one two.three\1\27d\27d", "|.three" },
      { "to the line's end by Ctrl-K, then its newline", "ab\ncd\27[A\2\11\11", "a|cd" },
      { "to the line's start by Ctrl-U, then the newline before", "ab\ncd\2\21\21", "ab|d" },
    }
  end)

  describe("yanks", function()
    stories {
      { "what was killed last by Ctrl-Y", "one two\23\1\25", "two|one " },
      { "kills that follow one another as one", "one two three\23\23\25", "one two three|" },
      { "kills to both sides in their order", "ab cd\2\2\2\11\21\25", "ab cd|" },
      { "the kill before by Alt-Y, and the newest after the oldest", "a\23b\23c\23\25\27y\27y\27y", "c|" },
      { "nothing by Alt-Y when nothing was yanked", "a\23b\27y", "b|" },
      { "ten kills", table.concat({ "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "X" }, "\23") .. "\23\25"
        .. ("\27y"):rep(9), "1|" },
    }
  end)

  describe("changes", function()
    stories {
      { "the order of two characters by Ctrl-T", "abc\20", "acb|" },
      { "it in the middle of a line", "abcd\2\2\20", "acb|d" },
      { "the order of whole characters", "xe\u{301}\20", "e\u{301}x|" },
      { "nothing at the start of a line", "ab\ncd\1\20", "ab\n|cd" },
      { "words to upper, lower and title case by Alt-U, Alt-L, Alt-C", "one TWO tHREE\1\27u\27l\27c",
        "ONE two Three|" },
      { "words of other scripts, too", "größe ΤΙΜΉ цЕНА\1\27u\27l\27c", "GRÖßE τιμή Цена|" },
      { "the input back word by word, with Ctrl-_", "one two three\31", "one two |" },
      { "it back to nothing, and no further", "one two three\31\31\31\31", "|" },
      { "it on again with Alt-_", "one two\31\31\27_", "one |" },
      { "kills back at once", "one two\21\31", "one two|" },
      { "erasing back word by word", "one two\127\127\127\127\127\31", "one |" },
      { "nothing on again after something else", "one\31x\27_", "x|" },
    }
  end)

  describe("breaks lines", function()
    stories {
      { "by Alt-Enter and Ctrl-J", "a;\27\rb;\nc;", "a;\nb;\nc;|" },
      { "by Enter, if the input is not complete", "if x then\rend", "if x then\nend|" },
      { "where the cursor is", "ab\2\r", "a\n|b" },
    }

    it("submits by Enter a complete input, wherever the cursor is", function()
      local typist = in_any_pieces("a\rb;\2\rc")
      assert.same({ "a\nb;" }, typist:texts "submit")
      assert.equal("c|", typist:input())
      assert.equal("> a\n.. b;\n> c", typist.screen:text())
    end)
  end)

  describe("goes through the history", function()
    local history = { "local a = 1", "print(a)", "local b = 2", "for i = 1, 3 do\n  print(i)\nend" }
    stories {
      { "back by Up and Ctrl-P", UP:rep(4) .. "\16", "print(a)|", history = history },
      { "line by line, where an entry has several", UP .. "\27[A\16" .. UP .. DOWN .. "\14", "|",
        history = { "a", "b" } },
      { "forward by Down and Ctrl-N, to what was being typed", "x" .. "\1" .. UP .. UP .. DOWN .. "\14", "x|",
        history = { "a", "b" } },
      { "to entries that begin as the input does before the cursor", "local" .. UP .. UP, "local a = 1|",
        history = history },
      { "past what looks the same", "a" .. UP .. UP, "ab|", history = { "ab", "ac", "ab", "b", "ac" } },
      { "and finds what was changed on the way", UP .. "!" .. UP .. DOWN, "b!|", history = { "a", "b" } },
      { "to its oldest and its newest entry", "x\27<", "a|", history = { "a", "b" } },
      { "and back to what was being typed", "x\27<\27>", "x|", history = { "a", "b" } },
      { "not beyond the oldest", UP:rep(5), "a|", history = { "a", "b" } },
    }

    it("moves between the lines of an input first, and keeps the column", function()
      assert.equal("long line\nx\nlong| line", in_any_pieces("long line\nx\nlong line\27b\2" .. UP .. UP .. DOWN
        .. DOWN, { "a" }):input())
      assert.equal("e\u{301}|e\u{301}\n|", (in_any_pieces("e\u{301}e\u{301}\na" .. UP):input():gsub("a", "|")))
      assert.equal("👩\u{200d}🚀x|\n123🇩🇪4", in_any_pieces("👩\u{200d}🚀x\n123🇩🇪4" .. UP):input())
      assert.equal("👩\u{200d}🚀x\n123🇩🇪|4", in_any_pieces("👩\u{200d}🚀x\n123🇩🇪4" .. UP .. DOWN .. LEFT):input())
      assert.equal("世界\n\ta|b\n世界", in_any_pieces("世界\n\tab\n世界\1\6\6\27[A" .. "\6"):input())
    end)

    it("keeps what is submitted, but neither repeats nor secrets", function()
      local typist = Typist.new()
      typist:type "a\ra\r b\r\rc\r"
      assert.same({ "a", "c" }, typist.editor.history:entries())
    end)
  end)

  describe("searches the history", function()
    local history = { "print(1)", "for i = 1, 3 do\n  print(i)\nend", "x = 1" }
    stories {
      { "back by Ctrl-R, in all lines of an entry", { "\18print\27", "" },
        "for i = 1, 3 do\n  |print(i)\nend", history = history },
      { "further back", { "\18print\18\27", "" }, "|print(1)", history = history },
      { "forward again by Ctrl-S", { "\18print\18\19\27", "" },
        "for i = 1, 3 do\n  |print(i)\nend", history = history },
      { "less by Backspace", { "\18print(1\127\27", "" },
        "for i = 1, 3 do\n  |print(i)\nend", history = history },
      { "and edits what was found, by an arrow", "\18x" .. LEFT .. "y", "y|x = 1", history = history },
      { "and does to what was found what a key does", "\18x\5y", "x = 1y|", history = history },
      { "or gives the old text back, by Ctrl-G", "old\2\18x\7", "ol|d", history = history },
      { "and undoes it all at once", "old\18x\5\31", "old|", history = history },
      { "and moves in what was found, by Home", "\18= \27[Hy", "y|x = 1", history = history },
      { "for what was given up", "\18prin\7\18\18\27[D", "for i = 1, 3 do\n  |print(i)\nend", history = history },
      { "for the same once more", "\18prin\7\18x\5\21\18\18\5", "x = 1|", history = history },
      { "and does not join kills before and behind", { "one\23\18x\27", "\11\25\27y" }, "one|", history = { "x" } },
      { "and goes on from there", "\18x\5" .. UP .. UP .. "\1", "for i = 1, 3 do\n|  print(i)\nend",
        history = history },
    }

    it("and runs what was found, by Enter", function()
      local typist = in_any_pieces("\18pr\r", { "print(1);", "x;" })
      assert.same({ "print(1);" }, typist:texts "submit")
      assert.equal("> print(1);\n>", typist.screen:text())
    end)

    it("and shows what is looked for, and whether it was found", function()
      local typist = with_history({}, history)
      typist:type "\18pri"
      assert.equal("search back 'pri': for i = 1, 3 do\n..   print(i)\n.. end", typist.screen:text())
      assert.same({ 2, 6 }, { typist.screen.row, typist.screen.column })
      typist:type "x"
      assert.equal("not found back 'prix': for i = 1, 3 do\n..   print(i)\n.. end", typist.screen:text())
      assert.same({ { kind = "bell" } }, typist.events)
      assert.equal(">", typist:type("\7").screen:text())
    end)
  end)

  describe("knows what a key is not", function()
    stories {
      { "swallows sequences it does not know", "a\27[15~\27[1;2P\27[?1;2c\27[<0;1;1M\27OP\27[[Ab\27[20;5~\27[5~c",
        "abc|" },
      { "swallows what a terminal answers", "a\27]11;rgb:0/0/0\7b\27]0;x\27\\c\27P1$r0m\27\\d", "abcd|" },
      { "swallows a sequence without an end", { "a\27[1;", "b" }, "ab|" },
      { "swallows a key that has no meaning", "a\27z\27[1;5Pb\28c", "abc|" },
      { "takes a lone ESC for a key of its own", { "a\27", "b" }, "ab|" },
      { "takes the next byte literally after Ctrl-V", "\22\1\22\27[A\22\r\22\tx\22é", "\1\27[A\r\txé|" },
      { "keeps invalid bytes", "a\xffb\xe4\xb8c\xc3\r;", "a\xffb\xe4\xb8c\xc3\n;|" },
      { "breaks a sequence off at a control character", "ab\27[1\1x\27]0;t\rc", "x\nc|ab" },
    }

    it("waits 50 ms behind ESC, a second in a sequence or a paste, and else not", function()
      local ed = Typist.new().editor
      assert.is_nil(ed:wants_timer())
      ed:feed "\27"
      assert.equal(0.05, ed:wants_timer())
      ed:feed "["
      assert.equal(1, ed:wants_timer())
      ed:feed "200~x"
      assert.equal(1, ed:wants_timer())
      ed:feed "\27[201~\xc3"
      assert.is_nil(ed:wants_timer())
    end)
  end)

  describe("pastes", function()
    local function pasted(text)
      return "\27[200~" .. text .. "\27[201~"
    end

    stories {
      { "literally, and runs nothing", pasted "a;\rb\tc;\r\n\1d\27[A\4", "a;\nb\tc;\n\1d\27[A\4|" },
      { "what looks like the end of a paste", pasted "a\27[201b\27\27[20", "a\27[201b\27\27[20|" },
      { "at the cursor, as one edit", "ab\2" .. pasted "one two" .. "\31", "a|b" },
      { "what never ends until a second of silence", { "\27[200~one\27[20", "two" }, "one\27[20two|" },
      { "and goes on when the end comes late", { "\27[200~one", "\27[201~two" }, "onetwo|" },
      { "nothing", "a" .. pasted "" .. "b", "ab|" },
    }

    it("not more than 1 MiB", function()
      local typist = Typist.new()
      typist:type("\27[200~" .. ("x"):rep(2 ^ 20 + 1) .. "\27[201~a")
      assert.equal("a|", typist:input())
      assert.match("1024 KiB", typist:texts("bell")[1])
    end)

    it("in brackets, which it asks the terminal for", function()
      local typist = Typist.new():draw()
      assert.is_true(typist.screen.pasting)
      typist.screen:feed(typist.editor:leave())
      assert.is_false(typist.screen.pasting)
    end)
  end)

  describe("ends", function()
    it("by Ctrl-D on an empty input", function()
      assert.same({ { kind = "eof" } }, in_any_pieces("a\127\4").events)
    end)

    it("an input by Ctrl-C, which stays to be seen", function()
      local typist = in_any_pieces("ab\ncd\2\3x")
      assert.same({ { kind = "interrupt", text = "ab\ncd" } }, typist.events)
      assert.equal("> ab\n.. cd^C\n> x", typist.screen:text())
      assert.equal("x|", typist:input())
    end)

    it("an input as Ctrl-C does, when it is told to", function()
      local typist = Typist.new():type "ab\27[200~cd"
      assert.same({ { kind = "interrupt", text = "ab" } }, typist.editor:interrupt())
      assert.equal("> ab^C\n> x", typist:type("x").screen:text())
    end)

    it("nothing by Ctrl-Z, which it passes on", function()
      local typist = in_any_pieces("a\26b")
      assert.same({ { kind = "suspend" } }, typist.events)
      assert.equal("ab|", typist:input())
    end)
  end)
end)
