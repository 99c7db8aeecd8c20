--- A list of services by name, for networks without multicast: "iopin=192.168.1.5:8765,buzzer=pi:9000".
--
-- It comes from the options, as a table, and from the environment variable STROBE_SERVICES, which has such a text or
-- the path of a file that has one: there a line end does as well as a comma, and # begins a comment.

local list = {}

local VARIABLE = "STROBE_SERVICES"
local MOST_FILE = 64 * 1024 -- bytes

-- Host and port of a place such as pi:80 or [::1]:80.
local function read_place(place)
  local host, port = place:match "^%[([%x:.]+)%]:(%d+)$"
  if not host then
    host, port = place:match "^([^:%s%[%]]+):(%d+)$"
  end
  port = math.tointeger(tonumber(port))
  if host and port and port >= 1 and port <= 65535 then
    return host, port
  end
end

local function read_entry(entry)
  local name, place = entry:match "^%s*([^=]-)%s*=%s*(.-)%s*$"
  local host, port = read_place(place or "")
  if not host or name == "" then
    return nil, ("name=host:port expected, got '%s'"):format((entry:match "^%s*(.-)%s*$"))
  end
  return name, { host = host, port = port }
end

--- The places in a text.
---@param text string
---@return table<string, {host: string, port: integer}>? places
---@return string? message
function list.read(text)
  local places = {}
  for entry in text:gsub("#[^\n]*", ""):gmatch "[^,\n]+" do
    if entry:find "%S" then
      local name, place = read_entry(entry)
      if not name then
        return nil, place --[[@as string]]
      end
      places[name] = places[name] or place
    end
  end
  return places
end

local function read_file(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  local text, reason = file:read(MOST_FILE)
  file:close()
  if reason then
    return nil, ("%s: %s"):format(path, reason)
  end
  return text or "" -- an empty file has nothing to read
end

local function from_environment()
  local value = os.getenv(VARIABLE)
  if not value or value == "" then
    return {}
  end
  local text, message = value, nil
  if not value:find("=", 1, true) then
    text, message = read_file(value)
  end
  local places
  if text then
    places, message = list.read(text)
  end
  if not places then
    return nil, ("%s: %s"):format(VARIABLE, message), "EINVAL"
  end
  return places
end

--- What is wrong with a list from the options; nil when it is good.
---@param services any
---@return string? message
function list.mistake(services)
  if type(services) ~= "table" then
    return ("services: a table expected, as in {iopin = \"127.0.0.1:8765\"}, got %s"):format(type(services))
  end
  for name, place in pairs(services) do
    if type(name) ~= "string" or type(place) ~= "string" or not read_place(place) then
      return ("services: %s: 'host:port' expected, got %s"):format(tostring(name), tostring(place))
    end
  end
end

--- All that are known: those of the options come before those of the environment.
---@param services? table<string, string>
---@return table<string, {host: string, port: integer}>? places
---@return string? message e.g. "STROBE_SERVICES: name=host:port expected, got 'iopin'"
---@return string? code "EINVAL"
function list.all(services)
  local places, message, code = from_environment()
  if not places then
    return nil, message, code
  end
  for name, place in pairs(services or {}) do
    local host, port = read_place(place)
    places[name] = { host = host, port = port }
  end
  return places
end

return list
