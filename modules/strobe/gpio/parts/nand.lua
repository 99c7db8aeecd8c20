--- A NAND gate: its output is 0 when both inputs are 1.
--
-- Pins: A, B, OUT. Attribute `delay`: seconds (8 ns, 74HC00 at 5 V, typical).

local gate = require "strobe.gpio.gate"

return gate.kind("nand", { "A", "B" }, function(a, b)
  return gate.invert(gate.both(a, b))
end)
