--- The desk: where the units of a runtime meet a venue. It is the port "order", and the stream "fills".
--
-- An order is an effect: staged, sent when the step that made it waits or ends, muted in a replay. Its client id is the
-- effect's, so that what is tried again after a rollback is the same order. When a journal knows of earlier processes,
-- the ids of units begin with "NAME@SESSION", for their events count from 1 again.
--
-- With a paper broker, what happens to a unit depends on what it has seen, never on how far the feed is ahead of it:
--
-- * A tick comes to the unit's own market when it is taken from the inbox. What it fills the unit hears first, then
--   the tick.
-- * An order that is sent while event n is handled meets the market as of event n. What it fills at once the unit
--   hears before event n + 1.
-- * With a journal the fill is an event at that place at once, but is not delivered before it is on the disk: the unit
--   waits for its fills, other events do not.
-- * An order of a symbol that the unit does not subscribe to, and one of no unit, meets the market as the feeds have
--   offered it so far. That depends on the backlog.
-- * A tick that the inbox has dropped (policy drop_oldest or latest) has not been, for the unit's market as for the
--   unit.
--
-- Other units that subscribe to "fills" hear of a fill when it is on the disk, before what waits in their inboxes.

local shallow = require "strobe.shallow"

---@class strobe.broker.Desk
---@field runtime strobe.live.Runtime
---@field venue strobe.broker.Venue
local Desk = {}
Desk.__index = Desk

local STREAM = "fills"

-- --- Events --------------------------------------------------------------------------------------

local function subscribers(desk)
  return desk.runtime.delivery.subscribers[STREAM] or {}
end

--- Puts fills in the way of the unit whose they are.
---@param fills strobe.broker.Fill[]
---@param waits boolean until `release`
---@return table events
function Desk:announce(fills, waits)
  local events = { fills = fills }
  for _, fill in ipairs(fills) do
    local unit = fill.unit and self.runtime.units[fill.unit]
    if unit and unit.subscriptions[STREAM] then
      table.insert(events, { unit, unit:interject(STREAM, shallow.copy(fill), fill.time, waits) })
    end
  end
  return events
end

--- The fills are for good.
---@param events table
function Desk:release(events)
  for _, pair in ipairs(events) do
    pair[1]:let_go(pair[2])
  end
  for _, fill in ipairs(events.fills) do
    for _, unit in ipairs(subscribers(self)) do
      if unit.name ~= fill.unit then
        unit:interject(STREAM, shallow.copy(fill), fill.time)
      end
    end
  end
end

--- They have not been.
---@param events table
function Desk:drop(events) -- luacheck: ignore self
  for _, pair in ipairs(events) do
    pair[1]:forget(pair[2])
  end
end

--- Whether ticks of a symbol come to a unit.
---@param unit string
---@param symbol string
---@return boolean
function Desk:sees(unit, symbol)
  local known = self.runtime.units[unit]
  return known ~= nil and known.subscriptions[symbol] ~= nil or self.venue:market(unit).books[symbol] ~= nil
end

-- --- The port ------------------------------------------------------------------------------------

local function settler(desk, effect)
  local settle = require("strobe.live.effect").settle
  return function(ack, message, code)
    if not ack then
      desk.runtime:log("warning", message, { unit = effect.unit and effect.unit.name, code = code })
    end
    settle(effect, ack and shallow.copy(ack), message, code)
  end
end

local function request_of(value, effect)
  local request = shallow.copy(value)
  request.op, request.id = nil, effect.id
  return request
end

local function refuse_value(value)
  return nil, ("order: a table {op = \"place\" or \"cancel\", …} expected, got %s"):format(type(value) == "table"
    and "op " .. tostring(value.op) or type(value)), "EINVAL"
end

-- A paper broker is told at once, and settles when it is on the disk.
local function send_at_once(desk)
  return function(value, effect)
    local done = settler(desk, effect)
    if type(value) ~= "table" or value.op ~= "place" and value.op ~= "cancel" then
      done(refuse_value(value))
    elseif value.op == "cancel" then
      desk.venue:withdraw(value.id, done)
    else
      desk.venue:submit(request_of(value, effect), effect.unit and effect.unit.name, done)
    end
  end
end

-- Any other venue may wait, in the port's task.
local function send_and_wait(desk)
  return function(value, effect)
    local done = settler(desk, effect)
    if type(value) ~= "table" or value.op ~= "place" and value.op ~= "cancel" then
      done(refuse_value(value))
    elseif value.op == "cancel" then
      done(desk.venue:cancel(value.id))
    else
      done(desk.venue:place(request_of(value, effect)))
    end
  end
end

local QUESTIONS = { orders = true, positions = true, account = true }

local function query(desk)
  return function(value)
    if not QUESTIONS[value] then
      return nil, ("order: \"orders\", \"positions\" or \"account\" expected, got %s"):format(tostring(value)), "EINVAL"
    end
    return desk.venue[value](desk.venue)
  end
end

-- The ticks come to the units' markets as they are taken, and to everybody's as they are offered.
local function watch(desk, paper)
  paper.now = function()
    return desk.runtime:now()
  end
  desk.runtime:meet(function(unit, event)
    if event.stream ~= STREAM then
      paper:event(event.stream, event.data, event.time, unit.name)
    end
  end)
  desk.runtime:observe(function(stream, data, when)
    if stream ~= STREAM then
      paper:event(stream, data, when)
    end
  end)
end

--- Opens one.
---@param runtime strobe.live.Runtime
---@param venue strobe.broker.Venue
---@return strobe.broker.Desk
function Desk.new(runtime, venue)
  local desk = setmetatable({ runtime = runtime, venue = venue }, Desk)
  local at_once = venue.submit ~= nil
  runtime:add_port("order", {
    send = at_once and send_at_once(desk) or send_and_wait(desk), immediate = at_once, settles = true,
    query = query(desk),
  })
  runtime:add_stream(STREAM)
  if at_once then
    watch(desk, venue)
  else
    venue:on_fill(function(fill)
      desk:release(desk:announce({ fill }, false))
    end)
  end
  runtime.desk, runtime.session = desk, venue.session
  return desk
end

--- What is known of a position now: in a replay too.
---@param unit string
---@param symbol string
---@return number size below 0 when it is short
function Desk:position(unit, symbol)
  local venue = self.venue
  if venue.position then
    return venue:position(symbol, unit)
  end
  local position = venue:positions()[symbol]
  return position and position.size or 0
end

return Desk
