--- strobe.tectonic: TectonicDB's order-book protocol, both ends of it.
--
-- The client's methods return success and the server's text, as the Python client's
-- do: true, "PONG"; false, "ERR: …"; and nil, message, code when there is no answer.

local tectonic = {}

---@class strobe.tectonic.ConnectOptions
---@field host? string      default localhost
---@field port? integer     default 9001
---@field protocol? "poll"|"push" generation A (default), or today's server
---@field timeout? number   seconds for connecting and for each answer; default none
---@field queue? integer    "push": updates kept until they are taken (65,536)

local protocols = { poll = "strobe.tectonic.client", push = "strobe.tectonic.push_client" }

--- Connects to a server. Nothing on the wire says which protocol it speaks.
---@async
---@param options? strobe.tectonic.ConnectOptions
---@return strobe.tectonic.Client?
---@return string? message
---@return string? code
function tectonic.connect(options)
  options = options or {}
  local home = protocols[options.protocol or "poll"]
  if not home then
    error(("tectonic.connect: protocol: poll or push expected, got %s"):format(tostring(options.protocol)), 2)
  end
  local client = require(home).new(options)
  local ok, message, code = client:reconnect()
  if not ok then
    return nil, message, code
  end
  return client
end

local Client = require "strobe.tectonic.client"

--- Subscribes to a book and iterates over its updates, for ever:
--- `for tick in db:ticks "btc_usd" do … end`. Leaving the loop unsubscribes.
---
--- With `reconnect = true` (or {initial, factor, most, attempts}) a lost connection is
--- made again and `on_gap(gap)` told what was missed; without `on_gap` that is printed.
--- Without `reconnect` the loop raises.
---@async
---@param book string
---@param options? {reconnect?: boolean|table, on_gap?: fun(gap: strobe.tectonic.Gap), poll?: number}
---@return strobe.Generator
function Client:ticks(book, options)
  return require "strobe.tectonic.subscription"(self, book, options or {})
end

--- Starts a server, see server.lua for its options.
---@async
---@param options? table
---@return strobe.tectonic.Server?
---@return string? message
---@return string? code
function tectonic.serve(options)
  return require "strobe.tectonic.server"(options)
end

return tectonic
