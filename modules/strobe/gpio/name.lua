--- Names of boards, parts and pins, and what is said of those that are none.

local mistake = require("strobe.mistake").raise

local names = {}

names.LONGEST = 63 -- bytes, in the engine

local MANY = 12 -- names in a message

--- Raises unless it may name something: a dot is between a part and its pin.
---@param what string the argument, for the message
---@param name any
function names.check(what, name)
  if type(name) ~= "string" or not name:find "^[^.%c]+$" or #name > names.LONGEST // 2 then
    local text = "%s: a name of up to %d bytes without a dot expected, got %s"
    mistake(text, what, names.LONGEST // 2, tostring(name))
  end
end

--- Raises unless it may name a pin of a part, where a dot is as good as any other character.
---@param what string the argument, for the message
---@param name any
function names.check_pin(what, name)
  if type(name) ~= "string" or not name:find "^[^%c]+$" or #name > names.LONGEST // 2 then
    mistake("%s: a name of up to %d bytes expected, got %s", what, names.LONGEST // 2, tostring(name))
  end
end

--- The names of a list of things that have one, for a message.
---@param list {name: string}[]
---@return string
function names.list(list)
  local some = {}
  for i = 1, math.min(#list, MANY) do
    some[i] = type(list[i]) == "table" and list[i].name or list[i]
  end
  if #list > MANY then
    some[#some + 1] = ("… (%d in all)"):format(#list)
  end
  return #some > 0 and table.concat(some, ", ") or "none"
end

--- The names that a table has, in order, for a message.
---@param set table<string, any>
---@return string
function names.keys(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return names.list(list)
end

--- Why there is no pin of that name.
---@param board strobe.gpio.Board
---@param name any
---@return string
function names.no_pin(board, name)
  local part_name, pin = tostring(name):match "^(.-)%.(.+)$"
  local its = board.parts[part_name]
  if its then
    return ("part %s (%s) on board %s has no pin %s; it has %s"):format(
      part_name, its.kind, board.name, pin, names.list(its.pins))
  elseif part_name then
    return ("board %s has no part %s; it has %s"):format(board.name, part_name, names.list(board.parts))
  end
  return ("board %s has no pin %s; it has %s"):format(board.name, tostring(name), names.list(board.pins))
end

return names
