--- Test programs in C, which are built beside strobe.

local strobe = require("strobe.core.host").program

local program = {}

--- Runs one to its end. Skips the spec when it is not built.
---@param name string e.g. "base_test"
---@param ... string|number arguments without blanks
---@return string output of both kinds
---@return integer status
function program.run(name, ...)
  local path = strobe:gsub("[^/]*$", "") .. name
  local file = io.open(path)
  if not file then
    pending(("%s is not built: ninja %s"):format(name, name)) -- luacheck: globals pending
  end
  file:close()
  local pipe = assert(io.popen(("timeout 100 '%s' %s 2>&1"):format(path, table.concat({ ... }, " "))))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

return program
