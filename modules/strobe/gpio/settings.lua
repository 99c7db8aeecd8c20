--- The settings of a line: checked by name, and as the engine takes them.

local duration = require "strobe.gpio.duration"
local names = require "strobe.gpio.name"

local settings = {}

local MOST_EVENTS = 1024 * 1024 -- kept by a line, in the engine

local words = {
  direction = { input = true, output = true, ["as-is"] = true },
  bias = { disabled = true, ["pull-up"] = true, ["pull-down"] = true, ["as-is"] = true },
  drive = { ["push-pull"] = true, ["open-drain"] = true, ["open-source"] = true },
  edge = { none = true, rising = true, falling = true, both = true },
}

local others = { active_low = "boolean", consumer = "string", shared = "boolean" }

local known = {
  direction = true, bias = true, drive = true, edge = true, active_low = true, debounce_period = true,
  output_value = true, event_buffer_size = true, consumer = true, shared = true,
}

local function check_word(what, name, value, level)
  if value ~= nil and not words[name][value] then
    local text = "%s: %s: one of %s expected, got %s"
    error(text:format(what, name, names.keys(words[name]), tostring(value)), level + 1)
  end
end

local function check_all(what, given, level)
  for name, value in pairs(given) do
    if not known[name] then
      error(("%s: there is no setting %s; there are %s"):format(what, tostring(name), names.keys(known)), level + 1)
    elseif words[name] then
      check_word(what, name, value, level + 1)
    elseif others[name] and type(value) ~= others[name] then
      error(("%s: %s: a %s expected, got %s"):format(what, name, others[name], type(value)), level + 1)
    end
  end
end

local function check_size(what, size, level)
  if size ~= nil and (math.type(size) ~= "integer" or size < 1 or size > MOST_EVENTS) then
    error(("%s: event_buffer_size: 1 to %d expected, got %s"):format(what, MOST_EVENTS, tostring(size)), level + 1)
  end
end

--- Raises unless it is an edge to wait for.
---@param what string the function, for the message
---@param edge any
---@param level? integer as error's (3)
function settings.check_edge(what, edge, level)
  if edge == "none" or not words.edge[edge] then
    error(("%s: edge: rising, falling or both expected, got %s"):format(what, tostring(edge)), level or 3)
  end
end

local function unless_as_is(value)
  return value ~= "as-is" and value or nil
end

--- Raises for a setting that is none; returns those that the engine knows.
---@param what string the function, for the message
---@param given strobe.gpio.LineSettings
---@return table
function settings.check(what, given)
  if type(given) ~= "table" then
    error(("%s: a table of settings expected, got %s"):format(what, type(given)), 4)
  end
  check_all(what, given, 4)
  check_size(what, given.event_buffer_size, 4)
  return {
    direction = unless_as_is(given.direction), bias = unless_as_is(given.bias), drive = given.drive,
    active_low = given.active_low, output_value = given.output_value,
    debounce_period = given.debounce_period and duration.ns(what .. ": debounce_period", given.debounce_period),
  }
end

return settings
