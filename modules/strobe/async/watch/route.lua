--- The way to a path, symbolic link by symbolic link.
--
-- What a path leads to is decided by one name in each of several folders: that of every link
-- on the way, and that of the file itself. These folders are what a watch must watch; when a
-- part of the way is missing, the last living folder tells of its return.

local fs = require "strobe.async.fs"
local uv = require "luv"

local route = {}

-- As the system's limit.
local MOST_LINKS = 40

local function join(folder, name)
  return (folder == "/" and "" or folder) .. "/" .. name
end

-- The names in a path, the last first.
local function push_names(names, path)
  local at = #names + 1
  for name in path:gmatch "[^/]+" do
    table.insert(names, at, name)
  end
end

-- Where the link at a path leads, false if that is no link, nil if nothing is there. Each is
-- asked once for a memory.
local function read_link(path, memory)
  local known = memory[path]
  if not known then
    local target, _, code = fs.readlink(path)
    known = { target = target }
    if code == "EINVAL" then
      known.target = false
    end
    memory[path] = known
  end
  return known.target
end

--- Follows a path to its end.
---@async
---@param path string
---@param note fun(folder: string, name: string) called for each name that decides, with its real folder
---@param memory table what was found on earlier ways of the same look
---@return string? real where it ends; nil when there is nothing, or links go round in a circle
function route.follow(path, note, memory)
  local names, real, links = {}, "/", 0
  push_names(names, path)
  if path:sub(1, 1) ~= "/" then
    push_names(names, uv.cwd())
  end
  while #names > 0 do
    local name = table.remove(names)
    if name == ".." then
      real = real:match "^(.*)/" ~= "" and real:match "^(.*)/" or "/"
    elseif name ~= "." then
      local target = read_link(join(real, name), memory)
      if target or target == nil or #names == 0 then
        note(real, name)
      end
      links = links + (target and 1 or 0)
      if target == nil or links > MOST_LINKS then
        return nil
      elseif not target then
        real = join(real, name)
      else
        real = target:sub(1, 1) == "/" and "/" or real
        push_names(names, target)
      end
    end
  end
  return real
end

return route
