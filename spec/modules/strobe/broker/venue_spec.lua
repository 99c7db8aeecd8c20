local Venue = require "strobe.broker.venue"
local broker = require "strobe.broker"

describe("a venue", function()
  local function venue(but)
    local made = {}
    for _, name in ipairs { "place", "cancel", "orders", "positions", "account", "on_fill" } do
      made[name] = name ~= but and function() end or nil
    end
    return made
  end

  it("is what has the functions of one, as the paper broker has", function()
    local paper <close> = assert(broker.Paper {})
    Venue.check(venue(), 1)
    Venue.check(paper, 1)
  end)

  it("is refused for the first that it lacks", function()
    for _, name in ipairs { "place", "account", "on_fill" } do
      local ok, message = pcall(Venue.check, venue(name), 1)
      assert.is_false(ok)
      assert.matches("broker.attach: venue: a venue with " .. name .. " expected, got table", message)
    end
    assert.has_error(function() Venue.check("paper", 0) end,
      "broker.attach: venue: a venue with place expected, got paper")
  end)
end)
