--- Answers without a port, for specs of programs that speak HTTP or WebSocket.
--
--   local web <close> = mock.http { ["GET /profile"] = { json = { user = "Ada" } } }
--   local feed <close> = mock.ws { ["wss://feed.example/ticks"] = { "tick 1", "tick 2" } }
--   local lab <close> = mock.net { ["meter:5025"] = function(stream) stream:write "+1.5\n" end }
--
-- While a mock is open, what strobe.http requests, strobe.ws connects to or net.connect connects to is answered by it;
-- what it does not know is refused, so that a spec never reaches a network by mistake. Several may be open: the last
-- one is asked first.

local mock = {}

--- Answers for strobe.http: what aioresponses does; see http.lua.
---@type fun(answers: table, options?: table): strobe.testing.HttpMock
mock.http = require("strobe.testing.mock_http").open

--- Peers for strobe.ws; see mock_ws.lua.
---@type fun(peers: table): strobe.testing.WsMock
mock.ws = require("strobe.testing.mock_ws").open

--- Peers for net.connect and all that is built on it; see mock_net.lua.
---@type fun(peers: table, options?: table): strobe.testing.NetMock
mock.net = require("strobe.testing.mock_net").open

return mock
