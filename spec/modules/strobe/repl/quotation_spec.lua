local quotation = require "strobe.repl.quotation"

describe("a quotation", function()
  it("is what Lua reads again, and drives no terminal", function()
    local text = 'a\n"\\\27[31m\0\127ä\xc2\x9b\xff\xe2\x80\xae.'
    local quoted = quotation.quoted(text)
    assert.equal([["a\n\"\\\x1b[31m\x00\x7fä\u{9b}\xff\u{202e}."]], quoted)
    assert.equal(text, load("return " .. quoted)())
  end)

  it("escapes each byte that is no UTF-8", function()
    assert.equal([["\xe2\x82"]], quotation.quoted "\xe2\x82")
    assert.equal([["a\xff\xffb"]], quotation.quoted "a\xff\xffb")
    assert.equal([["\xed\xa0\x80"]], quotation.quoted "\xed\xa0\x80")
  end)

  it("leaves plain text as it is; lines may stay", function()
    assert.equal([[a"b\c]], quotation.plain [[a"b\c]])
    assert.equal([[a\nb\x1b]], quotation.plain "a\nb\27")
    assert.equal("a\nb\t\\x1b", quotation.plain("a\nb\t\27", true))
  end)

  it("cuts between characters", function()
    assert.equal("abc", quotation.cut("abc", 3))
    assert.equal("ab", quotation.cut("abc", 2))
    assert.equal("a", quotation.cut("aä", 2))
    assert.equal("a", quotation.cut("a€", 3))
    assert.equal("", quotation.cut("€", 2))
    assert.equal("\x80\x80\x80\x80\x80", quotation.cut("\x80\x80\x80\x80\x80\x80", 5))
  end)
end)
