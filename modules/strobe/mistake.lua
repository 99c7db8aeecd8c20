--- A caller's mistake: an error that tells the caller's own line, however deep in strobe it is noticed.

local mistake = {}

-- What the names of all sources of strobe's modules begin with.
local OURS = debug.getinfo(1, "S").source:match "^(.*)mistake%.lua$"

local function callers_line()
  local level, info = 2
  repeat
    level = level + 1
    info = debug.getinfo(level, "Sl")
  until not info or info.currentline > 0 and info.source:sub(1, #OURS) ~= OURS
  return info and ("%s:%d: "):format(info.short_src, info.currentline) or ""
end

--- Raises.
---@param text string a format
---@param ... any
function mistake.raise(text, ...)
  error(callers_line() .. text:format(...), 0)
end

--- The options, an empty table when there are none; raises when they are something else.
---@param where string the function they were given to
---@param options any
---@return table
function mistake.options(where, options)
  if options ~= nil and type(options) ~= "table" then
    mistake.raise("%s: options: a table expected, got %s", where, type(options))
  end
  return options or {}
end

--- Raises when a value is of another type.
---@param where string the function it was given to
---@param name string the parameter's
---@param kind type
---@param value any
---@return any value
function mistake.expect(where, name, kind, value)
  if type(value) ~= kind then
    mistake.raise("%s: %s: a %s expected, got %s", where, name, kind, type(value))
  end
  return value
end

return mistake
