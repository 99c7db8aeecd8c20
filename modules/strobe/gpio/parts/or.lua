--- An OR gate: its output is 1 when an input is.
--
-- Pins: A, B, OUT. Attribute `delay`: seconds (8 ns, 74HC32 at 5 V, typical).

local gate = require "strobe.gpio.gate"

return gate.kind("or", { "A", "B" }, gate.either)
