local errors = require "spec.support.errors"
local failures = require "strobe.attach.failure"

describe("a failure of an operation", function()
  it("has a code, a text and further fields", function()
    local e = errors.raised_by(failures.raise, "not_found", "there is none", { unit = "x" })
    assert.is_true(failures.is(e))
    assert.same({ "not_found", "there is none", { unit = "x" } }, { e.code, e.message, e.more })
    assert.is_false(failures.is "text")
  end)
end)

describe("a field of a request", function()
  it("is of the type that is asked for, or the request is a bad one", function()
    assert.equal("x", failures.field({ a = "x" }, "a", "string"))
    assert.equal("integer", math.type(failures.field({ a = 3.0 }, "a", "integer")))
    assert.is_nil(failures.field({}, "a", "string", true))
    for kind, value in pairs { string = 1, integer = 1.5, number = "1", boolean = 0 } do
      local e = errors.raised_by(failures.field, { a = value }, "a", kind)
      assert.equal("bad_request", e.code)
      assert.equal(("a: %s expected"):format(kind == "integer" and "a whole number" or "a " .. kind), e.message)
      assert.equal("bad_request", errors.raised_by(failures.field, {}, "a", kind).code)
    end
  end)
end)
