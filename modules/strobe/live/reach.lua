--- What a unit's files on the disk are made of: those that its file requires, as far as that can be seen.
--
-- Nothing is loaded. A file that is missing counts as well: that it is written may be what is waited for.

local fs = require "strobe.async.fs"
local sources = require "strobe.live.source"

-- Notes the files that may be the module of a name, up to the one that is; returns that.
local function resolve(folders, name, texts, paths)
  local part = name:gsub("%.", "/")
  for _, folder in ipairs(folders) do
    for _, form in ipairs { "/%s.lua", "/%s/init.lua" } do
      local path = folder .. form:format(part)
      paths[path] = true
      texts[path] = texts[path] or fs.read_file(path)
      if texts[path] then
        return path
      end
    end
  end
end

--- The texts that a file reaches, its own among them, and the paths that decide what these are.
---@async
---@param folders string[] where modules are looked for
---@param root string the unit's file
---@return table<string, string> texts by path
---@return table<string, true> paths
local function reach(folders, root)
  local texts, paths, pending, seen = { [root] = fs.read_file(root) }, { [root] = true }, { root }, { [root] = true }
  while #pending > 0 do
    local text = texts[table.remove(pending)]
    for _, name in ipairs(text and sources.requires(text) or {}) do
      local path = resolve(folders, name, texts, paths)
      if path and not seen[path] then
        seen[path] = true
        pending[#pending + 1] = path
      end
    end
  end
  return texts, paths
end

return reach
