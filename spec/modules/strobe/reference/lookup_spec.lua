local lookup = require "strobe.reference.lookup"

local function names(items)
  local list = {}
  for i, item in ipairs(items) do
    list[i] = item.name
  end
  table.sort(list)
  return list
end

describe("a name in the reference", function()
  it("is found with and without what stands before it, with dots or a colon", function()
    for _, name in ipairs { "Queue:put", "Queue.put", "async.Queue.put", "strobe.async.Queue:put" } do
      assert.same({ "async.Queue:put" }, names(lookup.find(name)), name)
    end
  end)

  it("is exactly that one, if there is one", function()
    assert.same({ "strobe.json" }, names(lookup.find "json"))
    assert.same({ "async.gather" }, names(lookup.find "gather"))
  end)

  it("may be a method that a class has from another one", function()
    local found = names(lookup.find "Task.set_result")
    local own = names(lookup.find "Future.set_result")
    assert.same(own, found)
    assert.is_true(#own > 0)
  end)

  it("may be a part of names, in upper or lower case", function()
    local found = table.concat(names(lookup.containing "POOLEXEC"), " ")
    assert.matches("async%.ThreadPoolExecutor", found)
    assert.same({}, lookup.containing "nowhere at all")
  end)

  it("has three near ones when it is none, the nearest first", function()
    assert.same({}, lookup.find "gahter")
    local near = lookup.nearest "async.gathr"
    assert.same({ 3, "gather" }, { #near, near[1] })
  end)
end)
