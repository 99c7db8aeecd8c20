local Predicate = require "strobe.attach.predicate"
local async = require "strobe.async"

describe("a predicate", function()
  it("says of one value after the other whether it is wanted", function()
    local predicate = assert(Predicate.new("m.price > least", { least = 3 }))
    assert.is_true(predicate:ask { price = 4 })
    assert.is_false(predicate:ask { price = 3 })
    assert.is_true(Predicate.new("m", {}):ask "anything")
    assert.is_false(Predicate.new("m", {}):ask(nil))
  end)

  it("says what is wrong with it", function()
    assert.same({ nil, "<eof> expected near 'x'" }, { Predicate.new("m x", {}) })
    local predicate = assert(Predicate.new("m.a.b", {}))
    assert.same({ nil, "attempt to index a nil value (field 'a')" }, { predicate:ask {} })
  end)

  it("may neither wait nor run for long", function()
    local forever = assert(Predicate.new("(function() while true do end end)()", {}))
    assert.same({ nil, "it runs for too long" }, { forever:ask(1) })
    assert.same({ nil, "it waits" }, { Predicate.new("coroutine.yield(1)", { coroutine = coroutine }):ask(1) })
    local _, message = Predicate.new("sleep(1)", { sleep = async.sleep }):ask(1)
    assert.is_string(message)
  end)

  it("is not held up by many short ones", function()
    local text = "(function() local x = 0 for i = 1, 1000 do x = x + m end return x end)() > 0"
    local predicate = assert(Predicate.new(text, {}))
    for i = 1, 100 do
      assert.is_true(predicate:ask(i))
    end
  end)
end)
