--- Requests for reloads: one is under way at a time, and those that wait for their turn and ask for the same are one.

local Event = require("strobe.async.event").Event
local shallow = require "strobe.shallow"

---@class strobe.live.Request
---@field options table
---@field over strobe.Event it has ended, however
---@field reports? strobe.live.Report[] nil when who asked has gone before

---@class strobe.live.Requests
---@field private lock strobe.Lock
---@field private waiting table<string, strobe.live.Request> by what is asked for
local Requests = {}
Requests.__index = Requests

--- Makes them for a lock, which whoever exchanges code holds.
---@param lock strobe.Lock
---@return strobe.live.Requests
function Requests.new(lock)
  return setmetatable({ lock = lock, waiting = {} }, Requests)
end

local function key_of(names)
  return type(names) == "table" and table.concat(names, "\0") or names or "*"
end

--- Whether a request for these waits for its turn.
---@param names? string|string[]
---@return boolean
function Requests:has(names)
  return self.waiting[key_of(names)] ~= nil
end

-- Waits with whoever has asked for the same.
local function share(requests, key, options)
  local request = requests.waiting[key]
  while request and not request.reports and shallow.equal(request.options, options) do
    request.over:wait()
    if not request.reports then
      request = requests.waiting[key]
    end
  end
  return request and request.reports
end

local function leave(requests, key, request)
  if requests.waiting[key] == request then
    requests.waiting[key] = nil
  end
end

local function perform(requests, key, request, f)
  local over <close> = setmetatable({}, { -- luacheck: ignore
    __close = function()
      leave(requests, key, request)
      request.over:set()
    end,
  })
  local held <close> = requests.lock:acquire() -- luacheck: ignore
  leave(requests, key, request) -- what is asked for from now on may be about newer files
  request.reports = f()
  return request.reports
end

--- Calls f when it is this request's turn, or shares what another one gets.
---@async
---@param names? string|string[] of units
---@param options? table
---@param f fun(): strobe.live.Report[]
---@return strobe.live.Report[]
function Requests:perform(names, options, f)
  local key = key_of(names)
  options = options or {}
  local reports = share(self, key, options)
  if reports then
    return reports
  end
  local request = { options = options, over = Event() }
  self.waiting[key] = request
  return perform(self, key, request, f)
end

return Requests
