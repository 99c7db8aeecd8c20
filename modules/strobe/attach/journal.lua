--- The last lines of the log, for those who come later.

local time = require "strobe.core.time"

local MOST = 200
local LEVELS = { debug = 1, info = 2, warning = 3, error = 4 }

---@class strobe.attach.LogLine
---@field time number seconds since 1970
---@field level string
---@field text string
---@field unit? string
---@field gen? integer
---@field seq? integer

---@class strobe.attach.Journal
---@field least "debug"|"info"|"warning"|"error" the lowest level it takes
---@field private count integer of all lines there were
local Journal = {}
Journal.__index = Journal

--- The levels by name: the higher, the worse.
Journal.LEVELS = LEVELS

--- Makes one, which is empty and keeps 200 lines.
---@return strobe.attach.Journal
function Journal.new()
  return setmetatable({ count = 0, least = "debug" }, Journal)
end

--- Takes a line, if its level is not too low.
---@param level "debug"|"info"|"warning"|"error"
---@param text string
---@param facts? {unit?: string, gen?: integer, seq?: integer}
function Journal:add(level, text, facts)
  if (LEVELS[level] or math.huge) < LEVELS[self.least] then
    return
  end
  facts = facts or {}
  self[self.count % MOST + 1] = {
    time = time.wall(), level = level, text = text, unit = facts.unit, gen = facts.gen, seq = facts.seq,
  }
  self.count = self.count + 1
end

--- The lines that are kept, the oldest first.
---@param least? string the lowest level wanted
---@return strobe.attach.LogLine[]
function Journal:lines(least)
  local lines, rank = {}, LEVELS[least] or 0
  for i = math.max(self.count - MOST, 0), self.count - 1 do
    local line = self[i % MOST + 1]
    if (LEVELS[line.level] or 0) >= rank then
      lines[#lines + 1] = line
    end
  end
  return lines
end

return Journal
