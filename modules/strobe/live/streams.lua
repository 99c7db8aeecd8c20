--- The names of streams: which feed a name means, and whether there is one.
--
-- "stream" is that of the only feed which has it, "feed:stream" that of a feed by its name. A feed whose list is not
-- known may have any.

local spelling = require "strobe.spelling"

local streams = {}

local function contains(list, name)
  for _, other in ipairs(list) do
    if other == name then
      return true
    end
  end
  return false
end

local function refuse_unknown(owner, name, names)
  local near = spelling.nearest(name, names)
  for i, other in ipairs(near) do
    near[i] = "'" .. other .. "'"
  end
  return false, ("%s has %s stream '%s'; the nearest of %d: %s"):format(owner and "feed '" .. owner .. "'" or "no feed",
    owner and "no" or "a", name, #names, table.concat(near, ", "))
end

local function refuse_ambiguous(name, owners)
  local full = {}
  for i, feed in ipairs(owners) do
    full[i] = ("'%s:%s'"):format(feed.name, name)
  end
  return false, ("the stream '%s' is of %d feeds: say %s"):format(name, #owners, table.concat(full, " or "))
end

-- The feeds that have it for certain, whether another may, and all names there are.
local function look(name, feeds)
  local owners, names, open = {}, {}, false
  for _, feed in ipairs(feeds) do
    if not feed.streams then
      open = true
    elseif contains(feed.streams, name) then
      owners[#owners + 1] = feed
    end
    for _, stream in ipairs(feed.streams or {}) do
      names[#names + 1] = stream
    end
  end
  return owners, open, names
end

--- The parts of "feed:stream".
---@param name string
---@return string? feed
---@return string? stream
function streams.split(name)
  return name:match "^([%w_.-]+):(.+)$"
end

-- "feed:stream" of a feed that there is.
local function check_full(name, feeds)
  local owner, stream = streams.split(name)
  for _, feed in ipairs(feeds) do
    if feed.name == owner then
      if not feed.streams or contains(feed.streams, stream) then
        return true
      end
      return refuse_unknown(owner, stream, feed.streams)
    end
  end
end

--- Whether a unit may subscribe to it; else why not.
---@param name string
---@param feeds strobe.live.Feed[]
---@param own table<string, true> streams which are of no feed
---@return boolean
---@return string? message
function streams.check(name, feeds, own)
  if own[name] then
    return true
  end
  local owners, open, names = look(name, feeds)
  if #owners > 1 then
    return refuse_ambiguous(name, owners)
  elseif #owners == 1 then
    return true
  end
  local ok, message = check_full(name, feeds)
  if ok ~= nil then
    return ok, message
  elseif open then
    return true
  end
  for stream in pairs(own) do
    names[#names + 1] = stream
  end
  return refuse_unknown(nil, name, names)
end

return streams
