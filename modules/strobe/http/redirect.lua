--- Following redirects. RFC 9110, section 15.4
--
-- Credentials, cookies that were given by hand, and client certificates stay with the host they were meant for. A
-- redirect from https to http is refused.

local shallow = require "strobe.shallow"
local urls = require "strobe.http.url"

local redirect = {}

local statuses = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- What must not reach another host.
local secrets = { "authorization", "cookie", "host" }
-- What describes a body that is not sent again.
local of_body = { "content-type", "content-encoding", "content-language", "content-location" }

local function without(request, names)
  for _, name in ipairs(names) do
    request.headers[name], request.spelled[name] = nil, nil
  end
end

-- The same host and port, or its https instead of its http.
local function same_host(a, b)
  return a.host == b.host and (a.scheme == b.scheme and a.port == b.port or a.port == 80 and b.port == 443)
end

-- Browsers, and so everybody, ask by GET after a 303, and after a POST that was answered by 301 or 302.
local function becomes_get(status, method)
  return status == 303 and method ~= "HEAD" or status <= 302 and method == "POST"
end

local function move(request, status, parsed)
  local moved = shallow.copy(request)
  moved.headers, moved.spelled = shallow.copy(request.headers), shallow.copy(request.spelled)
  if becomes_get(status, request.method) then
    moved.method, moved.body, moved.size = "GET", nil, nil
    without(moved, of_body)
  elseif request.body and type(request.body) ~= "string" then
    return nil, "it redirects, and a body in pieces cannot be sent again: ask the new place", "EPROTO"
  end
  if not same_host(request.parsed, parsed) then
    without(moved, secrets)
    moved.cookie = nil
    moved.unix = nil
    moved.tls = request.tls and { ca = request.tls.ca, verify = request.tls.verify,
      min_version = request.tls.min_version }
  end
  moved.parsed, moved.url = parsed, urls.format(parsed)
  return moved
end

--- Where an answer sends us.
---@param answer strobe.http.Answer
---@return string? location
function redirect.location(answer)
  return statuses[answer.status] and answer.headers.location or nil
end

--- The request to make after a redirect.
---@param request strobe.http.Outgoing
---@param answer strobe.http.Answer
---@return strobe.http.Outgoing?
---@return string? message
---@return string? code "EPROTO"
function redirect.follow(request, answer)
  local location = redirect.location(answer)
  local parsed, message = urls.join(request.parsed, location)
  if not parsed then
    return nil, ("it redirects to %q: %s"):format(location, message), "EPROTO"
  elseif request.parsed.scheme == "https" and parsed.scheme == "http" then
    return nil, ("it redirects from https to %s, which is not followed"):format(urls.format(parsed)), "EPROTO"
  end
  return move(request, answer.status, parsed)
end

return redirect
