--- What `acquire` returns: a closing value that releases at most once.

---@class strobe.Guard what acquire returns: a `<close>` value that releases it
---@field private held? table what is to be released, nil once it was
local Guard = {}
Guard.__index = Guard
Guard.__name = "guard"

--- A guard for something that was just acquired.
---@package
---@param held table anything with `release`
---@return strobe.Guard
function Guard.new(held)
  return setmetatable({ held = held }, Guard)
end

--- Releases before the end of the block; a second time does nothing.
function Guard:release()
  local held = self.held
  if held then
    self.held = nil
    held:release()
  end
end

Guard.__close = Guard.release

function Guard:__tostring()
  return ("<guard of %s>"):format(self.held and tostring(self.held) or "nothing: it was released")
end

return Guard
