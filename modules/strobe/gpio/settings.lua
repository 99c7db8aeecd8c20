--- The settings of a line: checked by name, and as the engine takes them.

local duration = require "strobe.gpio.duration"
local mistake = require("strobe.mistake").raise
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

local function check_word(what, name, value)
  if value ~= nil and not words[name][value] then
    local text = "%s: %s: one of %s expected, got %s"
    mistake(text, what, name, names.keys(words[name]), tostring(value))
  end
end

local function check_all(what, given)
  for name, value in pairs(given) do
    if not known[name] then
      mistake("%s: there is no setting %s; there are %s", what, tostring(name), names.keys(known))
    elseif words[name] then
      check_word(what, name, value)
    elseif others[name] and type(value) ~= others[name] then
      mistake("%s: %s: a %s expected, got %s", what, name, others[name], type(value))
    end
  end
end

local function check_size(what, size)
  if size ~= nil and (math.type(size) ~= "integer" or size < 1 or size > MOST_EVENTS) then
    mistake("%s: event_buffer_size: 1 to %d expected, got %s", what, MOST_EVENTS, tostring(size))
  end
end

local function check_value(what, value)
  if value ~= nil and type(value) ~= "boolean" and value ~= 0 and value ~= 1 and value ~= "z" then
    mistake("%s: output_value: 0, 1, true, false or z expected, got %s", what, tostring(value))
  end
end

--- Raises unless it is an edge to wait for.
---@param what string the function, for the message
---@param edge any
function settings.check_edge(what, edge)
  if edge == "none" or not words.edge[edge] then
    mistake("%s: edge: rising, falling or both expected, got %s", what, tostring(edge))
  end
end

--- Raises unless it is what a part may look at.
---@param what string the function, for the message
---@param edge any
function settings.check_change(what, edge)
  if edge ~= "change" and (edge == "none" or not words.edge[edge]) then
    mistake("%s: edge: rising, falling, both or change expected, got %s", what, tostring(edge))
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
    mistake("%s: a table of settings expected, got %s", what, type(given))
  end
  check_all(what, given)
  check_size(what, given.event_buffer_size)
  check_value(what, given.output_value)
  return {
    direction = unless_as_is(given.direction), bias = unless_as_is(given.bias), drive = given.drive,
    active_low = given.active_low, output_value = given.output_value,
    debounce_period = given.debounce_period and duration.ns(what .. ": debounce_period", given.debounce_period),
  }
end

return settings
