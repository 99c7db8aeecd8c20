--- What a text in the debug console may go on with, as DAP tells it: the request `completions`.

local candidates = require "strobe.repl.candidates"
local dialects = require "strobe.debug.dialect"
local protocol = require "strobe.debug.protocol"

local completions = {}

-- What DAP has other names for.
local types = { global = "variable", word = "text", folder = "file" }

-- What code of the frame sees, as a table that one can look into. What is nil there has its name, too.
local function variables_of(frame)
  local globals = frame and frame:globals()
  local variables = setmetatable({}, { __index = type(globals) == "table" and globals or nil })
  for _, kind in ipairs(frame and { "upvalues", "locals" } or {}) do
    for _, variable in ipairs(frame[kind](frame)) do
      local is_nil = variable.value == nil
      variables[variable.name] = not is_nil and variable.value
    end
  end
  return variables
end

-- Where a line of the text begins, and the line.
local function line_of(text, number)
  local first = 1
  for _ = 2, number do
    first = (text:find("\n", first, true) or #text) + 1
  end
  return first, text:match("[^\n]*", first)
end

--- The candidates at a place of a text.
---@async
---@param text string
---@param place {line: integer, column: integer} the line from 1, the column as the client counts
---@param dialect strobe.debug.Dialect
---@param frame? strobe.debug.Frame whose variables may be meant
---@return table[] targets
function completions.at(text, place, dialect, frame)
  local list = protocol.list()
  local first, line = line_of(text, place.line)
  local cursor = first - 1 + dialect:bytes_before(line, place.column)
  local found = candidates.at(text, cursor, { variables = variables_of(frame) })
  if found.first < first then
    return list -- it began in a line before: columns cannot tell where
  end
  local start = dialect:column_behind(text:sub(first, found.first - 1))
  local length = dialects.units(text:sub(found.first, found.last))
  for i, candidate in ipairs(found.list) do
    list[i] = {
      label = candidate.text, type = types[candidate.kind] or candidate.kind, start = start, length = length,
      sortText = ("%04d"):format(i),
    }
  end
  return list
end

return completions
