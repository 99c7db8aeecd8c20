local Throttle = require "strobe.throttle"

describe("a throttle", function()
  it("lets a key pass once in its window, and counts", function()
    local throttle = Throttle.new(60)
    assert.same({ true, 0 }, { throttle:pass("a", "the first") })
    assert.same({ false, 0 }, { throttle:pass("a", "the first") })
    assert.same({ true, 0 }, { throttle:pass("b", "another") })
    assert.same({ false, 0 }, { throttle:pass("a", "the first") })
    assert.same({ { text = "the first", more = 2 } }, throttle:rest())
    assert.same({}, throttle:rest())
  end)

  it("lets it pass again after that, with how many were held back", function()
    local throttle = Throttle.new(0)
    throttle:pass("a", "text")
    throttle.window = 60
    throttle:pass("a", "text")
    throttle:pass("a", "text")
    throttle.window = 0
    assert.same({ true, 2 }, { throttle:pass("a", "text") })
    assert.same({ true, 0 }, { throttle:pass("a", "text") })
  end)

  it("knows so many keys at a time", function()
    local throttle = Throttle.new(60)
    for i = 1, 1000 do
      assert.is_true(throttle:pass("key" .. i, "text"))
    end
    assert.is_false(throttle:pass("key1", "text"))
    assert.is_true(throttle:pass("key1001", "text"))
    assert.is_true(throttle:pass("key1", "text"))
  end)
end)
