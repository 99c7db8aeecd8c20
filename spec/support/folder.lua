--- A folder of files that goes with its block: `local folder <close> = Folder.new { … }`.

local uv = require "luv"

---@class spec.Folder
---@field path string
local Folder = {}
Folder.__index = Folder
Folder.__name = "folder"

local function make_parents(root, name)
  for parent in name:gmatch "()/" do
    uv.fs_mkdir(root .. "/" .. name:sub(1, parent - 1), tonumber("755", 8))
  end
end

local function remove(path)
  local entries = uv.fs_scandir(path)
  while entries do
    local name, kind = uv.fs_scandir_next(entries)
    if not name then
      break
    elseif kind == "directory" then
      remove(path .. "/" .. name)
    else
      assert(uv.fs_unlink(path .. "/" .. name))
    end
  end
  local gone, message, code = uv.fs_rmdir(path)
  if code == "ENOTEMPTY" then -- somebody has made another file meanwhile
    return remove(path)
  end
  assert(gone, message)
end

--- A new folder in the system's folder for temporary files.
---@param files table<string, string> texts by names, which may have folders in them; a
--- name that ends with / is an empty folder
---@return spec.Folder
function Folder.new(files)
  local path = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/strobe-spec-XXXXXX"))
  for name, text in pairs(files) do
    make_parents(path, name)
    if not name:find "/$" then
      local file = assert(io.open(path .. "/" .. name, "w"))
      file:write(text)
      file:close()
    end
  end
  return setmetatable({ path = path }, Folder)
end

function Folder:__close()
  remove(self.path)
end

return Folder
