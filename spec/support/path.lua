--- Paths in the system's folder for temporary files.

local path = {}

--- A path at which there is nothing.
---@return string
function path.free()
  local name = os.tmpname()
  os.remove(name)
  return name
end

return path
