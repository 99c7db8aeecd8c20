--- Test programs in C, which are built beside strobe.

local strobe = require("strobe.core.host").program

local program = {}

--- Runs one to its end.
---@param name string e.g. "base_test"
---@param ... string|number arguments without blanks
---@return string output of both kinds
---@return integer status
function program.run(name, ...)
  local path = strobe:gsub("[^/]*$", "") .. name
  local file = io.open(path)
  if not file then
    error(("%s is not there: build it as strobe was (ninja %s)"):format(path, name), 2)
  end
  file:close()
  local pipe = assert(io.popen(("timeout 100 '%s' %s 2>&1"):format(path, table.concat({ ... }, " "))))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

return program
