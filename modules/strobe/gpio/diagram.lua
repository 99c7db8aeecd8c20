--- Diagrams as Wokwi's diagram.json has them: parts and connections, put on a board.
--
-- Each part's id becomes its name: "led1". The microcontroller is the board itself: its pin "13" is the board's "13" or
-- "D13", and a board without pins gets those of the microcontroller. All its GND pins are the rail GND, its supply
-- pins VCC. A resistor to a rail is a weak pull, another one a wire. What only looks is left out: positions, colours of
-- wires, texts.
--
-- Source: Wokwi documentation, "diagram.json File Format".

local json = require "strobe.json"
local names = require "strobe.gpio.name"
local parts = require "strobe.gpio.part"

local diagram = {}

local LONGEST = 4 * 1024 * 1024 -- bytes of a text
local MOST = 10000 -- parts, connections

local function numbered(prefix, last, list)
  for i = 0, last do
    list[#list + 1] = prefix .. i
  end
  return list
end

local uno = numbered("A", 5, numbered("", 13, {}))
local mega = numbered("A", 15, numbered("", 53, {}))

-- Microcontrollers: the pins a board without any gets.
local boards = {
  ["wokwi-arduino-uno"] = uno,
  ["wokwi-arduino-nano"] = numbered("A", 7, numbered("", 13, {})),
  ["wokwi-arduino-mega"] = mega,
  ["wokwi-esp32-devkit-v1"] = numbered("D", 39, {}),
  ["board-esp32-devkit-c-v4"] = numbered("", 39, {}),
  ["wokwi-pi-pico"] = numbered("GP", 28, {}),
  ["board-pi-pico-w"] = numbered("GP", 28, {}),
  ["wokwi-attiny85"] = numbered("PB", 5, {}),
}

-- Kinds of parts: ours, and which pins have other names with us.
local kinds = {
  ["wokwi-led"] = { "led", pins = { A = "anode", C = "cathode" } },
  ["wokwi-pushbutton"] = {
    "button", pins = { ["1.l"] = "1", ["1.r"] = "1", ["2.l"] = "2", ["2.r"] = "2" },
    ignored = { bounce = true }, -- a flag there, a time with us
  },
  ["wokwi-slide-switch"] = { "switch" },
  ["wokwi-buzzer"] = { "buzzer" },
  ["wokwi-clock-generator"] = { "clock", pins = { CLK = "OUT" } },
  ["wokwi-rgb-led"] = { "rgb_led" },
  ["wokwi-relay-module"] = { "relay" },
  ["wokwi-potentiometer"] = { "potentiometer" },
  ["wokwi-slide-potentiometer"] = { "potentiometer" },
  ["wokwi-servo"] = { "servo" },
  ["wokwi-ky-040"] = { "rotary_encoder" },
  ["wokwi-7segment"] = { "seven_segment", pins = { ["COM.1"] = "COM", ["COM.2"] = "COM" } },
  ["wokwi-74hc595"] = { "shift_register" },
  ["wokwi-dht22"] = { "dht22" },
  ["wokwi-hc-sr04"] = { "hc_sr04" },
  ["wokwi-flip-flop-d"] = { "flip_flop", pins = { NOTQ = "QN" } },
  ["wokwi-gate-not"] = { "inverter" },
  ["wokwi-gate-and-2"] = { "and" },
  ["wokwi-gate-or-2"] = { "or" },
  ["wokwi-gate-nand-2"] = { "nand" },
  ["wokwi-gate-nor-2"] = { "nor" },
  ["wokwi-gate-xor-2"] = { "xor" },
}
kinds["wokwi-pushbutton-6mm"] = kinds["wokwi-pushbutton"]

-- What is drawn, and does nothing.
local drawn = { ["wokwi-text"] = true, ["wokwi-junction"] = true }

local resistor = parts.kind {
  name = "resistor",
  pins = { "1", "2" },
  attributes = { value = "1000" },
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

local function is_rail(pin)
  if pin:find "^GND" then
    return "GND"
  elseif pin:find "^VCC" or pin:find "^[35]V" or pin == "VIN" or pin == "VSYS" or pin == "VBUS" then
    return "VCC"
  end
end

local factors = { [""] = 1, k = 1e3, m = 1e6 }

-- "10", "4.7", "10k" as a number; nil when it is none.
local function number_of(value)
  local digits, suffix = tostring(value):match "^(.-)([km]?)$"
  local number = tonumber(digits)
  return number and number * factors[suffix]
end

-- Attributes that our kind has, of the type that it has.
local function attributes_of(place, given, kind, ignored)
  local attributes = { name = given.id }
  for name, value in pairs(type(given.attrs) == "table" and given.attrs or {}) do
    local default = kind.attributes and kind.attributes[name]
    if default ~= nil and not (ignored and ignored[name]) then
      attributes[name] = type(default) == "number" and number_of(value) or value
      check(type(attributes[name]) == type(default), "%s: attrs.%s: a %s expected, got %s", place, name, type(default),
        tostring(value))
    end
  end
  return attributes
end

local function known_kinds()
  local list = {}
  for name in pairs(kinds) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function kind_of(place, given, more)
  local own = more[given.type]
  if own then
    return own, {}
  elseif given.type == "wokwi-resistor" then
    return resistor, {}
  end
  local known = kinds[given.type]
  check(known, "%s (%s): there is no part for it; known are %s", place, given.type, known_kinds())
  local kind, message = parts.find(known[1])
  check(kind, "%s (%s): %s", place, given.type, message)
  return kind, known
end

-- What stands for a part of the diagram: a microcontroller, or one of ours.
local function read_part(plan, i, given, more)
  check(type(given) == "table", "parts[%d]: an object expected", i)
  check(type(given.id) == "string" and type(given.type) == "string", "parts[%d]: id and type expected", i)
  local place = ("parts[%d] %s"):format(i, given.id)
  check(not plan.by_id[given.id], "%s: the id is there twice", place)
  local item = { id = given.id, place = place, type = given.type }
  if boards[given.type] then
    item.pins = boards[given.type]
    plan.microcontroller = plan.microcontroller or item
    check(plan.microcontroller == item, "%s: the board is a %s already", place, plan.microcontroller.type)
  elseif not drawn[given.type] then
    local known
    item.kind, known = kind_of(place, given, more)
    item.map = known.pins or {}
    item.attributes = attributes_of(place, given, item.kind, known.ignored)
  end
  plan.by_id[given.id] = item
  plan[#plan + 1] = item
end

-- --- Connections ----------------------------------------------------------------------------------------

local function board_pin(board, plan, place, pin)
  local rail = is_rail(pin)
  if rail then
    return rail
  end
  for _, name in ipairs { pin, "D" .. pin, (pin:gsub("^D", "")) } do
    if board.pins[name] or #board.pins == 0 and plan.wants[name] then
      return name
    end
  end
  local has = #board.pins > 0 and board.pins or plan.microcontroller.pins
  refuse("%s: board %s has no pin %s; it has %s", place, board.name, pin, names.list(has))
end

local function has_pin(item, place, pin)
  local pins = item.kind.pins
  pins = type(pins) == "function" and pins(item.attributes) or pins
  for _, name in ipairs(pins) do
    if name == pin then
      return true
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
  if id:sub(1, 1) == "$" or item and drawn[item.type] then
    return nil
  end
  check(item, "%s: there is no part %s", place, id)
  if not item.kind then
    return board_pin(board, plan, place, pin)
  end
  pin = item.map[pin] or pin
  has_pin(item, place, pin)
  return id .. "." .. pin
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

-- Nothing is put on the board before all of the diagram is known to be good.
local function read(board, source, more)
  local given = decode(source)
  local plan = { by_id = {}, wires = {}, wants = {} }
  for i, part in ipairs(check_list(given, "parts")) do
    read_part(plan, i, part, more)
  end
  for _, name in ipairs(plan.microcontroller and plan.microcontroller.pins or {}) do
    plan.wants[name] = true
  end
  for i, connection in ipairs(check_list(given, "connections")) do
    read_connection(board, plan, i, connection)
  end
  for _, item in ipairs(plan) do
    check(not (item.kind and board.parts[item.id]), "%s: board %s has a %s already", item.place, board.name, item.id)
  end
  return plan
end

local function build(board, plan)
  if #board.pins == 0 and plan.microcontroller then
    board:add_pins(plan.microcontroller.pins)
  end
  local added = {}
  for _, item in ipairs(plan) do
    if item.kind then
      added[item.id] = board:add(item.kind, item.attributes)
    end
  end
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
    error(("board:load_diagram: a text or a table expected, got %s"):format(type(source)), 3)
  end
  local ok, plan = pcall(read, board, source, more or {})
  if ok then
    return build(board, plan)
  elseif type(plan) == "table" and plan.mistake then
    return nil, ("board %s: diagram: %s"):format(board.name, plan.mistake), "EBADMSG"
  end
  error(plan, 0)
end

return diagram
