--- What is given to parts is checked, so that a mistake is named: attributes as a part starts, arguments of methods.

local duration = require "strobe.gpio.duration"

local attribute = {}

--- Raises, in the name of the caller's caller, unless it is a number in a range.
---@param what string the argument, for the message
---@param given any
---@param least number
---@param most number
---@return number given
function attribute.check(what, given, least, most)
  if type(given) ~= "number" or not (given >= least and given <= most) then
    error(("%s: %g to %g expected, got %s"):format(what, least, most, tostring(given)), 3)
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
  error(("%s: %s expected, got %s"):format(name, table.concat(words, " or "), tostring(given)), 2)
end

--- An attribute that is a time, in seconds.
---@param part strobe.gpio.Part
---@param name string
---@return integer ns
function attribute.ns(part, name)
  return duration.ns(name, part.attributes[name])
end

return attribute
