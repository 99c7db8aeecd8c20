-- A function that asks a web service for a user's name, and how to try it without the service.
-- In Python: aiohttp's ClientSession, and aioresponses in the test of get_username.
-- Here: strobe.http, and strobe.testing.mock, which opens no port. The spec is spec/examples/mock_http_spec.lua.

local http = require "strobe.http"
local mock = require "strobe.testing.mock"

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

if ... == "examples.mock_http" then -- required, by its spec
  return users
end

-- As a program: the service is a table. While the mock is open no request leaves the process.
local web <close> = mock.http {
  ["GET https://api.example/profile"] = function(request)
    if request.headers.authorization ~= "Bearer secret" then
      return { status = 401 }
    end
    return { json = { user = "Ada", langs = { "Lua", "C" } } }
  end,
}

for _, token in ipairs { "secret", "guessed" } do
  local api <close> = http.Session { base_url = "https://api.example/", bearer = token }
  local name, message = users.get_username(api)
  print(name and "hello, " .. name or "sorry: " .. message)
end
print(#web.calls .. " requests, and nobody was asked")
