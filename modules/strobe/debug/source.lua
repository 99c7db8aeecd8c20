--- The files that are debugged: one number for each, whatever its chunks are called, and the lines that have code.

local compiler = require "strobe.compiler"
local report = require "strobe.report"
local uv = require "luv"

---@class strobe.debug.Sources
---@field private numbers table<string, integer> by the file's real path
---@field private paths string[] by number
---@field private chunks table<string, integer|false> by the name of a chunk
local Sources = {}
Sources.__index = Sources

local sources = {}

-- Files that are told apart.
local MOST = 4096

---@return strobe.debug.Sources
function sources.new()
  return setmetatable({ numbers = {}, paths = {}, chunks = {} }, Sources)
end

--- The real path of a file, or the path itself when there is none.
---@param path string
---@return string
function sources.real(path)
  return uv.fs_realpath(path) or path
end

--- The number of a file; nil when there are too many.
---@param path string
---@return integer?
function Sources:number(path)
  path = sources.real(path)
  local number = self.numbers[path]
  if not number and #self.paths < MOST then
    number = #self.paths + 1
    self.numbers[path], self.paths[number] = number, path
  end
  return number
end

--- The path of a file.
---@param number integer
---@return string
function Sources:path(number)
  return self.paths[number]
end

local function absolute(path)
  return path:find "^/" and path or uv.cwd() .. "/" .. path
end

-- Paths by the names of chunks; false for those that have none.
local known, count = {}, 0

--- The path of the file of a chunk; nil for one that is none of the user's, or in no file.
---@param chunk string its name, "@/home/me/mm.lua"
---@return string?
function sources.path_of(chunk)
  local path = known[chunk]
  if path == nil then
    path = chunk:match "^@(.+)"
    path = path and not report.is_ours(path) and uv.fs_realpath(absolute(path)) or false
    known[chunk], count = path, count + 1
    if count > MOST then
      known, count = {}, 0
    end
  end
  return path or nil
end

--- The number of a chunk's file.
---@param chunk string
---@return integer?
---@return boolean is_new it was not asked for before
function Sources:resolve(chunk)
  local number, is_new = self.chunks[chunk], false
  if number == nil then
    local path = sources.path_of(chunk)
    number, is_new = path and self:number(path) or false, true
    self.chunks[chunk] = number
  end
  return number or nil, is_new
end

--- Calls f with the number of each file.
---@param f fun(number: integer)
function Sources:each(f)
  for number = 1, #self.paths do
    f(number)
  end
end

--- The text of a file.
---@param path string
---@return string? text
---@return string? message
function sources.text(path)
  local file <close>, message = io.open(path, "rb")
  if not file then
    return nil, message
  end
  return file:read "a"
end

--- What changes when a file is written.
---@param path string
---@return string
function sources.stamp(path)
  local stat = uv.fs_stat(path)
  return stat and ("%d %d %d %d"):format(stat.size, stat.mtime.sec, stat.mtime.nsec, stat.ino) or ""
end

--- The lines of a file at which code begins; nil with a message when there are none.
---@param path string
---@return (fun(line: integer): integer?)? next_line the first one from a line on
---@return string? message
function sources.lines(path)
  local text, message = sources.text(path)
  if not text then
    return nil, message
  end
  local chunk
  chunk, message = load(text:gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", ""), "@" .. path, "t")
  if not chunk then
    return nil, message
  end
  local lines = compiler.lines(chunk)
  local _, last = text:gsub("\n", "")
  return function(line)
    line = math.max(line, 1)
    while lines and not lines[line] do
      line = line + 1
      if line > last + 1 then
        return nil
      end
    end
    return line
  end
end

--- The name of the function whose text begins at a line, as that line says it.
---@param path string
---@param line integer
---@return string?
function sources.name_at(path, line)
  local number = 0
  for text in (sources.text(path) or ""):gmatch "([^\n]*)\n?" do
    number = number + 1
    if number == line then
      return text:match "function%s+([%w_.:]+)%s*%(" or text:match "([%w_.]+)%s*=%s*function%f[^%w_]"
    end
  end
end

-- How a function of a name is written down. The name may be its last part only.
local function definitions(name)
  local word = name:gsub("%p", "%%%0")
  return {
    "^%s*function%s+" .. word .. "%s*%(", "^%s*local%s+function%s+" .. word .. "%s*%(",
    "^%s*function%s+[%w_.:]*[.:]" .. word .. "%s*%(", "^%s*" .. word .. "%s*=%s*function%f[^%w_]",
    "^%s*local%s+" .. word .. "%s*=%s*function%f[^%w_]", "^%s*[%w_.]*%." .. word .. "%s*=%s*function%f[^%w_]",
    "[{,]%s*" .. word .. "%s*=%s*function%f[^%w_]",
  }
end

local function defines(line, patterns)
  for _, pattern in ipairs(patterns) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

--- The first lines of code in the functions of that name in a file.
---@param path string
---@param name string "on_event", "M.on_event", "Class:method"
---@return integer[]
function sources.functions(path, name)
  local text, next_line = sources.text(path), sources.lines(path)
  local found, number, patterns = {}, 0, definitions(name)
  for line in (text and next_line and text .. "\n" or ""):gmatch "([^\n]*)\n" do
    number = number + 1
    if defines(line, patterns) then
      found[#found + 1] = next_line(line:find "%f[%w_]end%f[^%w_]" and number or number + 1)
    end
  end
  return found
end

return sources
