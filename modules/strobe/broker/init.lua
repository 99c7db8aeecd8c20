--- Brokers: orders, fills, positions and money.
--
--   local broker = require "strobe.broker"
--   local paper <close> = assert(broker.Paper { journal = "orders.journal", cash = 10000, fee = 0.0004 })
--   paper:attach(runtime)                                    -- units have ctx.orders now, and the stream "fills"
--   print(paper:account().equity)
--
-- Without units: paper:tick("btc_usd", tick) for each tick, and
--
--   local ack, message, code = paper:place { id = "1", symbol = "btc_usd", side = "buy", size = 0.5, price = 60000 }
--
-- How orders are matched: matching.lua. What happens to whom when: desk.lua. What the journal promises: journal.lua.

local Paper = require "strobe.broker.paper"
local Venue = require "strobe.broker.venue"

---@class strobe.broker
local broker = {}

--- Makes a paper broker, which fills orders from the ticks that pass. A `<close>` value.
---@async
---@param options? strobe.broker.PaperOptions
---@return strobe.broker.Paper? paper
---@return string? message
---@return string? code
function broker.Paper(options)
  local paper, message, code = Paper.new(options)
  if not paper then
    return nil, message, code
  end
  return paper
end

--- Gives a venue to the units of a runtime: the port "order", `ctx.orders`, and the stream "fills".
---@param runtime strobe.live.Runtime
---@param venue strobe.broker.Venue
function broker.attach(runtime, venue)
  Venue.check(venue, 2)
  if venue.attach then
    venue:attach(runtime)
  else
    require("strobe.broker.desk").new(runtime, venue)
  end
end

return broker
