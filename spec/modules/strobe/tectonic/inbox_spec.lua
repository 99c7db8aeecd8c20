local async = require "strobe.async"
local inbox = require "strobe.tectonic.inbox"

describe("inbox", function()
  it("gives updates in the order they came, those of an opened book by themselves", function()
    local one = inbox.new(10)
    assert.is_true(one:open "a")
    for _, book in ipairs { "a", "b", "a", "c" } do
      assert.is_false(one:put({ book = book }, book))
    end
    assert.equal("a", one:take("a").book)
    assert.equal("a", one:take("a").book)
    assert.is_nil(one:take "a")
    assert.equal("b", one:take().book)
    assert.equal("c", one:take().book)
    assert.is_nil(one:take())
  end)

  it("loses the oldest update of a full queue, and says so", function()
    local one = inbox.new(2)
    assert.is_false(one:put({ seq = 1 }, "a"))
    assert.is_false(one:put({ seq = 2 }, "a"))
    assert.is_true(one:put({ seq = 3 }, "a"))
    assert.equal(2, one:take().seq)
  end)

  it("opens a book once at a time, and forgets its updates when it is closed", function()
    local one = inbox.new(2)
    one:open "a"
    assert.is_false(one:open "a")
    one:put({ seq = 1 }, "a")
    one:close "a"
    assert.is_nil(one:take "a")
    assert.is_true(one:open "a")
    assert.is_nil(one:take "a")
  end)

  it("lets a task wait for an update, or until it is woken, but not when there is one", function()
    local one = inbox.new(2)
    local waiting = async.create_task(one.wait, one)
    async.sleep(1)
    assert.is_false(waiting:done())
    one:put({ seq = 1 }, "a")
    waiting:await()
    one:wait()
    one:take()
    waiting = async.create_task(one.wait, one)
    async.sleep(1)
    one:wake()
    waiting:await()
  end)
end)
