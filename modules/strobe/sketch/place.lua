--- Where components are: told to others by name, and found by it.

local discovery = require "strobe.discovery"
local tasks = require "strobe.async.task"

local TYPE = "_strobe-circuit._tcp"

local place = {}

-- The options for discovery, with what is ours.
local function with(options, more)
  for name, value in pairs(options and options.discovery or {}) do
    if more[name] == nil then
      more[name] = value
    end
  end
  more.type = TYPE
  return more
end

--- Whether a text may be a component's name, and no address.
---@param name any
---@return boolean
function place.is_name(name)
  return type(name) == "string" and #name <= 63 and name:find "^[%w_-]+$" ~= nil
end

--- Looks for a component.
---@async
---@param name string
---@param options? {discovery?: strobe.discovery.Options}
---@return strobe.discovery.Service?
---@return string? message
---@return string? code
function place.find(name, options)
  local service, message, code = discovery.find(name, with(options, {}))
  if not service then
    return nil, (message:gsub("^find ", "")), code
  end
  return service
end

-- Announces, and says what has come of it.
local function announce(self, component, options)
  local message, code
  self.announcement, message, code = discovery.announce(options)
  if code ~= "ECANCELED" then -- which is what was wanted
    component:announced(self.announcement and self.announcement:name(), options.name, message)
  end
end

---@class strobe.sketch.Place a component's, told to others until it is closed
local Place = {}
Place.__index = Place
Place.__name = "place"

--- Begins to announce where a component is, and returns; `announced` is called when that has come to something.
---@param component strobe.sketch.Component which is served
---@param name string
---@param host string
---@param options? {discovery?: strobe.discovery.Options}
---@return strobe.sketch.Place
function place.tell(component, name, host, options)
  local self = setmetatable({}, Place)
  self.task = tasks.create_task(announce, self, component,
    with(options, { name = name, host = host, port = component:port(), text = { component = component.name } }))
  return self
end

--- Tells that it is gone.
---@async
function Place:close()
  tasks.cancel_and_wait { self.task }
  if self.announcement then
    self.announcement:close()
  end
end

return place
