--- strobe.http: HTTP/1.1 servers. RFC 9110, 9112
--
-- `http.serve(function(request) return 200, nil, "hello" end, "127.0.0.1", 8080)`.

local files = require "strobe.http.files"
local http_error = require "strobe.http.error"
local server = require "strobe.http.server"

local http = {}

--- Serves: `http.serve(handler, host, port, {tls, max_body, …})`; see server.lua.
---@type fun(handler: function, host?: string, port: integer, options?: strobe.http.ServeOptions): strobe.http.Server?
http.serve = server.serve

--- Serves one connection that is there already: `http.serve_stream(handler, stream)`; see server.lua.
---@type fun(handler: function, stream: strobe.Connection, options?: strobe.http.ServeOptions)
http.serve_stream = server.serve_stream

--- Serves a directory: `http.serve(http.files("public"), host, port)`; {index, listing, cache_control, precompressed,
--- prefix, …}, see files.lua.
---@type fun(directory: string, options?: strobe.http.FilesOptions): fun(request: table): integer, table?, any
http.files = files.handler

--- An error that answers its status: `error(http.error(404, "no such user"))`; see error.lua.
---@type fun(status: integer, message?: string, headers?: table): strobe.http.HTTPException
http.error = http_error.new

--- Its class, for async.is.
http.HTTPException = http_error.HTTPException

return http
