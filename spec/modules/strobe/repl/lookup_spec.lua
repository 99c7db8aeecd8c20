local lexer = require "strobe.repl.lexer"
local lookup = require "strobe.repl.lookup"

local object = setmetatable({ own = 1 }, { __index = setmetatable({ inherited = 2 }, { __index = { far = 3 } }) })
local variables = { t = { a = { b = 4 }, [1] = "one", ["x y"] = 5 }, object = object, string = "mine" }

local function value(text)
  local tokens = lexer.code(text)
  return lookup.value(text, tokens, #tokens, variables)
end

describe("looking up", function()
  for text, expected in pairs {
    ["t.a.b"] = 4, ["t[1]"] = "one", ["t['x y']"] = 5, ["t.a['b']"] = 4, ["x + t.a.b"] = 4, ["t . a . b"] = 4,
    ["object.own"] = 1, ["object.inherited"] = 2, ["object.far"] = 3, ["string"] = "mine", ["'text'"] = "text",
    ["('text')"] = "text", ["'text'.rep"] = string.rep, ["math.pi"] = math.pi, ["_VERSION"] = _VERSION,
  } do
    it(("finds the value of %q"):format(text), function()
      assert.equal(expected, value(text))
    end)
  end

  for _, text in ipairs {
    "", "nothing", "t.nothing.b", "t[2]", "t[a]", "f()", "t.a()", "f'x'", "f('x')", "{1}", "1 + 2", "(t)", ".a",
    "t.a.b.c",
  } do
    it(("finds nothing for %q, which cannot be known without running it"):format(text), function()
      assert.is_nil(value(text))
    end)
  end

  it("loads strobe's modules by their names, and their parts", function()
    assert.equal(require "strobe.async", value "async")
    assert.equal(require("strobe.async").Queue, value "async.Queue")
    assert.equal(require "strobe.json", value "require 'strobe.json'")
    assert.equal(require "strobe.json", value "require('strobe.json')")
  end)

  it("follows circles only so far, and calls no metamethod", function()
    local circle = {}
    circle.__index = circle
    assert.is_nil(lookup.field(setmetatable(circle, circle), "x"))
    assert.is_nil(lookup.field(setmetatable({}, { __index = error }), "x"))
    lookup.each_field(setmetatable({}, { __index = error, __pairs = error }), error)
  end)
end)
