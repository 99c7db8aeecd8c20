--- An AND gate: its output is 1 when both inputs are.
--
-- Pins: A, B, OUT. Attribute `delay`: seconds (8 ns, 74HC08 at 5 V, typical).

local gate = require "strobe.gpio.gate"

return gate.kind("and", { "A", "B" }, gate.both)
