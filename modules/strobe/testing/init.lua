--- strobe.testing: for specs of programs that use strobe.

local allocation = require "strobe.testing.allocation"
local clock = require "strobe.testing.clock"
local faults = require "strobe.testing.faults"
local leaks = require "strobe.testing.leaks"
local memory = require "strobe.testing.memory"
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
testing.memory_stream = memory.memory_stream
testing.faulty = faults.faulty
testing.faulty_port = faults.faulty_port
testing.allocation_failures = allocation.failures

return testing
