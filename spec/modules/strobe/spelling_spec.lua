local spelling = require "strobe.spelling"

describe("the nearest names", function()
  it("are those with the fewest letters changed or swapped", function()
    assert.same({ "btc_usd", "btc_eur" }, spelling.nearest("bct_usd", { "btc_eur", "btc_usd" }))
    assert.same({ "a", "b", "c" }, spelling.nearest("", { "c", "a", "b", "dd" }))
    assert.same({}, spelling.nearest("a", {}))
  end)
end)
