--- Warnings of steps that took long: a machine that is busy, or stands still for a while, makes any of them long.

local steps = {}

-- Steps of what a spec has not named itself.
local UNNAMED = { "strobe", "main", "Task%-%d+", "a callback" }

local function is_unnamed(name)
  for _, pattern in ipairs(UNNAMED) do
    if name:find("^" .. pattern .. "$") then
      return true
    end
  end
end

local function leave_out(text, is_meant)
  return (text:gsub("strobe: warning: ([^\n]-) ran %d+%.%d+ s without waiting[^\n]*\n", function(subject)
    return is_meant((subject:gsub("^%d+ more of: ", ""))) and "" or nil
  end))
end

--- What stderr says besides.
---@param text string
---@return string
function steps.left_out(text)
  return leave_out(text, function()
    return true
  end)
end

--- What stderr says besides, with those of tasks that have a name: a spec of such warnings gives them one.
---@param text string
---@return string
function steps.unnamed_left_out(text)
  return leave_out(text, is_unnamed)
end

return steps
