--- Long work by slices: others get their turn in between.

local time = require "strobe.core.time"

-- Seconds, real ones.
local LONGEST = 0.005

---@class strobe.attach.Slice
---@field private began number
local Slice = {}
Slice.__index = Slice

--- A slice that begins now.
---@return strobe.attach.Slice
function Slice.new()
  return setmetatable({ began = time.real() }, Slice)
end

--- Lets the others run if this slice has lasted for 5 ms. Between two pieces of work.
---@async
function Slice:rest()
  if time.real() - self.began > LONGEST then
    time.sleep(0)
    self.began = time.real()
  end
end

return Slice
