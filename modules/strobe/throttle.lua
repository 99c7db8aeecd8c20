--- Lines that are told once in a while, and counted in between.

local time = require "strobe.core.time"

-- Keys that are known at a time; beyond that all are forgotten, and told anew.
local MOST = 1000

---@class strobe.Throttle
---@field private window number real seconds
---@field private told table<string, {at: number, more: integer, text: string}>
---@field private count integer
local Throttle = {}
Throttle.__index = Throttle

--- Makes one.
---@param window number seconds, real ones, for which a key is not told again
---@return strobe.Throttle
function Throttle.new(window)
  return setmetatable({ window = window, told = {}, count = 0 }, Throttle)
end

--- Whether a line is to be told now.
---@param key string lines of the same key are the same
---@param text string by which it is known in `rest`
---@return boolean now
---@return integer more of it have been held back since it was told last
function Throttle:pass(key, text)
  local now, known = time.real(), self.told[key]
  if known and now - known.at < self.window then
    known.more = known.more + 1
    return false, 0
  elseif not known and self.count >= MOST then
    self.told, self.count = {}, 0
  end
  self.count = self.count + (known and 0 or 1)
  self.told[key] = { at = now, more = 0, text = text }
  return true, known and known.more or 0
end

--- What has been held back and not told since, the texts in order; it is forgotten.
---@return {text: string, more: integer}[]
function Throttle:rest()
  local list = {}
  for _, known in pairs(self.told) do
    if known.more > 0 then
      list[#list + 1] = { text = known.text, more = known.more }
      known.more = 0
    end
  end
  table.sort(list, function(a, b)
    return a.text < b.text
  end)
  return list
end

return Throttle
