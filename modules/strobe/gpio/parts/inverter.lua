--- An inverter: its output is 1 when its input is 0.
--
-- Pins: IN, OUT. Attribute `delay`: seconds (8 ns, 74HC04 at 5 V, typical).

local gate = require "strobe.gpio.gate"

return gate.kind("inverter", { "IN" }, gate.invert)
