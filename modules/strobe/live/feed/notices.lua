--- What a feed has to say: so many lines in so many seconds, and how many there were besides.

local time = require "strobe.core.time"

local MOST, WINDOW = 10, 10

---@class strobe.live.Notices
---@field log fun(level: string, text: string) where the lines go
---@field suppressed integer lines which nobody was told since the last
local Notices = {}
Notices.__index = Notices

---@param log fun(level: string, text: string)
---@return strobe.live.Notices
function Notices.new(log)
  return setmetatable({ log = log, suppressed = 0, told = 0, began = -math.huge }, Notices)
end

--- Tells how many lines were left out, if any were.
function Notices:flush()
  if self.suppressed > 0 then
    self.log("warning", ("%d more such lines within %g s; see the statistics"):format(self.suppressed, WINDOW))
    self.suppressed = 0
  end
end

--- Says something, unless too much has been said already.
---@param level "info"|"warning"|"error"
---@param text string a format
---@param ... any
function Notices:tell(level, text, ...)
  local now = time.real()
  if now - self.began >= WINDOW then
    self:flush()
    self.began, self.told = now, 0
  end
  if self.told < MOST then
    self.told = self.told + 1
    self.log(level, text:format(...))
  else
    self.suppressed = self.suppressed + 1
  end
end

return Notices
