--- The files of a unit: found, read until nobody writes them any more, and compiled.

local fs = require "strobe.async.fs"
local refusals = require "strobe.live.refusal"
local time = require "strobe.core.time"

-- Seconds between two looks that have to agree, and how long they may not.
local BETWEEN, PATIENCE = 0.05, 1

---@class strobe.live.Source an immutable text
---@field path string absolute, as given: symlinks unresolved
---@field text string what Lua gets: without a byte order mark, the first line blank if it begins with #
---@field raw string  what the file has

local sources = { BETWEEN = BETWEEN }

local WORLD_MAY_WRITE = 2

-- nil when it is gone.
local function look(path)
  local stat = fs.stat(path)
  return stat and ("%d %d %d"):format(stat.ino, stat.size, stat.mtime_ns)
end

local function read_all(paths)
  local texts, looks = {}, {}
  for path in pairs(paths) do
    looks[path] = look(path)
    texts[path] = fs.read_file(path)
  end
  return texts, looks
end

-- The first path of which the two readings differ, or which one lacks.
local function disagreement(paths, a, b)
  for path in pairs(paths) do
    if not (a.texts[path] and b.texts[path]) then
      return path, "missing"
    elseif a.texts[path] ~= b.texts[path] or a.looks[path] ~= b.looks[path] then
      return path, "unstable"
    end
  end
end

local function reading(paths)
  local texts, looks = read_all(paths)
  return { texts = texts, looks = looks }
end

local reasons = {
  missing = "%s: no such file, or it cannot be read",
  unstable = "%s is still being written",
}

--- Reads files until two readings agree.
---@async
---@param paths table<string, any> the paths are its keys
---@return table<string, string> texts
function sources.read(paths)
  local deadline = time.now() + PATIENCE
  local last = reading(paths)
  while true do
    time.sleep(BETWEEN)
    local now = reading(paths)
    local path, code = disagreement(paths, last, now)
    if not path then
      return now.texts
    elseif time.now() >= deadline then
      refusals.raise(code, reasons[code]:format(path), path .. ":1")
    end
    last = now
  end
end

-- A first line that begins with # is for the shell; its newline stays.
local function for_lua(raw)
  return (raw:gsub("^\u{FEFF}", ""):gsub("^#[^\n]*", ""))
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
    local line = message:match(":(%d+):") or "1"
    refusals.raise("syntax", message, path .. ":" .. line)
  end
  return { path = path, text = text, raw = raw }
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

local function check_mode(path, what)
  local stat = fs.stat(path)
  if stat and stat.mode & WORLD_MAY_WRITE ~= 0 then
    refusals.raise("perms", ("%s %s may be written by everybody"):format(what, path), path .. ":1")
  end
end

--- Raises a Refusal for a file that is outside of where code may come from, or that others may change.
---@async
---@param path string
---@param roots string[] folders as they are given
function sources.check_place(path, roots)
  local real = fs.realpath(path)
  if not real then
    return -- reading tells
  end
  local inside = false
  for _, root in ipairs(roots) do
    local folder = fs.realpath(root)
    inside = inside or folder and is_below(real, folder)
  end
  if not inside then
    refusals.raise("path", ("%s is %s, outside of %s"):format(path, real, roots[1]), path .. ":1")
  end
  check_mode(real, "the file")
  check_mode(parent_of(real), "the folder")
end

return sources
