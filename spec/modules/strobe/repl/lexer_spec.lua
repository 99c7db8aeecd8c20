local lexer = require "strobe.repl.lexer"
local dice = require "spec.support.dice"

-- Tokens as "kind:text", with "!" for one that the text's end cuts off.
local function words(text)
  local list = {}
  for i, token in ipairs(lexer.tokens(text)) do
    list[i] = ("%s:%s%s"):format(token.kind, text:sub(token.first, token.last), token.open and "!" or "")
  end
  return list
end

describe("the lexer", function()
  for text, expected in pairs {
    ["local x = 1"] = { "keyword:local", "name:x", "symbol:=", "number:1" },
    ["a.b:c(...)"] = {
      "name:a", "symbol:.", "name:b", "symbol::", "name:c", "symbol:(", "symbol:...", "symbol:)",
    },
    ["a..b//c<<2>=~=::l::"] = {
      "name:a", "symbol:..", "name:b", "symbol://", "name:c", "symbol:<<", "number:2", "symbol:>=", "symbol:~=",
      "symbol:::", "name:l", "symbol:::",
    },
    ["0x1p-3 .5 1e+5 3. 0xA.8 7"] = {
      "number:0x1p-3", "number:.5", "number:1e+5", "number:3.", "number:0xA.8", "number:7",
    },
    ["3x 1..2 0x"] = { "error:3x", "error:1..2", "error:0x" },
    ["1+2 1e5-x"] = { "number:1", "symbol:+", "number:2", "number:1e5", "symbol:-", "name:x" },
    ["'a\\'b' \"c'd\""] = { "string:'a\\'b'", "string:\"c'd\"" },
    ["'a\\\nb' 'c\\z \n d'"] = { "string:'a\\\nb'", "string:'c\\z \n d'" },
    ["'abc"] = { "string:'abc!" },
    ["'abc\\"] = { "string:'abc\\!" },
    ["'abc\nx"] = { "error:'abc", "name:x" },
    ["[[a\n]]b"] = { "string:[[a\n]]", "name:b" },
    ["[==[ ]] ]==] [=["] = { "string:[==[ ]] ]==]", "string:[=[!" },
    ["t[1] t[ [[x]] ]"] = {
      "name:t", "symbol:[", "number:1", "symbol:]", "name:t", "symbol:[", "string:[[x]]", "symbol:]",
    },
    ["--a\n--[[b\nc]]--[d"] = { "comment:--a", "comment:--[[b\nc]]", "comment:--[d" },
    ["--[[a"] = { "comment:--[[a!" },
    ["a ä !"] = { "name:a", "error:ä", "error:!" },
    ["."] = { "symbol:." },
    [".."] = { "symbol:.." },
  } do
    it(("splits %q"):format(text), function()
      assert.same(expected, words(text))
    end)
  end

  it("takes any bytes: its tokens follow each other, and only blanks are between them", function()
    local random = dice(7)
    local pieces = { "'", '"', "[[", "]]", "--", "\n", "\\", "a", "1", ".", "=", "[=[", "\xff", "\0", " ", "e+", "0x" }
    for _ = 1, 500 do
      local parts = {}
      for i = 1, 12 do
        parts[i] = pieces[random(#pieces)]
      end
      local text, at = table.concat(parts), 1
      for _, token in ipairs(lexer.tokens(text)) do
        assert.is_nil(text:sub(at, token.first - 1):find "%S")
        assert.is_true(token.last >= token.first and token.last <= #text)
        at = token.last + 1
      end
      assert.is_nil(text:sub(at):find "%S", text)
    end
  end)
end)
