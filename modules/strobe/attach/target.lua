--- The process that a command is for: the one that is named, else the only one there is.

local ps = require "strobe.attach.ps"
local terminal = require "strobe.core.terminal"

-- Exit statuses: there is none; it is not clear which.
local MISSING, USAGE = 1, 2
local STDERR = 2

local target = {}

--- The number of a process as it was typed.
---@param word string
---@return integer?
function target.number(word)
  local pid = word:find "^%d+$" and math.tointeger(tonumber(word))
  return pid and pid > 0 and pid or nil
end

--- The process of a command line whose words are nothing but its number, or none.
---@param words string[]
---@return integer? pid nil also when none was named
---@return string? message when the words are no number of a process
function target.read(words)
  if #words > 1 then
    return nil, ("'%s' is one word too many"):format(words[2])
  elseif words[1] and not target.number(words[1]) then
    return nil, ("'%s' is no number of a process"):format(words[1])
  end
  return words[1] and target.number(words[1])
end

--- The only process there is.
---@async
---@return integer? pid
---@return string? message
---@return integer? status for the exit
function target.only()
  local list = ps.list()
  if #list == 0 then
    return nil, "no process runs that could be reached", MISSING
  elseif #list > 1 then
    return nil, "there are several processes, say which by its PID:\n" .. ps.text(list, terminal.size(STDERR)), USAGE
  end
  return list[1].pid
end

return target
