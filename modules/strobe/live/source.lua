--- The files of a unit: read, looked at, and compiled.

local fs = require "strobe.async.fs"
local refusals = require "strobe.live.refusal"
local time = require "strobe.core.time"
local uv = require "luv"

---@class strobe.live.Source an immutable text
---@field path string absolute, as given: symlinks unresolved
---@field text string what Lua gets: without a byte order mark, the first line blank if it begins with #
---@field raw string  what the file has
---@field private chunk? function compiled, not executed yet

local sources = {}

local WORLD_MAY_WRITE = 2

--- As `read`, without waiting; for modules that are required where nobody can wait.
---@param path string
---@return string? raw
---@return string? look
function sources.read_now(path)
  local stat = uv.fs_stat(path)
  local file <close> = stat and stat.type == "file" and io.open(path, "rb") or nil
  if file then
    return file:read "a", ("%d %d %d.%09d"):format(stat.ino, stat.size, stat.mtime.sec, stat.mtime.nsec)
  end
end

--- Reads a file. A virtual clock would run away while a thread reads, so there it is read at once.
---@async
---@param path string
---@return string? raw nil when it is gone, or is no file
---@return string? look what tells this state of the file from another
function sources.read(path)
  if time.mode() == "virtual" then
    return sources.read_now(path)
  end
  local stat = fs.stat(path)
  local raw = stat and fs.read_file(path)
  if raw then
    return raw, ("%d %d %d"):format(stat.ino, stat.size, stat.mtime_ns)
  end
end

--- Whether there is a file of that name.
---@param path string
---@return boolean
function sources.exists(path)
  local stat = uv.fs_stat(path)
  return stat ~= nil and stat.type == "file"
end

-- A first line that begins with # is for the shell; its newline stays.
local function for_lua(raw)
  return (raw:gsub("^\u{FEFF}", ""):gsub("^#[^\r\n]*", ""))
end

-- Lua's name of a file in messages, which is cut when it is long.
local function short_name(path)
  return debug.getinfo(load("", "@" .. path), "S").short_src
end

--- The place in one of these files that a text names first: "/home/ada/mm.lua:12".
---@param text string a message, or a traceback
---@param paths table<string, any> the paths are its keys
---@return string?
function sources.place_in(text, paths)
  local at, place
  for path in pairs(paths) do
    local short = short_name(path)
    local from, to = text:find(short .. ":", 1, true)
    while from and not text:find("^%d+", to + 1) do
      from, to = text:find(short .. ":", to, true)
    end
    if from and (not at or from < at) then
      at, place = from, path .. ":" .. text:match("^%d+", to + 1)
    end
  end
  return place
end

--- Makes the source of a text that was read. Raises a Refusal for one that does not compile.
---@param path string
---@param raw string
---@return strobe.live.Source
function sources.new(path, raw)
  local text = for_lua(raw)
  if not text:find "%S" then
    refusals.raise("empty", path .. " is empty", path .. ":1")
  end
  local chunk, message = load(text, "@" .. path, "t")
  if not chunk then
    refusals.raise("syntax", message, sources.place_in(message, { [path] = true }) or path .. ":1")
  end
  return { path = path, text = text, raw = raw, chunk = chunk }
end

--- Its chunk, with these globals.
---@param source strobe.live.Source
---@param env table
---@return function
function sources.chunk(source, env)
  local chunk = source.chunk
  source.chunk = nil
  if not chunk then
    return assert(load(source.text, "@" .. source.path, "t", env))
  end
  debug.setupvalue(chunk, 1, env)
  return chunk
end

--- The names which a text requires as far as that can be seen.
---@param text string
---@return string[]
function sources.requires(text)
  local names = {}
  for name in text:gmatch "require%s*%(?%s*[\"']([%w_%.%-]+)[\"']" do
    names[#names + 1] = name
  end
  return names
end

local function is_below(path, folder)
  return path:sub(1, #folder + 1) == folder .. "/"
end

local function parent_of(path)
  return path:match "^(.*)/[^/]*$"
end

local function check_mode(path, what, place)
  local stat = uv.fs_stat(path)
  if stat and stat.mode & WORLD_MAY_WRITE ~= 0 then
    refusals.raise("perms", ("%s %s may be written by everybody"):format(what, path), place)
  end
end

--- Raises a Refusal for a file that is outside of where code may come from, or that others may change.
---@param path string
---@param roots string[] folders as they are given; what they are is looked up afresh
function sources.check_place(path, roots)
  local real = uv.fs_realpath(path)
  if not real then
    return -- reading tells
  end
  local inside = false
  for _, root in ipairs(roots) do
    local folder = uv.fs_realpath(root)
    inside = inside or folder and is_below(real, folder)
  end
  if not inside then
    refusals.raise("path", ("%s is %s, outside of %s"):format(path, real, roots[1]), path .. ":1")
  end
  local place = path .. ":1"
  check_mode(real, "the file", place)
  check_mode(parent_of(real), "the folder", place)
  if parent_of(path) ~= parent_of(real) then
    check_mode(parent_of(path), "the folder", place)
  end
end

return sources
