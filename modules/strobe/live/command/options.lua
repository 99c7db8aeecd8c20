--- The words behind `strobe live`, read and checked.

local arguments = require "strobe.arguments"
local uv = require "luv"

local options = {}

---@class strobe.live.command.Options
---@field units {name: string, path: string}[] absolute paths
---@field feeds {name?: string, url: string}[]
---@field root? string absolute
---@field watch boolean
---@field json boolean
---@field drain? number
---@field on_drain? "abort"|"cancel"
---@field probation? table {off} or {events, seconds}
---@field inbox table {size, policy}
---@field quota? number seconds
---@field flight? string the folder of the flight recorder
---@field setup? string
---@field broker? {kind: "paper"|"none", journal?: string} nil: paper, if a unit speaks of orders
---@field cash? number what the paper broker's account begins with
---@field fee? number part of a fill's value that it costs
---@field report? string
---@field seed? integer
---@field clock? string
---@field attach? "rw"|"ro"|"off" what others may do through the socket
---@field no_eval boolean

local known = {
  feed = arguments.texts, watch = false, root = arguments.text, drain = arguments.number, on_drain = arguments.text,
  probation = arguments.text, inbox = arguments.integer, policy = arguments.text, setup = arguments.text,
  broker = arguments.text, report = arguments.text, json = false, quota = arguments.number, seed = arguments.integer,
  cash = arguments.number, fee = arguments.number, clock = arguments.text, attach = arguments.text, no_eval = false,
  flight = arguments.text, help = false,
}

local function one_of(list)
  return function(value)
    for _, word in ipairs(list) do
      if value == word then
        return value
      end
    end
    return nil, ("%s expected"):format(table.concat(list, " or "))
  end
end

local function positive(value)
  if value > 0 and value < math.huge then
    return value
  end
  return nil, "a number above 0 expected"
end

-- "50/30": events and seconds, "50" or "off".
local function probation(value)
  if value == "off" then
    return { off = true }
  end
  local events, seconds = value:match "^(%d+)/(%d+%.?%d*)s?$"
  events = math.tointeger(tonumber(events or value))
  if not events or events < 0 then
    return nil, "EVENTS/SECONDS expected, as 50/30, or off"
  elseif events == 0 and (tonumber(seconds) or 0) == 0 then
    return { off = true }
  end
  return { events = events, seconds = tonumber(seconds) }
end

local function broker(value)
  local journal = value:match "^paper:(.+)$"
  if value == "none" or value == "paper" or journal then
    return { kind = journal and "paper" or value, journal = journal }
  end
  return nil, "paper, paper:JOURNAL or none expected"
end

local function report(value)
  if value:find "%.html$" or value:find "%.json$" then
    return value
  end
  return nil, "a name that ends with .html or .json expected"
end

local checks = {
  drain = function(value)
    if value >= 0 then
      return value
    end
    return nil, "seconds expected"
  end,
  on_drain = one_of { "abort", "cancel" },
  attach = one_of { "rw", "ro", "off" },
  policy = one_of { "block", "drop_oldest", "latest" },
  cash = function(value)
    if math.abs(value) < 1e10 then
      return value
    end
    return nil, "a number below 1e10 expected"
  end,
  fee = function(value)
    if value >= 0 and value < 1 then
      return value
    end
    return nil, "a part of 1 expected, as 0.0004"
  end,
  inbox = positive, quota = positive, probation = probation, broker = broker, report = report,
}

-- Replaces the values by what they stand for; a message when one stands for nothing.
local function check_values(read)
  for name, check in pairs(checks) do
    if read[name] ~= nil then
      local value, message = check(read[name])
      if value == nil then
        return ("--%s %s: %s"):format(name:gsub("_", "-"), tostring(read[name]), message)
      end
      read[name] = value
    end
  end
end

--- A path from the working folder on; links and ".." stay as they are.
---@param path string
---@return string
function options.absolute(path)
  return path:find "^/" and path or uv.cwd() .. "/" .. path:gsub("^%./+", "")
end

--- The name of the unit in a file: that of the file, of init.lua that of its folder.
---@param path string absolute
---@return string
function options.unit_name(path)
  local name = path:match "([^/]*)$":gsub("%.lua$", "")
  return name == "init" and path:match "([^/]+)/[^/]*$" or name
end

-- NAME=FILE or FILE.
local function read_unit(word)
  local name, path = word:match "^([%w_%-%.]+)=(.+)$"
  path = options.absolute(path or word)
  name = name or options.unit_name(path)
  if not name:find "^[%w_%-%.]+$" or name:find "^%d+$" then
    local text = "%s: '%s' is no name of a unit (letters, digits, _ - . and not digits alone); say NAME=%s"
    return nil, text:format(word, name, word)
  end
  return { name = name, path = path }
end

local function read_units(words)
  local units, seen = {}, {}
  for i, word in ipairs(words) do
    local unit, message = read_unit(word)
    if not unit then
      return nil, message
    elseif seen[unit.name] then
      return nil, ("%s: a unit '%s' is there already; say NAME=%s"):format(word, unit.name, word)
    end
    units[i], seen[unit.name] = unit, true
  end
  if #units == 0 then
    return nil, "which unit? a file is missing"
  end
  return units
end

-- NAME=URL or URL, which may have = in it.
local function read_feeds(words)
  local feeds = {}
  for i, word in ipairs(words) do
    local name, url = word:match "^([%w_%-%.]+)=(.+)$"
    feeds[i] = { name = name, url = url or word }
  end
  return feeds
end

--- Reads the words.
---@param words string[]
---@return strobe.live.command.Options?
---@return string? message
function options.read(words)
  local read, message = arguments.read(known, words)
  if not read or read.help then
    return read, message
  end
  message = check_values(read)
  if not message then
    read.units, message = read_units(read)
  end
  if message then
    return nil, message
  end
  read.feeds = read_feeds(read.feed)
  read.root = read.root and options.absolute(read.root):gsub("(.)/+$", "%1")
  read.inbox = { size = read.inbox, policy = read.policy }
  return read
end

return options
