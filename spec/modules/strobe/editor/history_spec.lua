local History = require "strobe.editor.history"

local function with(entries, most)
  local history = History.new(most)
  for _, entry in ipairs(entries) do
    history:add(entry)
  end
  return history
end

describe("the history", function()
  it("keeps what is no repeat, no secret, and not empty", function()
    local history = History.new()
    assert.is_true(history:add "a")
    assert.is_false(history:add "a")
    assert.is_false(history:add " key = 1")
    assert.is_false(history:add "")
    assert.is_true(history:add "b")
    assert.is_true(history:add "a")
    assert.same({ "a", "b", "a" }, history:entries())
  end)

  it("keeps the newest only, 10,000 of them", function()
    assert.same({ "b", "c" }, with({ "a", "b", "c" }, 2):entries())
    local history = History.new()
    for i = 1, 10010 do
      history:add(tostring(i))
    end
    assert.same({ 10000, "11" }, { #history:entries(), history:entries()[1] })
  end)

  it("keeps no more than 16 MiB", function()
    local history = History.new()
    for i = 1, 40 do
      history:add(tostring(i % 10):rep(1024 * 1024))
    end
    assert.equal(16, #history:entries())
  end)

  it("goes back and forth among what begins alike", function()
    local history = with { "ab", "x", "ac", "ac\n1" }
    assert.equal("ac\n1", history:older("a", "a"))
    assert.equal("ac", history:older("ac\n1", "ac\n1"))
    assert.equal("ab", history:older("ac", "ac"))
    assert.is_nil(history:older("ab", ""))
    assert.equal("ac", history:newer "ab")
    assert.equal("ac\n1", history:newer "ac")
    assert.equal("a", history:newer "ac\n1")
    assert.is_nil(history:newer "a")
  end)

  it("keeps changes while one is on the way, and the entries as they were", function()
    local history = with { "a", "b" }
    history:older("", "")
    assert.equal("a", history:older("b2", ""))
    assert.equal("b2", history:newer "a3")
    assert.equal("a3", history:older("b2", ""))
    history:leave()
    assert.equal("b", history:older("", ""))
    assert.same({ "a", "b" }, history:entries())
  end)

  it("is searched for a text as it is, without patterns", function()
    local history = with { "a.b", "a+b", "axb" }
    assert.same({ 1, 2 }, { history:search(".b", 3, -1) })
    assert.same({}, { history:search("%", 3, -1) })
    assert.same({ 3, 1 }, { history:search("ax", 1, 1) })
  end)
end)
