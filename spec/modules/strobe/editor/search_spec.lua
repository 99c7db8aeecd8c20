local History = require "strobe.editor.history"
local Search = require "strobe.editor.search"

local function search_in(entries, step)
  local history = History.new()
  for _, entry in ipairs(entries) do
    history:add(entry)
  end
  return Search.new(history, "draft", 5, step or -1)
end

describe("a search", function()
  it("shows the text that was edited until something is looked for", function()
    local search = search_in { "one" }
    assert.same({ "draft", 5, "", "search back '': " }, { search.text, search.cursor, search:query(), search:prompt() })
    assert.is_nil(search:index())
    assert.is_false(search:back())
  end)

  it("finds the newest with each character that is typed, and goes back to what was found before it", function()
    local search = search_in { "ab", "ac", "xa" }
    assert.is_true(search:extend "a")
    assert.equal("xa", search.text)
    assert.is_true(search:extend "b")
    assert.same({ "ab", 1 }, { search.text, search:index() })
    assert.is_true(search:back())
    assert.same({ "xa", "a" }, { search.text, search:query() })
    assert.is_true(search:back())
    assert.equal("draft", search.text)
  end)

  it("keeps what it found last when there is no more, says so, and can be taken back", function()
    local search = search_in { "abc" }
    assert.is_true(search:extend "ab")
    assert.is_false(search:extend "z")
    assert.same({ "abc", "not found back 'abz': " }, { search.text, search:prompt() })
    search:back()
    assert.same({ "abc", "search back 'ab': " }, { search.text, search:prompt() })
  end)

  it("goes on to older ones and back to newer ones, and passes those that look the same", function()
    local search = search_in { "a1", "a2", "b", "a2" }
    search:extend "a"
    assert.equal("a2", search.text)
    assert.is_true(search:again(-1))
    assert.equal("a1", search.text)
    assert.is_true(search:again(1))
    assert.equal("a2", search.text)
  end)

  it("begins with what was looked for before, when nothing was typed", function()
    local search = search_in { "first", "second" }
    assert.is_false(search:again(-1))
    assert.is_false(search:again(-1, ""))
    assert.is_true(search:again(-1, "ir"))
    assert.same({ "first", "ir" }, { search.text, search:query() })
  end)

  it("takes characters whole, and no more than 1,024 bytes of them", function()
    local search = search_in { "grün" }
    assert.is_true(search:extend "ü")
    search:back()
    assert.equal("draft", search.text)
    search:extend(("x"):rep(5000))
    assert.equal(1024, #search:query())
    assert.is_false(search:extend "y")
    assert.equal(1024, #search:query())
  end)

  it("of an empty history finds nothing", function()
    local search = search_in({}, 1)
    assert.is_false(search:extend "a")
    assert.same({ "draft", "not found forward 'a': " }, { search.text, search:prompt() })
  end)
end)
