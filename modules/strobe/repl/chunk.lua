--- The texts from which code was loaded: inputs of the console, files of units as they were loaded, strobe's own
--- modules, and files as they are now.

local host = require "strobe.core.host"
local uv = require "luv"

-- Bytes of a file that is read for a line of it.
local MOST_READ = 1024 * 1024

local chunks = {}

local function short_name(path)
  return debug.getinfo(load("", "@" .. path), "S").short_src
end

-- The generations of a unit that may run, the newest first.
local function generations_of(unit)
  local list = {}
  list[1] = unit.run and unit.run.generation or nil
  list[#list + 1] = unit.probation and unit.probation.before or nil
  return list
end

local function unit_text(runtime, name)
  for _, unit in ipairs(runtime and runtime.order or {}) do
    for _, generation in ipairs(generations_of(unit)) do
      for path, source in pairs(generation.graph.sources) do
        if path == name or short_name(path) == name then
          return source.text
        end
      end
    end
  end
end

local function module_text(name)
  local path = name:match "^strobe:(.*)$" or name:match ".*(modules/strobe/.*)$"
  return path and (host.embedded(path))
end

local function file_text(path)
  local stat = uv.fs_stat(path)
  if not stat or stat.type ~= "file" or stat.size > MOST_READ then
    return nil
  end
  local file <close> = io.open(path, "rb")
  return file and file:read "a" or nil
end

--- The text of a chunk.
---@param name string "@FILE" or "=NAME" as debug.getinfo's source, or its short_src
---@param session {texts?: table<string, string>, runtime?: strobe.live.Runtime} the console's inputs, the units
---@return string?
function chunks.text(name, session)
  name = name:gsub("^[@=]", "")
  return session.texts and session.texts[name] or unit_text(session.runtime, name) or file_text(name)
    or module_text(name)
end

--- A line of a text; nil when there is none.
---@param text string
---@param number integer
---@return string?
function chunks.line(text, number)
  local count = 0
  for line in (text .. "\n"):gmatch "([^\r\n]*)\r?\n" do
    count = count + 1
    if count == number then
      return line
    end
  end
end

return chunks
