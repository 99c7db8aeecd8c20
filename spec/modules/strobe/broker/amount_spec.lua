local amount = require "strobe.broker.amount"

describe("an amount", function()
  it("is whole in units of 10^-8", function()
    assert.equal(10000000, amount.of(0.1))
    assert.equal(-12345678, amount.of(-0.12345678))
    assert.equal("integer", math.type(amount.of(9e10)))
    assert.equal(0.3, amount.number(amount.of(0.1) + amount.of(0.2)))
  end)

  it("is rounded to the nearest, a half upwards", function()
    assert.same({ 1, 1, 0, -1, 0 }, { amount.round(1.49), amount.round(0.5), amount.round(0.49), amount.round(-1.5),
      amount.round(-0.5) })
  end)

  it("of money is what a size costs", function()
    assert.equal(amount.of(0.01286541), amount.value(amount.of(985.1), 0.00001306))
  end)
end)
