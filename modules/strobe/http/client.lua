--- Requests without a session of one's own: requests.get and its kin.
--
-- They share one session, made at the first of them, whose connections stay open for the next request. It keeps no
-- cookies.

local sessions = require "strobe.http.session"

local client = {}

local shared

local function session()
  shared = shared or sessions.Session { cookies = false }
  return shared
end

--- Makes a request: `local response = assert(http.request("GET", "https://example.org/"))`. requests.request
---@async
---@param method string
---@param url string http:// or https://
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response? response whatever its status
---@return string? message
---@return string? code
function client.request(method, url, options)
  return sessions.perform(session(), method, url, options, 1)
end

--- Makes a GET request; the rest is as with request. requests.get
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.get(url, options)
  return sessions.perform(session(), "GET", url, options, 1)
end

--- Makes a POST request: `http.post(url, {json = {name = "Ada"}})`. requests.post
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.post(url, options)
  return sessions.perform(session(), "POST", url, options, 1)
end

--- Makes a PUT request; the rest is as with request. requests.put
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.put(url, options)
  return sessions.perform(session(), "PUT", url, options, 1)
end

--- Makes a PATCH request; the rest is as with request. requests.patch
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.patch(url, options)
  return sessions.perform(session(), "PATCH", url, options, 1)
end

--- Makes a DELETE request; the rest is as with request. requests.delete
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.delete(url, options)
  return sessions.perform(session(), "DELETE", url, options, 1)
end

--- Makes a HEAD request: the response has no body. requests.head
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.head(url, options)
  return sessions.perform(session(), "HEAD", url, options, 1)
end

--- Makes an OPTIONS request; the rest is as with request. requests.options
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function client.options(url, options)
  return sessions.perform(session(), "OPTIONS", url, options, 1)
end

return client
