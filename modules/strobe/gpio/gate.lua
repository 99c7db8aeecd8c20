--- What the logic gates have in common: an output that follows its inputs after the propagation delay.
--
-- The delay is inertial, as in the chips: a pulse that is shorter does not come out. An input that is neither 0 nor
-- 1 makes the output x, unless the other input decides: 0 and anything is 0.

local attribute = require "strobe.gpio.attribute"
local part = require "strobe.gpio.part"

local gate = {}

local NS = 1e-9

--- "0" for "1", "1" for "0", else "x".
---@param a string a level
---@return string
function gate.invert(a)
  return a == "0" and "1" or a == "1" and "0" or "x"
end

--- 1 if both are.
---@param a string
---@param b string
---@return string
function gate.both(a, b)
  if a == "0" or b == "0" then
    return "0"
  end
  return a == "1" and b == "1" and "1" or "x"
end

--- 1 if one of them is, or both.
---@param a string
---@param b string
---@return string
function gate.either(a, b)
  return gate.invert(gate.both(gate.invert(a), gate.invert(b)))
end

--- 1 if they are not the same.
---@param a string
---@param b string
---@return string
function gate.differ(a, b)
  local known = gate.invert(a) ~= "x" and gate.invert(b) ~= "x"
  return known and (a ~= b and "1" or "0") or "x"
end

--- Makes the kind of a gate with the output OUT.
---@param name string
---@param inputs string[] the names of its inputs: one or two
---@param logic fun(a: string, b?: string): string of levels
---@return strobe.gpio.Kind
function gate.kind(name, inputs, logic)
  local first, second = inputs[1], inputs[2] or inputs[1]

  local function follow(self)
    self.state.out = logic(self.line[first]:level(), self.line[second]:level())
    self.line.OUT:set(self.state.out)
  end

  return part.kind {
    name = name,
    pins = second == first and { first, "OUT" } or { first, second, "OUT" },
    attributes = { delay = 8 * NS },
    start = function(self)
      self.line.OUT:configure { direction = "output", output_value = "x" }
      self.line.OUT:configure { delay = attribute.ns(self, "delay"), delay_kind = "inertial" }
      for _, input in ipairs(inputs) do
        self:on_edge(input, "change", function()
          follow(self)
        end)
      end
      follow(self)
    end,
  }
end

return gate
