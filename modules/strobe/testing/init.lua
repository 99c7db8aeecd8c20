--- strobe.testing: for specs of programs that use strobe.

local testing = {}

--- Answers for strobe.http and strobe.ws without a port; see mock.lua.
testing.mock = require "strobe.testing.mock"

return testing
