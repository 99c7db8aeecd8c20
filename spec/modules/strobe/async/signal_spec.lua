local signals = require "strobe.async.signal"
local uv = require "luv"

describe("a signal", function()
  it("has a number, by whichever name it is given", function()
    for _, name in ipairs { "SIGTERM", "sigterm", 15 } do
      assert.equal(15, signals.number("stop", name))
    end
    assert.equal(64, signals.number("stop", 64))
  end)

  it("is refused where there is none, with who asked", function()
    for _, wrong in ipairs { "TERM", "SIG", "SIGNONE", "", 0, 65, 1.5, true } do
      local ok, message = pcall(function()
        signals.number("stop", wrong, 1)
      end)
      assert.is_false(ok)
      assert.matches("signal_spec%.lua:%d+: stop: a signal's name or number expected, got " .. tostring(wrong), message)
    end
  end)

  it("has a name, always the same where it has two", function()
    assert.equal("SIGTERM", signals.name(15))
    assert.equal("SIGABRT", signals.name(uv.constants.SIGIOT or 6))
    assert.equal("signal 40", signals.name(40))
  end)
end)
