--- strobe.discovery: programs announce services and find them by name, on this machine and on its networks,
-- by DNS-SD over multicast DNS (as Bonjour and avahi do).
--
--   local here <close> = assert(discovery.announce { name = "iopin", port = 8765, host = "0.0.0.0" })
--
--   local service = assert(discovery.find "iopin")
--   net.connect(service.host, service.port)
--
--   for service, event in assert(discovery.browse "_http._tcp") do print(event, service.name) end
--
-- Where multicast does not work, a list says what is where: the option `services`, or the environment variable
-- STROBE_SERVICES="iopin=192.168.1.5:8765,buzzer=…" (or the path of a file of such lines). It is asked first.
--
-- STROBE_DISCOVERY=239.1.2.3:5400 takes another group than multicast DNS, for those who want to be among
-- themselves; STROBE_DISCOVERY=off does without.
--
-- Anybody on a network may answer to a name: what is found is not to be trusted for its name. This machine's own
-- services come first. Packets are multicast by IPv4 (the addresses found may be of IPv6); interfaces that come up
-- later are not seen.
--
-- Source: RFC 6762, RFC 6763.

local Announcement = require "strobe.discovery.announcement"
local Link = require "strobe.discovery.link"
local Querier = require "strobe.discovery.querier"
local address = require "strobe.discovery.address"
local generators = require "strobe.async.generator"
local interfaces = require "strobe.discovery.interface"
local list = require "strobe.discovery.list"
local names = require "strobe.discovery.name"
local options = require "strobe.discovery.options"
local service = require "strobe.discovery.service"
local text = require "strobe.discovery.text"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

local ANNOUNCE_TIMEOUT, FIND_TIMEOUT = 10, 3 -- seconds
local OWN_FIRST = 0.05 -- seconds that a find waits for this machine's own

local discovery = {}

local function default_random(least, most)
  return least + (most - least) * math.random()
end

local function impossible(where, message, advice)
  return ("%s: multicast is not possible here (%s): %s"):format(where, message, advice)
end

local LIST = "set STROBE_SERVICES=\"%s=HOST:PORT\", or the option services"

local function with_list(name)
  return "say where it is: " .. LIST:format(name)
end

-- The interfaces to use: of those asked for the ones that will do.
local function choose(given, will_do)
  local all = interfaces.all()
  if given.interfaces then
    all = interfaces.among(all, given.interfaces)
  end
  local chosen = {}
  for _, interface in ipairs(all) do
    chosen[#chosen + 1] = will_do(interface) and interface or nil
  end
  return chosen, #all
end

local function any()
  return true
end

-- The link of the options, or a new one on those interfaces which will do.
local function open_link(given, will_do)
  if given.link then
    return given.link
  end
  local group, port, code = options.place(given)
  if not group then
    return nil, port, code
  end
  local chosen, count = choose(given, will_do)
  if #chosen == 0 and count > 0 then
    return nil, "no interface has that address", "EADDRNOTAVAIL"
  elseif #chosen == 0 then
    return nil, given.interfaces and "there is no such interface" or "no interface is up", "ENODEV"
  end
  return Link.open { group = group, port = port, interfaces = chosen }
end

-- The address that a server listens on.
local function numeric(host)
  if address.pack(host) then
    return host
  end
  local addresses, message, code = require("strobe.net").resolve(host)
  return addresses and addresses[1], message, code
end

-- Closes it unless it is announced in time.
local function wait_until_told(announcement, seconds)
  local keep = false
  local guard <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      if not keep then
        announcement:close()
      end
    end,
  })
  local in_time, ok, message, code = timeouts.move_on_after(seconds, announcement.wait, announcement)
  keep = in_time and ok
  if not in_time then
    return nil, ("no name like it was free within %g s"):format(seconds), "ETIMEDOUT"
  end
  return ok, message, code
end

local function announce_on(given, what)
  local link, message, code = open_link(given, function(interface)
    return service.reachable(interface, what.host)
  end)
  if not link then
    return nil, message, code
  end
  local announcement = Announcement.open(link, what, given.random or default_random)
  local ok
  ok, message, code = wait_until_told(announcement, given.timeout or ANNOUNCE_TIMEOUT)
  return ok and announcement, message, code
end

local function check_announce(given)
  options.check("discovery.announce", given)
  options.check_name("discovery.announce", given.name)
  if math.type(given.port) ~= "integer" or given.port < 1 or given.port > 65535 then
    error(("discovery.announce: port: a port from 1 to 65535 expected, got %s"):format(tostring(given.port)), 3)
  end
  local strings, message = text.strings(given.text or {})
  if not strings then
    error("discovery.announce: text: " .. message, 3)
  end
  return options.check_type("discovery.announce", given.type), strings
end

--- Announces a service until it is closed: `local here <close> = assert(discovery.announce { name = "iopin", port =
--- 8765 })`. Waits until the name is known to be free, about a second; when another service has it, this one
--- is "iopin-2": see its `name()`.
---@async
---@param given strobe.discovery.AnnounceOptions timeout: 10 s
---@return strobe.discovery.Announcement? announcement a `<close>` value with `name()` and `close()`
---@return string? message
---@return string? code "ENODEV", "EPERM", "EADDRNOTAVAIL", "ETIMEDOUT", "ECANCELED", …
function discovery.announce(given)
  local kind, strings = check_announce(given)
  local where = "announce " .. given.name
  local host, message, code = numeric(given.host or "127.0.0.1")
  if not host then
    return nil, ("%s: %s"):format(where, message), code
  end
  local announcement
  announcement, message, code = announce_on(given, { instance = given.name, type = kind, port = given.port,
    host = host, strings = strings })
  if announcement then
    return announcement
  elseif code == "ETIMEDOUT" or code == "EADDRNOTAVAIL" then
    return nil, ("%s: %s"):format(where, message), code
  end
  return nil, impossible(where, message, "others find it by a list: " .. LIST:format(given.name)), code
end

local function listed(name, kind, place)
  return {
    name = name, type = kind, host = place.host, port = place.port, text = {},
    addresses = address.pack(place.host) and { place.host } or {},
  }
end

local function is_own(link, found)
  for _, interface in ipairs(link.interfaces) do
    if interface.name == found.interface then
      return interface.loopback
    end
  end
end

-- The first service that is told of; one of this machine comes before the others.
local function first_found(querier, link)
  local found, message, code = querier:next()
  if not found then
    return nil, message, code
  elseif is_own(link, found) or not link.interfaces[1].loopback then
    return found
  end
  timeouts.move_on_after(OWN_FIRST, function()
    repeat
      found = querier:next() or found
    until is_own(link, found)
  end)
  return found
end

local function ask_for(name, kind, given)
  local link, message, code = open_link(given, any)
  if not link then
    return nil, impossible("find " .. name, message, with_list(name)), code
  end
  local goal = { instance = names.within(name, kind .. ".local") }
  local querier <close> = Querier.open(link, goal, given.random or default_random)
  local seconds = given.timeout or FIND_TIMEOUT
  local in_time, found
  in_time, found, message, code = timeouts.move_on_after(seconds, first_found, querier, link)
  if not in_time then
    return nil, ("find %s: nobody of that name has answered within %g s: is it started, and announced? If multicast is "
      .. "blocked, %s"):format(name, seconds, with_list(name)), "ETIMEDOUT"
  elseif not found then
    return nil, impossible("find " .. name, message, with_list(name)), code
  end
  return found
end

--- Finds a service by its name: in the list, else on this machine and its networks.
---@async
---@param name string
---@param given? strobe.discovery.FindOptions timeout: 3 s
---@return strobe.discovery.Service? service connect to its `host` and `port`
---@return string? message
---@return string? code "ETIMEDOUT" when nobody has answered, "ENODEV", "EPERM", …
function discovery.find(name, given)
  given = given or {}
  options.check("discovery.find", given)
  options.check_name("discovery.find", name)
  local kind = options.check_type("discovery.find", given.type)
  local places, message, code = list.all(given.services)
  if not places then
    return nil, ("find %s: %s"):format(name, message), code
  elseif places[name] then
    return listed(name, kind, places[name])
  end
  return ask_for(name, kind, given)
end

-- Yields events until the time is up; nil seconds are for ever.
local function yield_events(yield, link, kind, given)
  local random = given.random or default_random
  local querier <close> = Querier.open(link, { type = kind .. ".local" }, random, random(0.02, 0.12))
  local stop = given.timeout and time.now() + given.timeout
  while true do
    local in_time, found, event = timeouts.move_on_after(stop and stop - time.now(), querier.next, querier)
    if not in_time then
      return
    elseif not found then
      error(impossible("browse " .. kind, event, "does the firewall let multicast through?"), 0)
    end
    yield(found, event)
  end
end

local function sorted_names(places)
  local sorted = {}
  for name in pairs(places) do
    sorted[#sorted + 1] = name
  end
  table.sort(sorted)
  return sorted
end

local browse = generators.generator(function(yield, places, link, kind, given)
  for _, name in ipairs(sorted_names(places)) do
    yield(listed(name, kind, places[name]), "added")
  end
  if link then
    yield_events(yield, link, kind, given)
  end
end)

--- All services of a type, as they come, change and go: `for service, event in assert(discovery.browse()) do`, where
--- the event is "added", "updated" or "removed". First come those of the list, whatever their type. Ends when the time
--- is up, for ever without; leaving the loop ends it as well.
---@param kind? string default "_strobe._tcp"
---@param given? strobe.discovery.Options timeout: seconds until it ends
---@return strobe.Generator? services
---@return string? message
---@return string? code "ENODEV", "EPERM", …
function discovery.browse(kind, given)
  given = given or {}
  options.check("discovery.browse", given)
  kind = options.check_type("discovery.browse", kind)
  local places, message, code = list.all(given.services)
  if not places then
    return nil, ("browse %s: %s"):format(kind, message), code
  end
  local link
  link, message, code = open_link(given, any)
  if not link and not next(places) then
    return nil, impossible("browse " .. kind, message, "say what is where: " .. LIST:format "NAME"), code
  end
  return browse(places, link, kind, given)
end

return discovery
