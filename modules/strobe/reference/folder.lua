--- Writing what the reference is made into: a folder of files.

local fs = require "strobe.async.fs"

local folder = {}

--- Writes texts into files below a folder; folders that are not there are made.
---@async
---@param path string the folder
---@param texts table<string, string> by the files' names, which may have folders in them
---@return integer? count of files
---@return string? message
---@return string? code
function folder.write(path, texts)
  local count = 0
  for name, text in pairs(texts) do
    local file = path .. "/" .. name
    local ok, message, code = fs.mkdir(file:match "^(.*)/", { parents = true })
    if ok then
      ok, message, code = fs.write_file(file, text)
    end
    if not ok then
      return nil, message, code
    end
    count = count + 1
  end
  return count
end

return folder
