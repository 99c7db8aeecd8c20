--- An exclusive OR gate: its output is 1 when one input is, and the other is not.
--
-- Pins: A, B, OUT. Attribute `delay`: seconds (8 ns, 74HC86 at 5 V, typical).

local gate = require "strobe.gpio.gate"

return gate.kind("xor", { "A", "B" }, gate.differ)
