--- Diagrams as Wokwi's diagram.json has them: parts and connections, put on a board.
--
-- Each part's id becomes its name: "led1". The microcontroller is the board itself: its pin "13" is the board's "13" or
-- "D13", and a board without pins gets those of the microcontroller. All its GND pins are the rail GND, its supply
-- pins VCC. A resistor to a rail is a weak pull, another one a wire; junctions and breadboards join what is at them.
-- What only looks is left out: positions, colours of wires, texts.
--
-- Source: Wokwi documentation, "diagram.json File Format"; see strobe.gpio.wokwi for its parts.

local json = require "strobe.json"
local mistake = require "strobe.mistake"
local names = require "strobe.gpio.name"
local parts = require "strobe.gpio.part"
local wokwi = require "strobe.gpio.wokwi"

local diagram = {}

local LONGEST = 4 * 1024 * 1024 -- bytes of a text
local MOST = 10000 -- parts, connections

local resistor = parts.kind {
  name = "resistor",
  pins = { "1", "2" },
  attributes = { value = "1000" },
}

-- A pin for each of the places at which it joins wires.
local joint = parts.kind {
  name = "joint",
  pins = function(attributes)
    return attributes.places
  end,
  attributes = { places = false },
}

-- A mistake in a diagram: raised inside, returned by load.
local function refuse(format, ...)
  error({ mistake = format:format(...) }, 0)
end

local function check(good, format, ...)
  if not good then
    refuse(format, ...)
  end
end

-- --- The text ---------------------------------------------------------------------------------------

local function decode(source)
  if type(source) == "table" then
    return source
  end
  check(#source <= LONGEST, "the text is longer than %d bytes", LONGEST)
  local value, message = json.decode(source)
  check(value ~= nil, "%s", message)
  check(type(value) == "table", "an object with parts and connections expected")
  return value
end

local function check_list(given, name)
  local list = given[name]
  check(type(list) == "table", "%s: a list expected, got %s", name, type(list))
  check(#list <= MOST, "%s: more than %d", name, MOST)
  return list
end

-- --- Parts --------------------------------------------------------------------------------------------

-- Puts an attribute of the diagram among ours; those that only look are none of ours.
local function add_attribute(attributes, place, kind, stand_in, name, value)
  local known = stand_in.attributes and stand_in.attributes[name]
  local default = kind.attributes and kind.attributes[name]
  local ours, expected = value, "a " .. type(default)
  local target = name
  if known then
    ours, expected = known.convert(value)
    target = known.name
  elseif default == nil then
    return
  elseif type(default) == "number" then
    ours, expected = wokwi.number(value)
  elseif type(value) ~= type(default) then
    ours = nil
  end
  check(ours ~= nil, "%s: attrs.%s: %s expected, got %s", place, name, expected, tostring(value))
  if target then
    attributes[target] = ours
  end
end

-- The attributes of our kind that a part of a diagram has.
local function attributes_of(place, given, kind, stand_in)
  local theirs = given.attrs
  check(theirs == nil or theirs == json.null or type(theirs) == "table", "%s: attrs: an object expected", place)
  local attributes = { name = given.id }
  for name, value in pairs(stand_in.defaults or {}) do
    add_attribute(attributes, place, kind, stand_in, name, value)
  end
  for name, value in pairs(type(theirs) == "table" and theirs or {}) do
    add_attribute(attributes, place, kind, stand_in, name, value)
  end
  return attributes
end

-- Our kind, and what stands for Wokwi's.
local function kind_of(place, given, more)
  local own = more[given.type]
  if own then
    return own, {}
  elseif given.type == "wokwi-resistor" then
    return resistor, {}
  end
  local stand_in = wokwi.parts[given.type]
  check(stand_in, "%s (%s): there is no part for it; known are %s", place, given.type, wokwi.known())
  return assert(parts.find(stand_in.kind)), stand_in
end

local function check_id(plan, place, id)
  check(id:find "^[^.:%c]+$" and #id <= names.LONGEST // 2,
    "%s: id: up to %d bytes without dot and colon expected", place, names.LONGEST // 2)
  check(not plan.by_id[id], "%s: the id is there twice", place)
end

local function set_microcontroller(plan, item)
  check(not plan.microcontroller, "%s: the board is a %s already", item.place,
    plan.microcontroller and plan.microcontroller.type)
  plan.microcontroller = item
  for _, name in ipairs(wokwi.boards[item.type].pins) do
    plan.wants[name] = true
  end
end

-- What stands for a part of the diagram: a microcontroller, what joins wires, or one of our parts.
local function read_part(plan, i, given, more)
  check(type(given) == "table", "parts[%d]: an object expected", i)
  check(type(given.id) == "string" and type(given.type) == "string", "parts[%d]: id and type expected", i)
  local place = ("parts[%d] %s"):format(i, given.id)
  check_id(plan, place, given.id)
  local item = { id = given.id, place = place, type = given.type }
  if wokwi.boards[given.type] then
    set_microcontroller(plan, item)
  elseif wokwi.joints[given.type] then
    item.kind, item.attributes, item.met = joint, { name = given.id, places = {} }, {}
  elseif not wokwi.drawn[given.type] and not wokwi.supplies[given.type] then
    item.kind, item.stand_in = kind_of(place, given, more)
    item.attributes = attributes_of(place, given, item.kind, item.stand_in)
  end
  plan.by_id[given.id] = item
  plan[#plan + 1] = item
end

-- --- Connections ----------------------------------------------------------------------------------------

-- Each of these gives the name on the board of a pin of a part; nil for one that does nothing.

local function board_pin(board, plan, place, pin)
  local microcontroller = wokwi.boards[plan.microcontroller.type]
  local whole = pin:gsub("%.%d$", "") -- "A4.2" is another place of A4
  local other_name = (microcontroller.other_names or {})[whole]
  if wokwi.rail(pin) or wokwi.idle[whole] or other_name == false then
    return wokwi.rail(pin)
  end
  whole = other_name or whole
  for _, name in ipairs { whole, "D" .. whole, (whole:gsub("^D", "")) } do
    if board.pins[name] or #board.pins == 0 and plan.wants[name] then
      return name
    end
  end
  local has = #board.pins > 0 and board.pins or microcontroller.pins
  refuse("%s: board %s has no pin %s; it has %s", place, board.name, pin, names.list(has))
end

local function joint_pin(item, pin)
  local name, places = wokwi.joints[item.type](pin), item.attributes.places
  if not item.met[name] then
    item.met[name] = true
    places[#places + 1] = name
  end
  return item.id .. "." .. name
end

local function part_pin(item, place, pin)
  local name = item.stand_in.pins and item.stand_in.pins[pin]
  if name == false then
    return nil
  end
  local pins = item.kind.pins
  pins = type(pins) == "function" and pins(item.attributes) or pins
  for _, its in ipairs(pins) do
    if its == (name or pin) then
      return item.id .. "." .. its
    end
  end
  refuse("%s: %s (%s) has no pin %s; it has %s", place, item.id, item.type, pin, names.list(pins))
end

-- The name on the board of an end "led1:A"; nil for what is only drawn.
local function end_name(board, plan, place, given)
  check(type(given) == "string", "%s: a text such as \"led1:A\" expected", place)
  local id, pin = given:match "^([^:]*):(.+)$"
  check(id, "%s: \"%s\" is no PART:PIN", place, given)
  local item = plan.by_id[id]
  if id:sub(1, 1) == "$" or item and wokwi.drawn[item.type] then
    return nil
  end
  check(item, "%s: there is no part %s", place, id)
  if item == plan.microcontroller then
    return board_pin(board, plan, place, pin)
  elseif item.kind == joint then
    return joint_pin(item, pin)
  elseif wokwi.supplies[item.type] then
    return wokwi.rail(pin) or refuse("%s: %s (%s) has no pin %s", place, id, item.type, pin)
  end
  return part_pin(item, place, pin)
end

local function read_connection(board, plan, i, given)
  local place = ("connections[%d]"):format(i)
  check(type(given) == "table", "%s: a list expected", place)
  local a, b = end_name(board, plan, place, given[1]), end_name(board, plan, place, given[2])
  if a and b and a ~= b then
    plan.wires[#plan.wires + 1] = { a, b }
  end
end

-- --- Resistors ---------------------------------------------------------------------------------------------

local function neighbours(plan)
  local near = {}
  for _, wire in ipairs(plan.wires) do
    for side = 1, 2 do
      local name = wire[side]
      near[name] = near[name] or {}
      table.insert(near[name], wire[3 - side])
    end
  end
  return near
end

-- The rail that wires join with a pin, or nil.
local function rail_at(near, start)
  local seen, queue = { [start] = true }, { start }
  for name in function() return table.remove(queue) end do
    if name == "GND" or name == "VCC" then
      return name
    end
    for _, other in ipairs(near[name] or {}) do
      if not seen[other] then
        seen[other] = true
        queue[#queue + 1] = other
      end
    end
  end
end

local pulls = { GND = "pull-down", VCC = "pull-up" }

-- A resistor to a rail is a weak pull of its other end; else it joins its ends.
local function connect_resistor(board, near, part)
  local a, b = part.name .. ".1", part.name .. ".2"
  local rail_a, rail_b = rail_at(near, a), rail_at(near, b)
  if rail_a and not rail_b then
    part.line["2"]:configure { bias = pulls[rail_a] }
  elseif rail_b and not rail_a then
    part.line["1"]:configure { bias = pulls[rail_b] }
  elseif not rail_a then
    board:wire(a, b)
  end
end

-- --- Loading -------------------------------------------------------------------------------------------------

-- Nothing is put on the board before all of the diagram is known to be good, but for values of attributes.
local function read(board, source, more)
  local given = decode(source)
  local plan = { by_id = {}, wires = {}, wants = {} }
  for i, part in ipairs(check_list(given, "parts")) do
    read_part(plan, i, part, more)
  end
  for i, connection in ipairs(check_list(given, "connections")) do
    read_connection(board, plan, i, connection)
  end
  for _, item in ipairs(plan) do
    check(not item.kind or not board.parts[item.id] and item.id ~= board.name, "%s: board %s has a %s already",
      item.place, board.name, item.id)
  end
  return plan
end

-- Adds the parts, or none of them.
local function add_parts(board, plan)
  local added, before = {}, #board.parts
  for _, item in ipairs(plan) do
    if item.kind then
      local ok, part, refusal = pcall(parts.try, board, item.kind, item.attributes)
      if not (ok and part) then
        -- A kind says itself what is wrong with its attributes.
        refusal = ok and refusal or (tostring(part):match "^[^\n]*":gsub("^%S+:%d+: ", ""))
        for i = #board.parts, before + 1, -1 do
          parts.take_off(board.parts[i])
        end
        refuse("%s: %s", item.place, refusal)
      end
      added[item.id] = part
    end
  end
  return added
end

local function build(board, plan)
  if #board.pins == 0 and plan.microcontroller then
    board:add_pins(wokwi.boards[plan.microcontroller.type].pins)
  end
  local added = add_parts(board, plan)
  for _, wire in ipairs(plan.wires) do
    board:wire(wire[1], wire[2])
  end
  local near = neighbours(plan)
  for _, item in ipairs(plan) do
    if item.kind == resistor then
      connect_resistor(board, near, added[item.id])
    end
  end
  return added
end

--- board:load_diagram
---@param board strobe.gpio.Board
---@param source string|table
---@param more? table<string, strobe.gpio.Kind>
---@return table<string, strobe.gpio.Part>?
---@return string? message
---@return string? code
function diagram.load(board, source, more)
  if type(source) ~= "string" and type(source) ~= "table" then
    mistake.raise("board:load_diagram: a text or a table expected, got %s", type(source))
  end
  local ok, result = pcall(function()
    return build(board, read(board, source, more or {}))
  end)
  if ok then
    return result
  elseif type(result) == "table" and result.mistake then
    return nil, ("board %s: diagram: %s"):format(board.name, result.mistake), "EBADMSG"
  end
  error(result, 0)
end

return diagram
