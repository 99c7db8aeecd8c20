--- A caller's mistake: raised in the name of the first function on the way up that is not the board's own, so that
-- the place in the message is where the mistake is.

local HOME = debug.getinfo(1, "S").source:match "^(.*/)"

--- Raises the text.
---@param format string as string.format's
---@param ... any
return function(format, ...)
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and (info.what == "C" or info.source:sub(1, #HOME) == HOME) do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  error(format:format(...), level)
end
