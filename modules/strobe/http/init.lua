--- strobe.http: HTTP, clients as aiohttp and requests have them, and a server. RFC 9110, 9112
--
-- `local response = assert(http.get "https://example.org/")`, then `response.status`, `response.body`,
-- `response:json()`. Many requests to one host: `local api <close> = http.Session { base_url = … }`.
-- A server: `http.serve(function(request) return 200, nil, "hello" end, "127.0.0.1", 8080)`.

local client = require "strobe.http.client"
local files = require "strobe.http.files"
local http_error = require "strobe.http.error"
local response = require "strobe.http.response"
local server = require "strobe.http.server"
local session = require "strobe.http.session"

local http = {}

--- Makes a request: `http.request("GET", url, {params, headers, json, form, body, auth, timeout, stream, …})`; see
--- client.lua, and outgoing.lua for the options.
---@type fun(method: string, url: string, options?: strobe.http.RequestOptions): strobe.http.Response?, string?, string?
http.request = client.request

--- GET; see client.lua.
http.get = client.get
--- POST: `http.post(url, {json = {name = "Ada"}})`; see client.lua.
http.post = client.post
--- PUT; see client.lua.
http.put = client.put
--- PATCH; see client.lua.
http.patch = client.patch
--- DELETE; see client.lua.
http.delete = client.delete
--- HEAD; see client.lua.
http.head = client.head
--- OPTIONS; see client.lua.
http.options = client.options

--- A session: connections, cookies and options that requests share; see session.lua.
---@type fun(options?: strobe.http.SessionOptions): strobe.http.Session
http.Session = session.Session

--- What `response:raise_for_status()` raises: has `status` and `response`.
http.HTTPError = response.HTTPError

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

--- An error of a handler that answers its status: `error(http.error(404, "no such user"))`; see error.lua.
---@type fun(status: integer, message?: string, headers?: table): strobe.http.HTTPException
http.error = http_error.new

--- The class of what http.error makes, for async.is.
http.HTTPException = http_error.HTTPException

return http
