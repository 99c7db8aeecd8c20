--- strobe.testing: for specs of programs that use strobe.

local clock = require "strobe.testing.clock"
local leaks = require "strobe.testing.leaks"
local order = require "strobe.testing.order"

local testing = {}

--- Answers for strobe.http and strobe.ws without a port; see mock.lua.
testing.mock = require "strobe.testing.mock"

testing.clock = clock
testing.fifo = order.fifo
testing.shuffle = order.shuffle
testing.leaks = leaks.leaks
testing.assert_no_leaks = leaks.assert_no_leaks
testing.grows = leaks.grows

return testing
