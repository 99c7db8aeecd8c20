--- Wires, and the rails they may end at: GND is always 0, VCC always 1.

local wiring = {}

local rails = { GND = 0, VCC = 1 }

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
  local value = rails[name]
  if not value then
    return nil
  end
  local line = assert(board.core:component(board.name, name))
  line:configure { direction = "output", output_value = value }
  assert(line:label(name))
  assert(line:request("the board"))
  board.pins[name] = { name = name, core = line, rail = true }
  return board.pins[name]
end

-- The pin at an end, which may also be an object.
local function end_of(board, given)
  if type(given) ~= "table" then
    return board:find_pin("board:wire", given, 4)
  elseif given.board and given.board ~= board then
    error(("board:wire: %s is on board %s, not on %s"):format(given.name, given.board.name, board.name), 4)
  end
  return board:find_pin("board:wire", given.name, 4)
end

--- board:wire
---@param board strobe.gpio.Board
---@param a any
---@param b any
---@return strobe.gpio.Wire
function wiring.wire(board, a, b)
  local wire = setmetatable({ board = board, a = end_of(board, a), b = end_of(board, b) }, Wire)
  if wire.a == wire.b then
    error(("board:wire: both ends are at %s"):format(wire.a.name), 3)
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
