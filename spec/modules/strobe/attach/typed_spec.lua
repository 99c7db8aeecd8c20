local typed = require "strobe.attach.typed"

-- The failure by which f(…) is refused.
local function refused(f, ...)
  local ok, e = pcall(f, ...)
  assert.is_false(ok)
  return e
end

local function session(fields)
  local made = { number = 1, push = function() end, log = function() end }
  for name, value in pairs(fields or {}) do
    made[name] = value
  end
  return made
end

describe("what a session types", function()
  it("is refused where nobody may run code", function()
    local e = refused(typed.evaluator, session { eval = false })
    assert.equal("no_op", e.code)
    assert.matches("%-%-no%-eval", e.message)
  end)

  it("has the variables of its session, from one input to the next", function()
    local mine, other = session(), session { number = 2 }
    assert.equal(typed.evaluator(mine), typed.evaluator(mine))
    assert.not_equal(typed.evaluator(mine), typed.evaluator(other))
  end)

  it("may run 100 ms from afar, as long as it asks for up to 5 s, and for ever at the process's own console", function()
    local far, near = session(), session { near = true }
    assert.equal(0.1, typed.seconds(far, {}))
    assert.equal(5, typed.seconds(far, { budget = 5000 }))
    assert.is_nil(typed.seconds(near, {}))
    assert.equal(2, typed.seconds(near, { budget = 2000 }))
    for _, budget in ipairs { 0, -1, 5001, 0 / 0, "100", {} } do
      assert.equal("bad_request", refused(typed.seconds, far, { budget = budget }).code)
    end
  end)

  it("asks for more, or tells the line that is wrong, as it was typed", function()
    local evaluator = typed.evaluator(session())
    assert.equal("incomplete", refused(typed.compile, evaluator, "if x then").code)
    local e = refused(typed.compile, evaluator, "x = 1\ny = = 2")
    assert.equal("syntax", e.code)
    assert.matches("'='", e.message)
    assert.matches("y = = 2\n%s*%^", e.more.trace)
    assert.is_function((typed.compile(evaluator, "1 + 1")))
  end)
end)
