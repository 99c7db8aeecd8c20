local async = require "strobe.async"
local refusals = require "strobe.live.refusal"

describe("a refusal", function()
  it("has a code, a place, and one line that says what to do", function()
    local refusal = refusals.new("syntax", "mm.lua:3: unexpected symbol", "/home/ada/mm.lua:3")
    assert.same({ "syntax", "/home/ada/mm.lua:3" }, { refusal.code, refusal.place })
    assert.matches("unexpected symbol", tostring(refusal))
    assert.is_true(async.is(refusal, async.Error))
    for code, remedy in pairs(refusals.remedies) do
      assert.matches("^%l[^\n]+[^.\n]$", remedy, code)
    end
  end)

  it("has no code that is not known", function()
    assert.error_matches(function()
      refusals.new("whim", "no")
    end, "no such code: whim")
  end)

  it("is raised as it is", function()
    local ok, e = pcall(refusals.raise, "busy", "it works")
    assert.same({ false, true, "busy" }, { ok, refusals.is(e), e.code })
    assert.is_false(refusals.is "it works")
    assert.is_false(refusals.is {})
  end)

  it("stands for whatever was raised", function()
    local refusal = refusals.new("busy", "it works")
    assert.equal(refusal, refusals.of(refusal, "load"))
    assert.same({ "load", "no luck", "a.lua:1" }, (function(e)
      return { e.code, e.message, e.place }
    end)(refusals.of("no luck", "load", "a.lua:1")))
    assert.equal("memory", refusals.of("not enough memory", "load").code)
    assert.matches("^table: ", refusals.of({}, "load").message)
    local mute = setmetatable({}, { __tostring = function() error "not a word" end })
    assert.matches("^an error whose __tostring fails: .*not a word", refusals.of(mute, "load").message)
  end)
end)
