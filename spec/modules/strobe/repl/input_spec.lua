local input = require "strobe.repl.input"

-- What becomes of a text: "chunk", or a code, a message and the text that is wrong.
local function outcome(text, env)
  local chunk, more = input.compile(text, "=console:1", env or {})
  if chunk then
    return "chunk", more
  end
  return more.code, more.message, more.first and text:sub(more.first, more.last)
end

describe("an input", function()
  for text, state in pairs {
    [""] = "blank", [" \n\t"] = "blank", ["-- only this"] = "blank", ["--[[ a\nb ]] --c"] = "blank",
    [":help"] = "command", ["  :ps mm"] = "command", [":time if x then"] = "command",
    ["::l::"] = "complete", ["::l:: goto l"] = "complete", ["1 + 1"] = "complete", ["x = 1"] = "complete",
    ["local x <const> = 1"] = "complete", ["return 1, 2"] = "complete", ["'a'"] = "complete", ["[[\n]]"] = "complete",
    ["function() end"] = "complete", ["do end"] = "complete", ["f()\n-- and so on"] = "complete", [";"] = "complete",
    ["if x then"] = "incomplete", ["1 +"] = "incomplete", ["{1,"] = "incomplete", ["x ="] = "incomplete",
    ["'abc\\"] = "incomplete", ["'abc\\z"] = "incomplete", ["[["] = "incomplete", ["[==[ ]]"] = "incomplete",
    ["--[["] = "incomplete", ["f("] = "incomplete", ["function f()"] = "incomplete", ["local"] = "incomplete",
    ["for i = 1, 2 do"] = "incomplete", ["repeat"] = "incomplete", ["local function"] = "incomplete",
    ["return 1,"] = "incomplete", ["x.y."] = "incomplete", ["not"] = "incomplete", ["local x <const"] = "incomplete",
    ["'abc"] = "error", ["x = = 1"] = "error", ["1 2"] = "error", ["if x then )"] = "error", ["x)"] = "error",
    ["end"] = "error", ["3x"] = "error", ["'\\q'"] = "error", [":"] = "error", ["x = 'abc"] = "error",
    ["break"] = "error", ["goto nowhere"] = "error", ["local x <close> = 1"] = "error", ["@"] = "error",
    ["\27Lua"] = "error",
  } do
    it(("%q is %s"):format(text, state), function()
      assert.equal(state, input.state(text))
    end)
  end

  for text, expected in pairs {
    ["'abc"] = { "console:1:1: unfinished string near ''abc'", "'abc" },
    ["x = = 1"] = { "console:1:1: unexpected symbol near '='", "=" },
    ["1 2"] = { "console:1:1: <eof> expected near '2'", "2" },
    ["if x then )"] = { "console:1:1: unexpected symbol near ')'", ")" },
    ["x)"] = { "console:1:1: syntax error near ')'", ")" },
    ["end"] = { "console:1:1: <eof> expected near 'end'", "end" },
    ["{1, 2\n3}"] = { "console:1:2: '}' expected (to close '{' at line 1) near '3'", "3" },
    ["x = 1\ny = = = 2"] = { "console:1:2: unexpected symbol near '='", "=" },
    ["a = 1\nb = 2 c d"] = { "console:1:2: syntax error near 'd'", "d" },
    ["x = 3x"] = { "console:1:1: malformed number near '3x'", "3x" },
    ["local ok = 1\nlocal x <close> = f()"] = {
      "console:1:2: <close>: nothing would close it at the top of an input: use do … end around it", "close",
    },
  } do
    it(("tells what is wrong with %q, and where"):format(text), function()
      local code, message, wrong = outcome(text)
      assert.same({ "syntax", expected[1], expected[2] }, { code, message, wrong })
    end)
  end

  it("is an error also in a text of many lines, at the first token that is wrong", function()
    local lines = {}
    for i = 1, 1000 do
      lines[i] = ("x%d = f(%d) -- ="):format(i, i)
    end
    lines[700] = "x700 = f 700"
    local code, message, wrong = outcome(table.concat(lines, "\n"))
    assert.same({ "syntax", "console:1:700: unexpected symbol near '700'", "700" }, { code, message, wrong })
  end)

  it("is no precompiled chunk", function()
    assert.equal("syntax", (outcome(string.dump(function() end))))
  end)

  it("gives the values of an expression, or runs statements", function()
    local env = {}
    assert.same({ 1, 2 }, { input.compile("1, 2", "=x", env)() })
    input.compile("local a, b = 1; c = 3", "=x", env)()
    assert.same({ a = 1, c = 3 }, env)
  end)
end)
