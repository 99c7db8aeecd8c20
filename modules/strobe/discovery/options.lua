-- Options: what announce, find and browse take, checked before anything is opened.

local list = require "strobe.discovery.list"
local mistake = require "strobe.mistake"

local options = {}

---@class strobe.discovery.Options
---@field timeout? number seconds
---@field services? table<string, string> where some are, without multicast: {iopin = "127.0.0.1:8765"}
---@field interfaces? string[] names or addresses of those to use; default all
---@field group? string e.g. "239.1.2.3:5400", for those who want to be among themselves; default what
---STROBE_DISCOVERY says, else that of multicast DNS
---@field package link? strobe.discovery.Link instead of UDP; it is closed in the end
---@field random? fun(least: number, most: number): number spreads what several do at once

---@class strobe.discovery.FindOptions : strobe.discovery.Options
---@field type? string default "_strobe._tcp"

---@class strobe.discovery.AnnounceOptions : strobe.discovery.Options
---@field name string 1 to 63 bytes
---@field port integer where the service listens
---@field type? string default "_strobe._tcp"
---@field host? string where the service listens: "127.0.0.1" (default) is told on this machine only, "0.0.0.0" to the
---network too
---@field text? table<string, string|number|true> what it tells about itself, at most 1000 bytes

options.TYPE = "_strobe._tcp"
local GROUP, PORT = "224.0.0.251", 5353
local VARIABLE = "STROBE_DISCOVERY"

local function refuse(where, name, expected, got)
  mistake.raise("%s: %s: %s expected, got %s", where, name, expected, tostring(got))
end

local function read_group(text)
  local group, port = text:match "^(2[23]%d%.%d+%.%d+%.%d+):(%d+)$"
  port = math.tointeger(tonumber(port))
  if port and port >= 1 and port <= 65535 then
    return group, port
  end
end

local checks = {
  timeout = { "a number of seconds above 0", function(value)
    return type(value) == "number" and value > 0
  end },
  interfaces = { "a list of names or addresses", function(value)
    return type(value) == "table"
  end },
  group = { "an address and a port, such as 239.1.2.3:5400,", function(value)
    return type(value) == "string" and read_group(value)
  end },
  link = { "a link", function(value)
    return type(value) == "table" and type(value.receive) == "function"
  end },
  random = { "a function", function(value)
    return type(value) == "function"
  end },
  host = { "a name or an address", function(value)
    return type(value) == "string"
  end },
  text = { "a table", function(value)
    return type(value) == "table"
  end },
}

--- Raises for an option that is not as expected.
---@param where string the function they were given to
---@param given any
function options.check(where, given)
  if type(given) ~= "table" then
    mistake.raise("%s: options: a table expected, got %s", where, type(given))
  end
  for name, check in pairs(checks) do
    if given[name] ~= nil and not check[2](given[name]) then
      refuse(where, name, check[1], given[name])
    end
  end
  local wrong = given.services ~= nil and list.mistake(given.services)
  if wrong then
    mistake.raise("%s: %s", where, wrong)
  end
end

--- Raises for what is no name of a service.
---@param where string
---@param name any
function options.check_name(where, name)
  if type(name) ~= "string" or name == "" or #name > 63 or name:find "%c" or not utf8.len(name) then
    refuse(where, "name", "a text of 1 to 63 bytes of UTF-8", name)
  end
end

--- Raises for what is no type of a service. RFC 6763 section 7
---@param where string
---@param kind any
---@return string type
function options.check_type(where, kind)
  kind = kind == nil and options.TYPE or kind
  local label = type(kind) == "string" and (kind:match "^_([%w-]+)%._tcp$" or kind:match "^_([%w-]+)%._udp$")
  if not label or #label > 15 then
    refuse(where, "type", "a type such as _http._tcp, of at most 15 letters, digits and -,", kind)
  end
  return kind
end

--- The group to take part in: of the options, else of STROBE_DISCOVERY ("239.1.2.3:5400", "off"), else that of
--- multicast DNS.
---@param given strobe.discovery.Options
---@return string? group
---@return integer|string port
---@return string? code "ECANCELED" when it is switched off, "EINVAL"
function options.place(given)
  local value = given.group or os.getenv(VARIABLE) or ""
  if value == "" then
    return GROUP, PORT
  elseif value == "off" then
    return nil, VARIABLE .. "=off", "ECANCELED"
  end
  local group, port = read_group(value)
  if not group then
    return nil, ("%s: off, or a group and a port such as 239.1.2.3:5400 expected, got '%s'"):format(VARIABLE, value),
      "EINVAL"
  end
  return group, port
end

return options
