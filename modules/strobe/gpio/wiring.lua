--- Wires, and the rails they may end at: GND is always 0, VCC always 1.
--
-- The supply pins of parts are ends of these rails, with a wire or without: all parts have power. So what is wired to
-- a part's GND is 0; its VCC and its GND joined are a short, and so is its VCC at GND.

local mistake = require("strobe.mistake").raise

local wiring = {}

local rails = { GND = 0, VCC = 1 }

local supplies = { GND = "GND", AGND = "GND", DGND = "GND", VSS = "GND", VCC = "VCC", VDD = "VCC", ["V+"] = "VCC" }

---@class strobe.gpio.Wire a wire; closing takes it away
---@field board strobe.gpio.Board
---@field a strobe.gpio.Pin
---@field b strobe.gpio.Pin
---@field private core? userdata nil while it is cut
local Wire = {}
Wire.__index = Wire
Wire.__name = "gpio.Wire"

--- A rail of a board, made when first used; nil when there is none of that name.
---@param board strobe.gpio.Board
---@param name any
---@return strobe.gpio.Pin?
function wiring.rail(board, name)
  if not rails[name] then
    return nil
  end
  local pin = { name = name, core = assert(board.core:component(board.name, name)) }
  wiring.supply(pin, name)
  assert(pin.core:label(name))
  assert(pin.core:request("the board"))
  board.pins[name] = pin
  return pin
end

--- For rails and parts: makes a pin of such a name an end of its rail.
---@param pin strobe.gpio.Pin
---@param name string "VCC", "V+", "AGND", …; any other is no supply pin
function wiring.supply(pin, name)
  pin.rail = supplies[name]
  if pin.rail then
    pin.core:configure { direction = "output", output_value = rails[pin.rail] }
  end
end

--- For each pin the one that stands for all that wires join with it.
---@param board strobe.gpio.Board
---@param redundant? fun(wire: strobe.gpio.Wire) called for wires that join what is joined already
---@return fun(pin: strobe.gpio.Pin): strobe.gpio.Pin
function wiring.groups(board, redundant)
  local parent = {}
  local function find(pin)
    local root = pin
    while parent[root] do
      root = parent[root]
    end
    while pin ~= root do -- the way is short next time
      pin, parent[pin] = parent[pin], root
    end
    return root
  end
  for _, wire in ipairs(board.wires) do
    local a, b = find(wire.a), find(wire.b)
    if wire:joined() and a ~= b then
      parent[a] = b
    elseif wire:joined() and redundant then
      redundant(wire)
    end
  end
  return find
end

-- The pin at an end, which may also be an object.
local function end_of(board, given)
  if type(given) ~= "table" then
    return board:find_pin("board:wire", given)
  elseif given.board and given.board ~= board then
    mistake("board:wire: %s is on board %s, not on %s", given.name, given.board.name, board.name)
  end
  return board:find_pin("board:wire", given.name)
end

--- board:wire
---@param board strobe.gpio.Board
---@param a any
---@param b any
---@return strobe.gpio.Wire
function wiring.wire(board, a, b)
  local wire = setmetatable({ board = board, a = end_of(board, a), b = end_of(board, b) }, Wire)
  if wire.a == wire.b then
    mistake("board:wire: both ends are at %s", wire.a.name)
  end
  wire:restore()
  board.wires[#board.wires + 1] = wire
  return wire
end

--- Cuts it. Twice is harmless.
function Wire:cut()
  if self.core then
    assert(self.core:cut())
    self.core = nil
  end
end

--- Joins the ends again that were cut. Twice is harmless.
function Wire:restore()
  self.core = self.core or assert(self.a.core:connect(self.b.core))
end

--- Whether it joins its ends.
---@return boolean
function Wire:joined()
  return self.core ~= nil
end

return wiring
