local shallow = require "strobe.shallow"

describe("tables taken as pairs", function()
  it("are equal with the same keys and values, in whatever order", function()
    assert.is_true(shallow.equal({}, {}))
    assert.is_true(shallow.equal({ a = 1, b = false }, { b = false, a = 1.0 }))
    for _, other in ipairs { {}, { a = 1 }, { a = 1, b = true }, { a = 1, b = false, c = 2 } } do
      assert.is_false(shallow.equal({ a = 1, b = false }, other))
      assert.is_false(shallow.equal(other, { a = 1, b = false }))
    end
  end)

  it("are not looked into", function()
    local inner = {}
    assert.is_true(shallow.equal({ inner }, { inner }))
    assert.is_false(shallow.equal({ {} }, { {} }))
    assert.equal(inner, shallow.copy({ inner })[1])
  end)

  it("are copied, without what their metatables add", function()
    local t = setmetatable({ a = 1, [2] = false }, { __index = { b = 2 } })
    local copied = shallow.copy(t)
    assert.same({ a = 1, [2] = false }, copied)
    assert.not_equal(t, copied)
    assert.is_nil(copied.b)
  end)
end)
