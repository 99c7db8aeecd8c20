-- A function that asks a web service for a user's name, and how to try it without the service.
-- In Python: aiohttp's ClientSession, and aioresponses in the test of get_username.
-- Here: strobe.http, and strobe.testing.mock, which opens no port. The spec is spec/examples/fetch_user_spec.lua.

local http = require "strobe.http"

local users = {}

--- The name of the user to whom a token belongs.
---@async
---@param api strobe.http.Session
---@return string? name
---@return string? message
---@return string? code
function users.get_username(api)
  local response, message, code = api:get "profile"
  if not response then
    return nil, message, code
  elseif not response.ok then
    return nil, ("no profile: %d %s"):format(response.status, response.reason), "EPROTO"
  end
  local profile
  profile, message, code = response:json()
  if not profile then
    return nil, message, code
  end
  return profile.user
end

if ... == "examples.fetch_user" then -- required, by its spec
  return users
end

-- As a program: against a service of our own, since there is none to ask.
local server <close> = assert(http.serve(function(request)
  if request.headers.authorization ~= "Bearer secret" then
    return 401, { ["WWW-Authenticate"] = "Bearer" }, "who are you?\n"
  end
  return 200, nil, { user = "Ada", langs = { "Lua", "C" } }
end, "127.0.0.1", 0))

for _, token in ipairs { "secret", "guessed" } do
  local api <close> = http.Session { base_url = ("http://127.0.0.1:%d/"):format(server:port()), bearer = token }
  local name, message = users.get_username(api)
  print(name and "hello, " .. name or "sorry: " .. message)
end
