--- A NOR gate: its output is 0 when an input is 1.
--
-- Pins: A, B, OUT. Attribute `delay`: seconds (8 ns, 74HC02 at 5 V, typical).

local gate = require "strobe.gpio.gate"

return gate.kind("nor", { "A", "B" }, function(a, b)
  return gate.invert(gate.either(a, b))
end)
