--- How a client writes places, as it says with `initialize` of DAP: lines and columns from 1 or from 0, columns in
--- UTF-16 units, files as paths or as URIs. We have lines from 1, bytes, and real paths.

local sources = require "strobe.debug.source"

---@class strobe.debug.Dialect
---@field private first_line integer
---@field private first_column integer
---@field private uris boolean
---@field private named table<string, string> how the client calls a file, by its real path: links may lead there
local Dialect = {}
Dialect.__index = Dialect

local dialects = {}

-- A character, or what is left of one: its first byte tells how many units it has.
local CHARACTER = "([^\x80-\xBF]?)[\x80-\xBF]*()"

-- Files whose names are kept.
local MOST_NAMED = 4096

--- Makes one, of what `initialize` says.
---@param arguments {linesStartAt1?: boolean, columnsStartAt1?: boolean, pathFormat?: string}
---@return strobe.debug.Dialect
function dialects.new(arguments)
  return setmetatable({
    first_line = arguments.linesStartAt1 == false and 0 or 1,
    first_column = arguments.columnsStartAt1 == false and 0 or 1,
    uris = arguments.pathFormat == "uri", named = {}, count = 0,
  }, Dialect)
end

-- --- Lines -----------------------------------------------------------------------------------------

--- Our number of a line of the client's.
---@param line integer
---@return integer
function Dialect:line(line)
  return line + 1 - self.first_line
end

--- The client's number of a line.
---@param line integer
---@return integer
function Dialect:told_line(line)
  return line - 1 + self.first_line
end

-- --- Files -----------------------------------------------------------------------------------------

local function path_of_uri(uri)
  local path = uri:match "^[Ff][Ii][Ll][Ee]://[^/]*(/.*)$"
  return path and path:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end) or uri
end

local function uri_of_path(path)
  return "file://" .. path:gsub("[^%w/._~-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end)
end

--- The path of a file, which from now on is told by this name.
---@param name string the client's
---@return string
function Dialect:path(name)
  local path = self.uris and path_of_uri(name) or name
  local real = sources.real(path)
  if real ~= path and not self.named[real] and self.count < MOST_NAMED then
    self.named[real], self.count = path, self.count + 1
  end
  return path
end

--- A file as the client calls it.
---@param path string
---@return {name: string, path: string}
function Dialect:source(path)
  path = self.named[path] or path
  return { name = path:match "[^/]*$", path = self.uris and uri_of_path(path) or path }
end

-- --- Columns ---------------------------------------------------------------------------------------

local function units_of(first_byte)
  return first_byte >= "\xF0" and 2 or 1
end

--- The UTF-16 units of a text.
---@param text string
---@return integer
function dialects.units(text)
  local units = 0
  for first_byte in text:gmatch "([^\x80-\xBF])[\x80-\xBF]*" do
    units = units + units_of(first_byte)
  end
  return units
end

--- How many bytes of a line are before a column of the client's. Behind the end of the line is its end.
---@param line string
---@param column integer
---@return integer
function Dialect:bytes_before(line, column)
  local left, bytes = column - self.first_column, 0
  while left > 0 and bytes < #line do
    local first_byte, next_byte = line:match(CHARACTER, bytes + 1)
    left, bytes = left - units_of(first_byte), next_byte - 1
  end
  return bytes
end

--- The client's column behind a text that a line begins with.
---@param text string
---@return integer
function Dialect:column_behind(text)
  return dialects.units(text) + self.first_column
end

return dialects
