--- What a board looks like at one time: plain values, for views and remote clients.

local json = require "strobe.json"

local snapshot = {}

--- What may be called from outside: the methods of a part's kind.
---@param part strobe.gpio.Part
---@return table<string, function>
function snapshot.methods(part)
  local own = {}
  for name, value in pairs(getmetatable(part).__index) do
    if type(value) == "function" and name:sub(1, 1) ~= "_" then
      own[name] = value
    end
  end
  return own
end

--- Whether a value can be sent as it is: a string, a boolean, a number that is one and finite.
---@param value any
---@return boolean
function snapshot.is_plain(value)
  local kind = type(value)
  return kind == "string" or kind == "boolean" or kind == "number" and value - value == 0
end

-- The plain values of a table.
local function plain(values)
  local copy = {}
  for name, value in pairs(values) do
    if type(name) == "string" and snapshot.is_plain(value) then
      copy[name] = value
    end
  end
  return copy
end

local function sorted_keys(t)
  local keys = json.array {}
  for key in pairs(t) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- Calls f for each pin of the board and of its parts, in order.
local function each_pin(board, f)
  for _, pin in ipairs(board.pins) do
    f(pin)
  end
  for _, part in ipairs(board.parts) do
    for _, name in ipairs(part.pins) do
      f(board.pins[part.name .. "." .. name])
    end
  end
end

-- How much there is on it: who sees another size has to ask anew what there is.
local function size_of(board)
  return #board.pins + #board.parts
end

--- What changes as a board runs: levels by pin, states by part.
---@param board strobe.gpio.Board
---@return {now_ns: integer, running: boolean, size: integer, levels: table<string, string>,
--- parts: table<string, table>}
function snapshot.states(board)
  local levels, parts = {}, {}
  each_pin(board, function(pin)
    levels[pin.name] = pin.core:level()
  end)
  for _, part in ipairs(board.parts) do
    local state = plain(part.state)
    state.failure = part.failure
    parts[part.name] = state
  end
  return {
    now_ns = board:now_ns(), running = board.core:running(), size = size_of(board), levels = levels, parts = parts,
  }
end

local function describe_pin(pin)
  local info = pin.core:info()
  return {
    name = pin.name, net = info.net, part = pin.part and pin.part.name, consumer = info.consumer,
    direction = info.direction, level = pin.core:level(),
  }
end

--- All there is: pins with their nets and owners, parts with their kinds, attributes, methods and states.
---@param board strobe.gpio.Board
---@return table
function snapshot.list(board)
  local pins, parts = json.array {}, json.array {}
  each_pin(board, function(pin)
    pins[#pins + 1] = describe_pin(pin)
  end)
  for _, part in ipairs(board.parts) do
    local its = json.array {}
    for i, name in ipairs(part.pins) do
      its[i] = name
    end
    parts[#parts + 1] = {
      name = part.name, kind = part.kind, pins = its, attributes = plain(part.attributes), state = plain(part.state),
      methods = sorted_keys(snapshot.methods(part)), failure = part.failure,
    }
  end
  return {
    board = board.name, now_ns = board:now_ns(), running = board.core:running(), size = size_of(board), pins = pins,
    parts = parts,
  }
end

return snapshot
