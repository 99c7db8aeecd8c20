local dice = require "spec.support.dice"
local ring = require "strobe.tectonic.ring"

describe("ring", function()
  describe("push", function()
    it("keeps values in order until it is full", function()
      local values = ring.new(3)
      assert.is_false(values:push("a"))
      assert.is_false(values:push("b"))
      assert.is_false(values:push("c"))
      assert.same({ "a", "b", "c" }, values:list())
      assert.equal(0, values.dropped)
    end)

    it("drops the oldest value of a full ring, and says so", function()
      local values = ring.new(2)
      values:push(1)
      values:push(2)
      assert.is_true(values:push(3))
      assert.is_true(values:push(4))
      assert.same({ 3, 4 }, values:list())
      assert.equal(2, values.dropped)
      assert.equal(2, values:count())
    end)

    it("works with room for one value", function()
      local values = ring.new(1)
      values:push("a")
      values:push("b")
      assert.equal("b", values:shift())
      assert.is_nil(values:shift())
      values:push("c")
      assert.equal("c", values:shift())
    end)
  end)

  describe("shift", function()
    it("gives the oldest value, and nil when empty", function()
      local values = ring.new(2)
      values:push("a")
      values:push("b")
      assert.equal("a", values:shift())
      assert.equal("b", values:shift())
      assert.is_nil(values:shift())
      assert.equal(0, values:count())
    end)
  end)

  describe("list", function()
    it("cuts its ends to what is there", function()
      local values = ring.new(3)
      for i = 1, 5 do
        values:push(i)
      end
      assert.same({ 3, 4, 5 }, values:list(-7, 99))
      assert.same({ 4 }, values:list(2, 2))
      assert.same({}, values:list(4))
      assert.same({}, values:list(3, 1))
    end)
  end)

  describe("clear", function()
    it("forgets the values but not what was dropped", function()
      local values = ring.new(1)
      values:push(1)
      values:push(2)
      values:clear()
      assert.equal(0, values:count())
      assert.equal(1, values.dropped)
      values:push(3)
      assert.same({ 3 }, values:list())
    end)
  end)

  describe("new", function()
    it("refuses a limit that is no positive integer", function()
      for _, limit in ipairs { 0, -1, 1.5, "3", false } do
        assert.error_matches(function() ring.new(limit) end, "^.*limit: a positive integer expected")
      end
    end)
  end)

  it("behaves like a list cut at its front, through any pushes and shifts", function()
    local random, values, model, dropped = dice(7), ring.new(5), {}, 0
    for i = 1, 5000 do
      if random(5) <= 3 then
        values:push(i)
        model[#model + 1] = i
        if #model > 5 then
          table.remove(model, 1)
          dropped = dropped + 1
        end
      else
        assert.equal(table.remove(model, 1), values:shift())
      end
      assert.equal(#model, values:count())
      assert.same(model, values:list())
    end
    assert.equal(dropped, values.dropped)
    assert.is_true(dropped > 0)
  end)
end)
