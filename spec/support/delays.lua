--- Warnings of delays: a machine that is busy, or stands still for a while, makes any step long and any timer late.

local delays = {}

-- Steps of what a spec has not named itself.
local UNNAMED = { "strobe", "main", "Task%-%d+", "a callback" }

local function is_unnamed(name)
  for _, pattern in ipairs(UNNAMED) do
    if name:find("^" .. pattern .. "$") then
      return true
    end
  end
end

local function without_long_steps(text, is_meant)
  return (text:gsub("strobe: warning: ([^\n]-) ran %d+%.%d+ s without waiting[^\n]*\n", function(subject)
    return is_meant((subject:gsub("^%d+ more of: ", ""))) and "" or nil
  end))
end

--- What stderr, or a screen, says besides.
---@param text string
---@return string
function delays.left_out(text)
  local rest = without_long_steps(text, function()
    return true
  end)
  return (rest:gsub("strobe: warning: [^\n]-a timer is late by %d+ ms[^\n]*\n", ""))
end

--- What stderr says besides, with long steps of tasks that have a name: a spec of such warnings gives them one.
---@param text string
---@return string
function delays.unnamed_left_out(text)
  return without_long_steps(text, is_unnamed)
end

return delays
