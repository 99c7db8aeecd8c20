--- Sessions: requests that share connections, cookies and options. aiohttp.ClientSession
--
-- `local api <close> = http.Session { base_url = "https://example.org/api/", bearer = token }`, then
-- `local user = assert(api:get "users/7"):json()`. Leaving the block closes its connections; requests that are on
-- their way then fail with "ECANCELED".

local core = require "strobe.core.transfer"
local mistake = require "strobe.mistake"
local outgoing = require "strobe.http.outgoing"
local redirect = require "strobe.http.redirect"
local responses = require "strobe.http.response"
local retry = require "strobe.http.retry"
local time = require "strobe.core.time"
local transport = require "strobe.http.transport"
local urls = require "strobe.http.url"

local MAX_CONNECTIONS = 100
local MOST_DRAINED = 64 * 1024 -- of a redirect's body, so that its connection can be used again

---@class strobe.http.SessionOptions
---@field base_url? string    what relative URLs are joined to, as a browser does: "https://example.org/api/" and
--- "users" make ".../api/users". `auth` and `bearer` are then for that host only
---@field headers? table<string, string|string[]> for every request
---@field params? table       for every request
---@field auth? {[1]: string, [2]: string}
---@field bearer? string
---@field timeout? number|false  as of a request, as are the next ones
---@field connect_timeout? number|false
---@field max_body? integer
---@field max_redirects? integer
---@field allow_redirects? boolean
---@field retries? integer
---@field proxy? string|false
---@field tls? strobe.TlsOptions
---@field unix? string
---@field http2? boolean
---@field cookies? boolean    keep cookies and send them back (true)
---@field max_connections? integer at the same time (100); further requests wait for one
---@field max_connections_per_host? integer (no limit)

---@class strobe.http.Session connections, cookies and options that requests share; a `<close>` value
---@field settings strobe.http.SessionOptions
---@field package core? userdata
local Session = {}
Session.__index = Session
Session.__name = "http session"

local session = {}

-- Options of a session that are none of a request, and those of a request that are none of a session.
local own = { base_url = "string", cookies = "boolean" }
local foreign = { "body", "json", "form", "body_size", "stream" }

local function check_options(options)
  mistake.options("http.Session", options)
  for _, name in ipairs(foreign) do
    if options[name] ~= nil then
      error(("http.Session: %s belongs to a request"):format(name), 3)
    end
  end
  for name, value in pairs(options) do
    if name == "max_connections" or name == "max_connections_per_host" then
      if math.type(value) ~= "integer" or value < 1 then
        error(("http.Session: %s: an integer above 0 expected, got %s"):format(name, tostring(value)), 3)
      end
    elseif own[name] and type(value) ~= own[name] then
      error(("http.Session: %s: a %s expected, got %s"):format(name, own[name], type(value)), 3)
    elseif not own[name] then
      outgoing.check_option("http.Session", name, value, 3)
    end
  end
end

--- Makes a session. Nothing is opened before the first request.
---@param options? strobe.http.SessionOptions
---@return strobe.http.Session a `<close>` value
function session.Session(options)
  options = options or {}
  check_options(options)
  local base, message
  if options.base_url then
    base, message = urls.parse(options.base_url)
    if not base then
      error(("http.Session: base_url: %q: no URL: %s"):format(options.base_url, message), 2)
    end
  end
  return setmetatable({
    settings = options,
    base = base,
    names = { hosts = {}, count = 0 }, -- resolved, see wire.lua
    urls = { parsed = {}, count = 0 }, -- see outgoing.lua
  }, Session)
end

--- The connections; for transports.
---@package
function Session:pool()
  if self.closed then
    return nil, "the session is closed", "ECANCELED"
  end
  local message, code
  if not self.core then
    self.core, message, code = core.pool(self.settings.max_connections or MAX_CONNECTIONS,
      self.settings.max_connections_per_host or 0, self.settings.cookies ~= false)
  end
  return self.core, message, code
end

-- One request, again if that can help.
local function attempt(request)
  local tried = 0
  while true do
    local answer, message, code = transport.send(request)
    tried = tried + 1
    if answer then
      responses.complete(answer)
    end
    local seconds = retry.pause(request, tried, answer, code)
    if not seconds then
      return answer, message, code
    end
    if answer and answer.source then
      answer.source:close()
    end
    time.sleep(seconds)
  end
end

-- Reads what is left of an answer nobody wants, if that is little.
local function drain(request, answer)
  local source, size = answer.source, 0
  if not source then
    return
  end
  local _ <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      source:close()
    end,
  })
  while size < MOST_DRAINED do
    local piece = source:read(MOST_DRAINED, request.deadline)
    if not piece or piece == "" then
      return
    end
    size = size + #piece
  end
end

local function follow(request)
  local history = {}
  while true do
    local answer, message, code = attempt(request)
    local location = answer and request.max_redirects and redirect.location(answer)
    if not location then
      return answer, message, code, request, history
    end
    drain(request, answer)
    if #history >= request.max_redirects then
      return nil, ("more than %d redirects, the last to %s"):format(#history, location), "EPROTO", request
    end
    history[#history + 1] = { status = answer.status, url = request.url, location = location }
    local moved
    moved, message, code = redirect.follow(request, answer)
    if not moved then
      return nil, message, code, request
    end
    request = moved
  end
end

-- What to do next, for failures that say little.
local function advice(code, message, request)
  if code == "ETIMEDOUT" and message:find "^http: " then
    return ("no answer within %g s"):format(request.timeout)
  elseif code == "ETIMEDOUT" and message:find "[Cc]onnect" and request.connect_timeout then
    return ("no connection within %g s (%s)"):format(request.connect_timeout, message)
  elseif message:find("certificate", 1, true) and code == "EPROTO" then
    return message .. " (tls.ca names a CA to trust)"
  end
  return message
end

-- The request behind the checks; errors of mistakes are raised at `level`.
local function perform(self, method, url, options, level)
  local request = outgoing.build(self, method, url, options or {}, level + 1)
  local answer, message, code, last, history = follow(request)
  if not answer then
    return nil, ("http.%s %s: %s"):format(request.method:lower(), last.url, advice(code, message, last)), code
  end
  return responses.new(last, answer, history)
end

session.perform = perform

--- Makes a request. aiohttp.ClientSession.request
---@async
---@param method string "GET", …
---@param url string    with http:// or https://, or relative to base_url
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response? response whatever its status
---@return string? message
---@return string? code "ECONNREFUSED", "ETIMEDOUT", "EAI_…" (no such name), "EOF" (cut short), "EMSGSIZE" (max_body),
--- "EPROTO" (no HTTP, or a certificate that is not trusted), "ECANCELED" (the session was closed), …
function Session:request(method, url, options)
  return perform(self, method, url, options, 1)
end

--- Makes a GET request; the rest is as with request. aiohttp.ClientSession.get
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:get(url, options)
  return perform(self, "GET", url, options, 1)
end

--- POST: `session:post("users", {json = {name = "Ada"}})`. aiohttp.ClientSession.post
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:post(url, options)
  return perform(self, "POST", url, options, 1)
end

--- Makes a PUT request; the rest is as with request. aiohttp.ClientSession.put
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:put(url, options)
  return perform(self, "PUT", url, options, 1)
end

--- Makes a PATCH request; the rest is as with request. aiohttp.ClientSession.patch
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:patch(url, options)
  return perform(self, "PATCH", url, options, 1)
end

--- Makes a DELETE request; the rest is as with request. aiohttp.ClientSession.delete
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:delete(url, options)
  return perform(self, "DELETE", url, options, 1)
end

--- HEAD: the response has no body. aiohttp.ClientSession.head
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:head(url, options)
  return perform(self, "HEAD", url, options, 1)
end

--- Makes an OPTIONS request; the rest is as with request. aiohttp.ClientSession.options
---@async
---@param url string
---@param options? strobe.http.RequestOptions
---@return strobe.http.Response?
---@return string? message
---@return string? code
function Session:options(url, options)
  return perform(self, "OPTIONS", url, options, 1)
end

--- Closes its connections; requests on their way fail with "ECANCELED". Twice is harmless.
function Session:close()
  self.closed = true
  if self.core then
    self.core:close()
  end
end

Session.__close = Session.close

function Session:__tostring()
  return ("<http session%s%s>"):format(self.base and " of " .. urls.format(self.base) or "",
    self.closed and ", closed" or "")
end

return session
