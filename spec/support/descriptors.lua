--- File descriptors in specs.

local uv = require "luv"

local MOST = 1024 -- no spec opens more

--- How many of them this process has open. Not by /proc, which a bare system may lack.
---@return integer
local function descriptors()
  local count = 0
  for fd = 0, MOST - 1 do
    count = count + (uv.fs_fstat(fd) and 1 or 0)
  end
  return count
end

return descriptors
