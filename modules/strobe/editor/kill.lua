--- The kill ring: what was cut away last, to be yanked back.

local MOST = 10

---@class strobe.editor.Kill
---@field private kills string[] the newest last
---@field private index integer the one that was yanked
local Kill = {}
Kill.__index = Kill

--- Makes an empty one.
---@return strobe.editor.Kill
function Kill.new()
  return setmetatable({ kills = {}, index = 0 }, Kill)
end

--- Adds a kill.
---@param text string
---@param join? "before"|"behind" it belongs to the newest one, on this side of it
function Kill:add(text, join)
  local newest = #self.kills
  if join and newest > 0 then
    local old = self.kills[newest]
    self.kills[newest] = join == "before" and text .. old or old .. text
  else
    self.kills[newest + 1] = text
    if newest == MOST then
      table.remove(self.kills, 1)
    end
  end
  self.index = #self.kills
end

--- The newest kill; nil when there is none.
---@return string?
function Kill:yank()
  self.index = #self.kills
  return self.kills[self.index]
end

--- The kill before the one that was yanked; before the oldest is the newest.
---@return string?
function Kill:rotate()
  self.index = self.index > 1 and self.index - 1 or #self.kills
  return self.kills[self.index]
end

return Kill
