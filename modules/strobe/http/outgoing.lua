--- What the options of a request mean: from options to the request that a transport gets.

local ws_core = require "strobe.core.ws" -- its base64
local host = require "strobe.core.host"
local json = require "strobe.json"
local mistake = require "strobe.mistake"
local time = require "strobe.core.time"
local urls = require "strobe.http.url"

local outgoing = {}

---@class strobe.http.RequestOptions
---@field params? table        the query: {name = value}, {name = {value, …}}, or a list of {name, value}
---@field headers? table<string, string|number|string[]|false> false takes one of the session's away
---@field json? any            the body, encoded by strobe.json
---@field form? table          the body, as params, urlencoded
---@field body? string|fun(): string? the body, or a function which gives its pieces, nil at the end, and may wait
---@field body_size? integer   bytes of a body in pieces; without it is sent chunked
---@field auth? {[1]: string, [2]: string} user and password (basic)
---@field bearer? string       a token
---@field cookies? table<string, string> further cookies for this request
---@field timeout? number|false seconds on the loop's clock for all of it (300); with `stream` until the head, then
--- for each piece; false: none
---@field connect_timeout? number|false real seconds for a connection, with its TLS (10)
---@field stream? boolean      return at the head: the body comes by :chunks() or :read()
---@field max_body? integer    bytes of the decoded body (16 MiB; streamed: no limit)
---@field allow_redirects? boolean default true
---@field max_redirects? integer (5)
---@field retries? integer     how often an idempotent request is tried again (0)
---@field proxy? string|false  a proxy's URL; false: none; default: $http_proxy, $https_proxy, $no_proxy
---@field tls? strobe.TlsOptions ca, cert, key, verify, server_name, min_version, as strobe.net's
---@field unix? string         path of a unix socket to connect to
---@field http2? boolean       where TLS negotiates it (true)

local kinds = {
  params = "table",
  headers = "table",
  form = "table",
  auth = "table",
  bearer = "string",
  cookies = "table",
  stream = "boolean",
  allow_redirects = "boolean",
  tls = "table",
  unix = "string",
  http2 = "boolean",
}

local tls_kinds = {
  verify = "boolean",
  ca = "string",
  cert = "string",
  key = "string",
  server_name = "string",
  min_version = "string",
}

-- Those with more than one type.
local checks = {
  timeout = function(value)
    return value == false or type(value) == "number" and value > 0, "seconds above 0, or false, expected"
  end,
  proxy = function(value)
    return value == false or type(value) == "string", "a URL, or false, expected"
  end,
  body = function(value)
    local meta = getmetatable(value)
    return type(value) == "string" or type(value) == "function" or type(meta) == "table" and meta.__call ~= nil,
      "a string, or a function which gives pieces, expected"
  end,
  json = function()
    return true
  end,
}
checks.connect_timeout = checks.timeout

local function is_count(value)
  return math.type(value) == "integer" and value >= 0, "an integer of 0 or more expected"
end

for _, name in ipairs { "body_size", "max_body", "max_redirects", "retries" } do
  checks[name] = is_count
end

--- Raises for an option that does not exist or has the wrong type.
---@param where string the public function
---@param name string
---@param value any
---@param level integer
function outgoing.check_option(where, name, value, level)
  if checks[name] then
    local good, wanted = checks[name](value)
    if not good then
      error(("%s: %s: %s, got %s"):format(where, name, wanted, tostring(value)), level + 1)
    end
  elseif not kinds[name] then
    error(("%s: there is no option '%s'"):format(where, tostring(name)), level + 1)
  elseif type(value) ~= kinds[name] then
    error(("%s: %s: a %s expected, got %s"):format(where, name, kinds[name], type(value)), level + 1)
  end
  for key, option in pairs(name == "tls" and value or {}) do
    if not tls_kinds[key] or type(option) ~= tls_kinds[key] then
      error(("%s: tls.%s: %s"):format(where, tostring(key), tls_kinds[key] and "a " .. tls_kinds[key] .. " expected"
        or "there is no such option"), level + 1)
    end
  end
end

local bodies = { "body", "json", "form" }

function outgoing.check(where, options, level)
  local count = 0
  for name, value in pairs(mistake.options(where, options)) do
    outgoing.check_option(where, name, value, level + 1)
  end
  for _, name in ipairs(bodies) do
    count = count + (options[name] ~= nil and 1 or 0)
  end
  if count > 1 then
    error(("%s: only one of body, json and form expected"):format(where), level + 1)
  elseif options.auth and options.bearer then
    error(("%s: only one of auth and bearer expected"):format(where), level + 1)
  end
end

-- What a line of a head must not have. RFC 9110, section 5.5
local function check_field(where, name, value, level)
  local good = type(name) == "string" and name:find "^[%w!#$%%&'*+.^_`|~-]+$" and not tostring(value):find "[\r\n%z]"
  if not good then
    local text = "%s: header %q: a name without blanks, and a value of one line expected"
    error(text:format(where, tostring(name)), level + 1)
  end
end

local function set_header(request, name, value)
  local key = name:lower()
  request.headers[key] = value
  request.spelled[key] = value ~= nil and name or nil
end

-- Sets headers of the user; `false` takes one away.
local function add_headers(request, where, headers, level)
  for name, values in pairs(headers or {}) do
    local list = type(values) == "table" and values or { values }
    local texts = {}
    for i, value in ipairs(list) do
      check_field(where, name, value, level + 1)
      texts[i] = tostring(value)
    end
    set_header(request, name, values and (#texts == 1 and texts[1] or texts) or nil)
  end
end

local function basic(where, auth, level)
  local user, password = auth[1] or auth.user, auth[2] or auth.password or ""
  if type(user) ~= "string" or type(password) ~= "string" or user:find ":" then
    error(("%s: auth: {user, password} expected, the user without ':'"):format(where), level + 1)
  end
  return "Basic " .. ws_core.base64(user .. ":" .. password)
end

local function add_credentials(request, where, options, level)
  local parsed = request.parsed
  local auth = options.auth or parsed.user and { parsed.user, parsed.password }
  if options.bearer then
    check_field(where, "Authorization", options.bearer, level + 1)
    set_header(request, "Authorization", "Bearer " .. options.bearer)
  elseif auth then
    set_header(request, "Authorization", basic(where, auth, level + 1))
  end
end

-- Those of the session, which are for its base if it has one.
local function own_credentials(session, parsed)
  local base = session.base
  if base and (base.host ~= parsed.host or base.port ~= parsed.port or base.scheme ~= parsed.scheme) then
    return {}
  end
  return session.settings
end

local function cookie_text(where, cookies, level)
  local names, list = {}, {}
  for name, value in pairs(cookies) do
    check_field(where, name, value, level + 1)
    if tostring(value):find ";" then
      error(("%s: cookie %q: a value without ';' expected"):format(where, name), level + 1)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[i] = name .. "=" .. tostring(cookies[name])
  end
  return table.concat(list, "; ")
end

local function add_body(request, where, options, level)
  if options.json ~= nil then
    local text, message = json.encode(options.json)
    if not text then
      error(("%s: %s"):format(where, message), level + 1)
    end
    request.body = text
    if not request.headers["content-type"] then
      set_header(request, "Content-Type", "application/json")
    end
  elseif options.form then
    request.body = urls.encode(options.form)
    if not request.headers["content-type"] then
      set_header(request, "Content-Type", "application/x-www-form-urlencoded")
    end
  elseif options.body then
    request.body = options.body
    request.size = options.body_size or math.tointeger(tonumber(request.headers["content-length"]))
  elseif request.method == "POST" or request.method == "PUT" or request.method == "PATCH" then
    request.body = "" -- so that it has a length
  end
  -- libcurl writes these itself, and rightly.
  set_header(request, "Content-Length", nil)
  set_header(request, "Transfer-Encoding", nil)
end

-- The URL with further parameters: another one, as the one given is shared.
local function with_params(parsed, params)
  local text = params and urls.encode(params) or ""
  if text == "" then
    return parsed
  end
  local query = (parsed.query or "") ~= "" and parsed.query .. "&" .. text or text
  return setmetatable({ query = query }, { __index = parsed })
end

local function or_default(value, default)
  if value == nil then
    return default
  end
  return value
end

local function deadline_after(seconds)
  return seconds and seconds < math.huge and time.now() + seconds or nil
end

local MIB = 1024 * 1024

local defaults = {
  timeout = 300,
  connect_timeout = 10,
  max_body = 16 * MIB,
  max_redirects = 5,
  retries = 0,
  allow_redirects = true,
  http2 = true,
  stream = false,
}

-- An option of the request, else of the session, else our own.
local function choose(session, options, name)
  return or_default(options[name], or_default(session.settings[name], defaults[name]))
end

local MOST_URLS = 256

local function parse_url(session, where, text, level)
  local known = session.urls
  if known.parsed[text] then
    return known.parsed[text]
  elseif type(text) ~= "string" then
    error(("%s: url: a string expected, got %s"):format(where, type(text)), level + 1)
  end
  local parsed, message
  if session.base and not text:find "^%a[%w+.-]*://" then
    parsed, message = urls.join(session.base, text)
    if parsed and not parsed.user then
      parsed.user, parsed.password = session.base.user, session.base.password
    end
  else
    parsed, message = urls.parse(text)
  end
  if not parsed then
    error(("%s: %q: no URL: %s"):format(where, text, message), level + 1)
  end
  parsed.text = urls.format(parsed)
  if known.count >= MOST_URLS then
    known.parsed, known.count = {}, 0
  end
  known.parsed[text], known.count = parsed, known.count + 1
  return parsed
end

local function apply_limits(request, session, options)
  local timeout = choose(session, options, "timeout")
  request.timeout = timeout or nil
  request.deadline = deadline_after(timeout)
  request.stream = choose(session, options, "stream")
  request.connect_timeout = choose(session, options, "connect_timeout") or nil
  request.max_body = options.max_body
    or (request.stream and math.maxinteger or choose(session, options, "max_body"))
  request.max_redirects = choose(session, options, "allow_redirects") and choose(session, options, "max_redirects")
    or nil
  request.retries = choose(session, options, "retries")
  request.http2 = choose(session, options, "http2")
end

--- Makes a request of what the user asks for; raises for mistakes at the given level.
---@param session strobe.http.Session
---@param method string
---@param text string the URL, or what is under the session's base
---@param options strobe.http.RequestOptions
---@param level integer
---@return strobe.http.Outgoing
function outgoing.build(session, method, text, options, level)
  if type(method) ~= "string" or not method:find "^[%w!#$%%&'*+.^_`|~-]+$" then
    error(("http.request: method: a word such as \"GET\" expected, got %s"):format(tostring(method)), level + 1)
  end
  method = method:upper()
  local where = "http." .. method:lower()
  outgoing.check(where, options, level + 1)
  local parsed, own = parse_url(session, where, text, level + 1), session.settings
  local whole = with_params(with_params(parsed, own.params), options.params)
  local request = {
    method = method,
    parsed = whole,
    url = whole == parsed and parsed.text or urls.format(whole),
    headers = {},
    spelled = {},
    session = session,
    proxy = or_default(options.proxy, own.proxy),
    tls = options.tls or own.tls,
    unix = options.unix or own.unix,
    cookie = options.cookies and cookie_text(where, options.cookies, level + 1),
  }
  apply_limits(request, session, options)
  set_header(request, "User-Agent", "strobe/" .. host.version)
  add_credentials(request, where, own_credentials(session, parsed), level + 1)
  add_headers(request, where, own.headers, level + 1)
  add_credentials(request, where, options, level + 1)
  add_headers(request, where, options.headers, level + 1)
  add_body(request, where, options, level + 1)
  return request
end

return outgoing
