--- Modules that are not a unit's own: those of the runtime, and those in C. The process loads each once, and never
--- again; who changes one has to start the process anew.

local refusals = require "strobe.live.refusal"
local uv = require "luv"

---@class strobe.live.Native
---@field path string
---@field look string what the file was like when a unit required it first

local native = {}

---@type table<string, strobe.live.Native|false> by name; false: it has no file
local known = {}

-- nil when it is gone.
local function look(path)
  local stat = uv.fs_stat(path)
  return stat and ("%d %d %d.%09d"):format(stat.ino, stat.size, stat.mtime.sec, stat.mtime.nsec)
end

-- Where it came from, as the searchers say.
local function describe(name)
  for i = 2, #package.searchers do
    local loader, path = package.searchers[i](name)
    if type(loader) == "function" then
      local seen = type(path) == "string" and look(path)
      return seen and { path = path, look = seen } or false
    end
  end
  return false
end

--- Loads one, if it was not.
---@param name string
---@return any
function native.require(name)
  local value = require(name)
  if known[name] == nil then
    known[name] = describe(name)
  end
  return value
end

--- Raises a Refusal if the file of one is another than when it was loaded.
---@param name string
function native.check(name)
  local module = known[name]
  if module and look(module.path) ~= module.look then
    refusals.raise("native", ("%s has changed; the process runs what it was"):format(module.path), module.path .. ":1")
  end
end

return native
