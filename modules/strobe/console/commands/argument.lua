--- What a command takes where the cursor is: "TASK", "FILE", or Lua.

local commands = require "strobe.console.commands"

-- Those whose argument is Lua, which goes on to the line's end.
local takes_lua = { NAME = true, CODE = true, EXPR = true }

local argument = {}

-- The word for a command's n-th argument, "TASK" of "TASK [WHY]"; behind CODE there is nothing else.
local function kind_at(command, place)
  local count = 0
  for words in command.arguments:gmatch "%S+" do
    local word = words:match "%u+"
    count = count + 1
    if takes_lua[word] and count <= place or count == place then
      return word
    end
  end
end

--- What is asked for at the end of a line that is being typed.
---@param line string up to the cursor
---@return "COMMAND"|"LUA"|string|nil kind nil when nothing is
---@return string? part the end of the line that is about it
function argument.at(line)
  local name = line:match "^%s*:([%w_]*!?)$"
  if name then
    return "COMMAND", name
  end
  local rest
  name, rest = line:match "^%s*:(%a[%w_]*!?)%s+(.*)$"
  local command = name and commands.find(name)
  local kind = command and kind_at(command, select(2, rest:gsub("%S+%s+", "")) + 1)
  if takes_lua[kind] then
    return "LUA", rest
  end
  return kind, kind and rest:match "%S*$"
end

return argument
