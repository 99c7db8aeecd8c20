local Delivery = require "strobe.live.delivery"

-- A unit that takes what it is offered.
local function unit(name)
  local made = { name = name, taken = {} }
  function made:offer(stream, data)
    table.insert(self.taken, stream .. " " .. data)
    return true
  end
  return made
end

local function new(names)
  local logged = {}
  return Delivery.new({
    feeds = {}, order = {}, probations = { dropping = false }, clock = { now = function() return 7 end },
    log = function(_, level, text) table.insert(logged, level .. ": " .. text) end,
  }, names), logged
end

describe("delivery", function()
  it("goes to those who have subscribed, each once, and to whoever looks on before", function()
    local delivery = new()
    local one, two, seen = unit "one", unit "two", {}
    delivery:subscribe(one, { "a", "a", "b" })
    delivery:subscribe(two, { "b" })
    delivery:observe(function(stream, data, when)
      table.insert(seen, ("%s %s %d %d"):format(stream, data, when, #two.taken))
    end)
    delivery:offer("a", 1)
    delivery:offer("b", 2)
    delivery:offer("c", 3)
    assert.same({ { "a 1", "b 2" }, { "b 2" } }, { one.taken, two.taken })
    assert.same({ "a 1 7 0", "b 2 7 0", "c 3 7 1" }, seen)
  end)

  it("goes elsewhere as soon as a unit has other streams", function()
    local delivery = new()
    local one = unit "one"
    delivery:subscribe(one, { "a" })
    delivery:subscribe(one, { "b" })
    delivery:offer("a", 1)
    delivery:offer("b", 2)
    assert.same({ "b 2" }, one.taken)
  end)

  it("knows a feed's stream by its full name, and tells once when two feeds have the same", function()
    local left, right = { name = "left" }, { name = "right" }
    local delivery, logged = new()
    local one, any = unit "one", unit "any"
    delivery:subscribe(one, { "left:a" })
    delivery:subscribe(any, { "a" })
    for _, feed in ipairs { left, right, right } do
      delivery:offer("a", 1, 0, nil, feed)
    end
    assert.same({ { "left:a 1" }, { "a 1", "a 1", "a 1" } }, { one.taken, any.taken })
    assert.equal(1, #logged)
    assert.matches("the stream 'a' comes from the feeds left and right", logged[1])
  end)

  it("has any stream where none are named, else those alone", function()
    assert.is_true((new():has_stream "anything"))
    local delivery = new { "a" }
    assert.is_true((delivery:has_stream "a"))
    assert.is_false((delivery:has_stream "b") or false)
  end)
end)
