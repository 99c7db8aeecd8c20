--- Paths as they are typed behind a command.

local path = {}

--- A path whose ~/ is the user's home, as a shell has it. os.path.expanduser.
---@param typed string
---@return string
function path.expand(typed)
  local home = os.getenv "HOME"
  return home and (typed:gsub("^~/", (home:gsub("%%", "%%%%")) .. "/")) or typed
end

return path
