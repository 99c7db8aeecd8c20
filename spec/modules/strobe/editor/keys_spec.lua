local Keys = require "strobe.editor.keys"

local MEGABYTE = 1024 * 1024

-- What comes of bytes, in one read and byte by byte, and of waiting behind them.
local function keys_of(bytes)
  local whole, single, list = Keys.new(), Keys.new(), {}
  for byte in bytes:gmatch "." do
    table.move(single:feed(byte), 1, 9, #list + 1, list)
  end
  local keys = whole:feed(bytes)
  local text, other = {}, {}
  for i, each in ipairs { keys, list } do
    text[i], other[i] = "", {}
    for _, key in ipairs(each) do
      text[i] = text[i] .. (key.text or "")
      other[i][#other[i] + 1] = key.name or key.paste
    end
  end
  assert.same({ text[1], other[1] }, { text[2], other[2] })
  assert.equal(whole:wants_timer(), single:wants_timer())
  assert.same(whole:expire(), single:expire())
  return keys
end

describe("keys", function()
  it("are runs of text, and names", function()
    assert.same({ { text = "añ世" }, { name = "ctrl-a" }, { text = "b" }, { name = "enter" }, { name = "alt-x" } },
      keys_of "añ世\1b\r\27x")
  end)

  it("have modifiers before their names", function()
    assert.same({ { name = "ctrl-left" }, { name = "alt-right" }, { name = "ctrl-alt-up" }, { name = "down" },
      { name = "alt-home" }, { name = "ctrl-delete" }, { name = "shift-tab" } },
      keys_of "\27[1;5D\27[1;3C\27[1;7A\27[1;2B\27\27[H\27[3;5~\27[Z")
  end)

  it("wait for the rest of a character, and take what cannot be one as it is", function()
    local keys = Keys.new()
    assert.same({}, keys:feed "\xf0\x9f")
    assert.same({ { text = "👩" } }, keys:feed "\x91\xa9")
    assert.same({ { text = "\xe4\xb8a" } }, (function()
      keys:feed "\xe4\xb8"
      return keys:feed "a"
    end)())
    assert.same({ { text = "\xff\xf5\x80\x80\x80\x80" } }, keys:feed "\xff\xf5\x80\x80\x80\x80")
  end)

  it("are not what a terminal answers, whatever it is", function()
    assert.same({}, keys_of "\27[?62;1;4c\27[12;40R\27]11;rgb:00/00/00\27\\\27P>|xterm\27\\\27[?2026;2$y")
  end)

  it("are bounded in what is held", function()
    local keys = Keys.new()
    for _ = 1, 1000 do
      assert.same({}, keys:feed(("\27[" .. ("1"):rep(1000))))
    end
    assert.same({ { text = "a" } }, keys:feed "ma")
    keys:feed("\27]" .. ("x"):rep(5000))
    assert.same({ { text = "a" } }, keys:feed "a")
  end)

  it("are a paste as one, with LF at the ends of its lines", function()
    assert.same({ { paste = "a\nb\n\nc" } }, keys_of "\27[200~a\r\nb\r\rc\27[201~")
  end)

  it("tell that a paste was too long", function()
    local keys = Keys.new()
    keys:feed "\27[200~"
    for _ = 1, 64 do
      assert.same({}, keys:feed(("x"):rep(MEGABYTE // 16)))
    end
    assert.same({ { paste = "", too_long = true }, { text = "a" } }, keys:feed "\27[201~a")
  end)
end)
