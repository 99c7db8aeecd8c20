--- What is given to parts is checked, so that a mistake is named: attributes as a part starts, arguments of methods.
-- What is refused here while a part starts is its adder's mistake, which board:add raises.

local duration = require "strobe.gpio.duration"
local mistake = require("strobe.mistake").raise

local attribute = {}

local refused -- the text of the newest refusal

local function refuse(format, ...)
  refused = format:format(...)
  mistake("%s", refused)
end

--- For parts: the text of an error that was raised here, without its place; nil for others.
---@param e any
---@return string?
function attribute.refusal(e)
  return refused and type(e) == "string" and e:sub(-#refused) == refused and refused or nil
end

--- For parts: what is wrong with attributes that their kind does not check: each is of the type of its default.
---@param attributes table
---@param defaults table `false` is none
---@return string?
function attribute.mistyped(attributes, defaults)
  local wrong
  for name, default in pairs(defaults) do
    local given = attributes[name]
    if default and type(given) ~= type(default) and (not wrong or name < wrong) then
      wrong = name
    end
  end
  return wrong and ("%s: a %s expected, got %s"):format(wrong, type(defaults[wrong]), tostring(attributes[wrong]))
end

--- Raises unless it is a number in a range.
---@param what string the argument, for the message
---@param given any
---@param least number
---@param most number
---@return number given
function attribute.check(what, given, least, most)
  if type(given) ~= "number" or not (given >= least and given <= most) then
    refuse("%s: %g to %g expected, got %s", what, least, most, tostring(given))
  end
  return given
end

--- An attribute that is a number in a range.
---@param part strobe.gpio.Part
---@param name string
---@param least number
---@param most number
---@return number
function attribute.number(part, name, least, most)
  return attribute.check(name, part.attributes[name], least, most)
end

--- An attribute that is one of a few words or numbers.
---@param part strobe.gpio.Part
---@param name string
---@param ... any what it may be
---@return any
function attribute.one_of(part, name, ...)
  local given, words = part.attributes[name], { ... }
  for i, word in ipairs(words) do
    if word == given then
      return given
    end
    words[i] = tostring(word)
  end
  refuse("%s: %s expected, got %s", name, table.concat(words, " or "), tostring(given))
end

--- An attribute that is a time, in seconds.
---@param part strobe.gpio.Part
---@param name string
---@return integer ns
function attribute.ns(part, name)
  local given = part.attributes[name]
  if not duration.valid(given) then
    refuse(duration.EXPECTED, name, tostring(given))
  end
  return duration.ns(name, given)
end

return attribute
