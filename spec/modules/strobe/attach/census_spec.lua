local Census = require "strobe.attach.census"

local function nothing() end

local function row_of(census, owner, kind)
  for _, row in ipairs(census:result()) do
    if row.owner == owner and row.type == kind then
      return row
    end
  end
end

describe("a census", function()
  it("counts what can be reached, each object once", function()
    local shared = { 1 }
    local root = { shared, { shared }, text = "some text of this spec", f = function() return shared end }
    root.self = root
    local census = Census.new(nothing)
    census:count("mine", { root })
    assert.equal(3, row_of(census, "mine", "table").count)
    assert.equal(1, row_of(census, "mine", "function").count)
    assert.is_true(row_of(census, "mine", "string").count >= 3)
    assert.is_true(census.complete)
  end)

  it("names objects, follows metatables, and gives them to who comes first", function()
    local Coin = { __name = "coin" }
    local coins = {}
    for i = 1, 5 do
      coins[i] = setmetatable({}, Coin)
    end
    local census = Census.new(nothing)
    census:count("first", { coins })
    census:count("second", { coins, { coins } })
    assert.equal(5, row_of(census, "first", "coin").count)
    assert.equal(1, row_of(census, "second", "table").count)
    assert.is_nil(row_of(census, "second", "coin"))
  end)

  it("does not follow what is held weakly", function()
    local census = Census.new(nothing)
    census:count("mine", { setmetatable({ {}, {} }, { __mode = "v" }), setmetatable({ [{}] = 1 }, { __mode = "k" }) })
    assert.equal(4, row_of(census, "mine", "table").count) -- with both metatables
  end)

  it("sees into suspended coroutines and closures", function()
    local make = load([[
      local yield = ...
      local hidden = { "around a function" }
      return function()
        local kept = { "in a local of a thread" }
        yield()
        return kept
      end, function() return hidden end
    ]], "=made", "t", { "its globals" })
    local body, f = make(coroutine.yield)
    local thread = coroutine.create(body)
    coroutine.resume(thread)
    local census = Census.new(nothing)
    census:count("mine", { thread, f })
    assert.equal(2, row_of(census, "mine", "table").count)
    assert.equal(1, row_of(census, "mine", "thread").count)
  end)

  it("gets by when tables change while it rests", function()
    local root = {}
    for i = 1, 10000 do
      root["key" .. i] = { i }
    end
    local rests = 0
    local census = Census.new(function()
      rests = rests + 1
      if rests == 1 then
        for key in pairs(root) do
          root[key] = nil
        end
        root = nil
        collectgarbage()
      end
    end)
    census:count("mine", { root })
    assert.is_true(rests > 0)
    assert.is_true(census.objects > 0)
  end)

  it("of the process tells strobe from the script", function()
    local census = Census.take(nil, nothing)
    assert.is_true(row_of(census, "strobe", "table").count > 100)
    assert.is_true(row_of(census, "script", "table").count > 10)
    assert.is_true(row_of(census, "script", "thread").count > 1)
  end)
end)
