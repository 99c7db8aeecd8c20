--- What a venue is: where orders go. Paper is one; the adapter of an exchange would be another. `broker.attach` gives
--- any of them to the
-- units of a runtime.

---@class strobe.broker.Venue
---@field place fun(self, request: strobe.broker.OrderRequest): strobe.broker.Ack?, string?, string? may wait. An order
---that cannot be is nil, a message that names field and value, a code. The same id again is the same order: the first
---acknowledgement
---@field cancel fun(self, id: string): strobe.broker.Ack?, string?, string? may wait
---@field orders fun(self, unit?: string): strobe.broker.Ack[] those that are open
---@field positions fun(self): table<string, strobe.broker.Position> by symbol
---@field account fun(self): strobe.broker.AccountSummary
---@field on_fill fun(self, f: fun(fill: strobe.broker.Fill)) calls f with each fill from now on, in order, each once
---@field session? integer when ids of units could have been used by processes before: how many there were, with this
---one
local Venue = {}

local METHODS = { "place", "cancel", "orders", "positions", "account", "on_fill" }

--- Raises when something is no venue.
---@package
---@param venue any
---@param level integer
function Venue.check(venue, level)
  for _, name in ipairs(METHODS) do
    if type(venue) ~= "table" or type(venue[name]) ~= "function" then
      error(("broker.attach: venue: a venue with %s expected, got %s"):format(name, tostring(venue)), level + 1)
    end
  end
end

return Venue
