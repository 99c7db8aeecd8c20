--- strobe.tectonic: TectonicDB's order-book protocol, both ends of it.
--
-- The client's methods return success and the server's text, as the Python client's
-- do: true, "PONG"; false, "ERR: …"; and nil, message, code when there is no answer.

local allowed = require "strobe.tectonic.options"

local tectonic = {}

local clients = { poll = "strobe.tectonic.poll_client", push = "strobe.tectonic.push_client" }

--- Connects to a server. Nothing on the wire says which protocol it speaks.
---
--- Options: host (localhost), port (9001), protocol ("poll": that of 2018, or "push": today's), timeout
--- (seconds for connecting and for each answer; none), queue (push: updates kept until they are taken; 65,536).
---@async
---@param options? strobe.tectonic.ConnectOptions
---@return strobe.tectonic.Client?
---@return string? message
---@return string? code
function tectonic.connect(options)
  options = options or {}
  allowed.check("tectonic.connect", options, allowed.connect)
  local client = require(clients[options.protocol or "poll"]).new(options)
  local ok, message, code = client:reconnect()
  if not ok then
    return nil, message, code
  end
  return client
end

--- Starts a server in this process.
---
--- Options: host (127.0.0.1), port (9001; 0 takes a free one), protocol ("auto": both; "poll", "push"),
--- max_connections (1024; one more gets an error and is closed, counted as turned_away in stats()),
--- idle_timeout (seconds without a request that end a connection; none), queue_limit (updates queued for a
--- subscriber; 65,536), book_limit (rows kept of a book; 100,000), max_books (10,000), line_limit (bytes of
--- one text command; 65,536), flush (a function that writes a book's rows), folder (INFO names it), now (the
--- clock of INFO and PERF), bare_get and unsubscribe_all (see session.lua).
---@async
---@param options? strobe.tectonic.ServeOptions
---@return strobe.tectonic.Server?
---@return string? message
---@return string? code
function tectonic.serve(options)
  options = options or {}
  allowed.check("tectonic.serve", options, allowed.serve)
  return require "strobe.tectonic.server"(options)
end

return tectonic
