local conditional = require "strobe.http.conditional"
local date = require "strobe.http.date"

local MODIFIED = 784111777
local NOW = MODIFIED + 1000000
local SAME, BEFORE, AFTER = date.format(MODIFIED), date.format(MODIFIED - 1), date.format(MODIFIED + 1)

local strong = { etag = '"a"', modified = MODIFIED, strong = true }
local weak = { etag = 'W/"a"', modified = MODIFIED, strong = false }

local function evaluate(headers, validators)
  return conditional.evaluate(headers, validators or strong, NOW)
end

describe("a conditional request", function()
  it("without conditions gets the content", function()
    assert.is_nil(evaluate {})
  end)

  it("with If-None-Match of what it has gets 304, compared weakly", function()
    for _, list in ipairs { '"a"', 'W/"a"', '"x", "a"', '"x","y" , W/"a"', "*", " * ", '"x,", "a"' } do
      assert.equal(304, evaluate { ["if-none-match"] = list })
      assert.equal(304, evaluate({ ["if-none-match"] = list }, weak))
    end
    for _, list in ipairs { '"b"', "a", "", '"A"', '"a', '"x,a"', '"*"' } do
      assert.is_nil(evaluate { ["if-none-match"] = list })
    end
  end)

  it("with If-Match of something else gets 412, compared strongly", function()
    assert.is_nil(evaluate { ["if-match"] = '"x", "a"' })
    assert.is_nil(evaluate { ["if-match"] = "*" })
    assert.equal(412, evaluate { ["if-match"] = '"x"' })
    assert.equal(412, evaluate { ["if-match"] = 'W/"a"' })
    assert.equal(412, evaluate({ ["if-match"] = 'W/"a"' }, weak))
    assert.equal(412, evaluate({ ["if-match"] = '"a"' }, weak))
  end)

  it("with If-Modified-Since gets 304 when it was not", function()
    assert.equal(304, evaluate { ["if-modified-since"] = SAME })
    assert.equal(304, evaluate { ["if-modified-since"] = AFTER })
    assert.is_nil(evaluate { ["if-modified-since"] = BEFORE })
    assert.is_nil(evaluate { ["if-modified-since"] = "yesterday" })
  end)

  it("with If-Unmodified-Since gets 412 when it was", function()
    assert.equal(412, evaluate { ["if-unmodified-since"] = BEFORE })
    assert.is_nil(evaluate { ["if-unmodified-since"] = SAME })
    assert.is_nil(evaluate { ["if-unmodified-since"] = "tomorrow" })
  end)

  it("goes by tags before dates, and by If-Match before all", function()
    assert.is_nil(evaluate { ["if-none-match"] = '"b"', ["if-modified-since"] = AFTER })
    assert.equal(304, evaluate { ["if-none-match"] = '"a"', ["if-modified-since"] = BEFORE })
    assert.is_nil(evaluate { ["if-match"] = '"a"', ["if-unmodified-since"] = BEFORE })
    assert.equal(412, evaluate { ["if-match"] = '"b"', ["if-none-match"] = '"a"' })
    assert.equal(304, evaluate { ["if-match"] = '"a"', ["if-none-match"] = '"a"' })
    assert.equal(412, evaluate { ["if-unmodified-since"] = BEFORE, ["if-none-match"] = '"a"' })
  end)

  describe("If-Range", function()
    local function allows(value, validators)
      return conditional.allows_range({ ["if-range"] = value }, validators or strong, NOW)
    end

    it("lets the Range count for exactly that content", function()
      assert.is_true(allows(nil))
      assert.is_true(allows '"a"')
      assert.is_true(allows(SAME))
      assert.is_false(allows '"b"')
      assert.is_false(allows 'W/"a"')
      assert.is_false(allows(AFTER))
      assert.is_false(allows(BEFORE))
      assert.is_false(allows "x")
    end)

    it("never does when the validators are weak", function()
      assert.is_false(allows('"a"', weak))
      assert.is_false(allows('W/"a"', weak))
      assert.is_false(allows(SAME, weak))
    end)
  end)
end)
