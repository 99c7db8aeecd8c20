--- A caller's mistake: raised in the name of the first function on the way up that is not the board's own, so that
-- the place in the message is where the mistake is.

local HOME = debug.getinfo(1, "S").source:match "^(.*/)"

--- Raises the text.
---@param format string as string.format's
---@param ... any
return function(format, ...)
  local level, info = 1, nil
  repeat
    level = level + 1
    info = debug.getinfo(level, "S")
  until not info or info.what ~= "C" and info.source:sub(1, #HOME) ~= HOME
  error(format:format(...), level)
end
