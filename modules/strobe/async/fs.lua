--- Files and folders, without blocking the loop: libuv's threads do the work while the
-- task waits.
--
-- Failures come back as nil, a message that names the path, and the system's word:
-- "ENOENT", "EACCES", "ENOSPC", … A task that is cancelled leaves at once; what its
-- last request did on the disk may have happened or not, but nothing stays open.

local File = require "strobe.async.file"
local describe_stat = require("strobe.async.stat").describe
local mistake = require "strobe.mistake"
local request = require "strobe.async.request"
local uv = require "luv"

local fs = {}

local constants = uv.constants

-- Entries of a folder which are asked for at once, and those it may have.
local ENTRIES, MAX_ENTRIES = 128, 1000000

-- How often a name for a temporary file is looked for.
local ATTEMPTS = 8

local FILE_MODE, FOLDER_MODE = tonumber("666", 8), tonumber("777", 8)

local function check_path(where, path, level, name)
  name = name or "path"
  if type(path) ~= "string" or path == "" then
    local got = path == "" and "an empty string" or type(path)
    error(("%s: %s: a path expected, got %s"):format(where, name, got), level + 1)
  elseif path:find("\0", 1, true) then
    error(("%s: %s: a path has no NUL byte, as %q has"):format(where, name, path), level + 1)
  end
end

-- Permission bits of the options, or the default.
local function check_mode(where, options, default)
  local mode = options and options.mode
  if mode ~= nil and (math.type(mode) ~= "integer" or mode < 0 or mode > 0xFFF) then
    error(("%s: mode: permission bits expected, as tonumber(\"644\", 8), got %s"):format(where, tostring(mode)), 3)
  end
  return mode or default
end

local function check_data(where, data, level)
  if type(data) ~= "string" then
    error(("%s: data: a string expected, got %s"):format(where, type(data)), level + 1)
  end
end

-- The limit of the options, or the default.
local function check_limit(where, options, default)
  local limit = mistake.options(where, options).limit
  if limit == nil then
    return default
  elseif math.type(limit) ~= "integer" or limit < 0 then
    error(("%s: limit: a whole number of 0 or more expected, got %s"):format(where, tostring(limit)), 3)
  end
  return limit
end

-- A request about one path or two.
local function ask(verb, path, start, options)
  return request.run(verb .. " " .. path, start, options)
end

local read_write = constants.O_RDWR
local create = constants.O_CREAT | constants.O_TRUNC

local modes = {
  r = constants.O_RDONLY,
  ["r+"] = read_write,
  w = constants.O_WRONLY | create,
  ["w+"] = read_write | create,
  x = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  ["x+"] = read_write | constants.O_CREAT | constants.O_EXCL,
  a = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND,
  ["a+"] = read_write | constants.O_CREAT | constants.O_APPEND,
}

local function flags_of(mode)
  local flags = modes[type(mode) == "string" and mode:gsub("b", "", 1) or mode]
  if not flags then
    error(("fs.open: mode: \"r\", \"w\", \"a\" or \"x\", perhaps with +, expected, got %s"):format(tostring(mode)), 3)
  end
  return flags
end

--- Opens a file: `local file <close> = assert(fs.open("log.txt", "a"))`. It has the words of a
--- StreamReader, read, readline, readexactly, readuntil, lines and chunks, but returns what
--- that would raise; and read_all, write, seek, stat, sync, chmod and close. Folders and pipes
--- are refused; for pipes there is async.connect_read_pipe.
---@async
---@param path string
---@param mode? string as io.open's, and "x": a new file only ("r")
---@param options? {mode?: integer} permission bits of a new file, less the umask (octal 666)
---@return strobe.File?
---@return string? message
---@return string? code
function fs.open(path, mode, options)
  check_path("fs.open", path, 2)
  local permissions = check_mode("fs.open", options, FILE_MODE)
  local file, message, code = File.open(path, flags_of(mode or "r"), permissions)
  if not file then
    return nil, message, code
  end
  return file
end

--- The whole of a file. One larger than `limit` fails with "EFBIG".
---@async
---@param path string
---@param options? {limit?: integer} bytes (256 MiB)
---@return string? data
---@return string? message
---@return string? code
function fs.read_file(path, options)
  check_path("fs.read_file", path, 2)
  local limit = check_limit("fs.read_file", options, File.MAX_SIZE)
  local file <close>, stat, code = File.open(path, modes.r, 0)
  if not file then
    return nil, stat, code
  elseif stat.size > limit then
    return File.too_large(path, limit) -- without reading so much of it first
  end
  return file:read_all(limit)
end

local function write_and_close(file, data, sync)
  local ok, message, code = file:write(data)
  if ok and sync then
    ok, message, code = file:sync()
  end
  if not ok then
    file:close()
    return nil, message, code
  end
  return file:close()
end

local function random_name(path)
  local digits = uv.random(6):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  return ("%s.%s.tmp"):format(path, digits)
end

local function remove(path)
  request.detach(function(done)
    return uv.fs_unlink(path, done)
  end)
end

-- A file that is removed when its block is left, unless it was renamed.
local Temporary = {
  __close = function(temporary)
    if temporary.path then
      remove(temporary.path)
    end
  end,
}

-- A new file for it. The thread may make that when we have gone.
local function open_temporary(temporary, path, mode)
  local file, message, code
  for _ = 1, ATTEMPTS do
    local name = random_name(path)
    temporary.path = name
    file, message, code = File.open(name, modes.x, mode or FILE_MODE, function()
      remove(name)
    end)
    if file or code ~= "EEXIST" then
      break
    end
    temporary.path = nil -- it is not ours
  end
  return file, message, code
end

local function keep_mode(file, path)
  local stat = fs.stat(path)
  if stat then
    return file:chmod(stat.mode)
  end
  return true
end

local function replace(path, data, mode)
  local temporary <close> = setmetatable({}, Temporary)
  local file <close>, message, code = open_temporary(temporary, path, mode)
  if not file then
    return nil, message, code
  end
  local ok = true
  if not mode then
    ok, message, code = keep_mode(file, path)
  end
  if ok then
    ok, message, code = write_and_close(file, data, true)
  end
  if ok then
    ok, message, code = fs.rename(file.path, path)
  end
  if not ok then
    return nil, message, code
  end
  temporary.path = nil
  return true
end

---@class strobe.WriteOptions
---@field append? boolean keep what the file has
---@field mode? integer permission bits of a new file, less the umask (octal 666)
---@field atomic? boolean write a temporary file beside it, and rename that when it is whole and on the disk: whoever
---reads sees the old content or the new. A symbolic link is replaced by a file

--- Writes a whole file.
---@async
---@param path string
---@param data string
---@param options? strobe.WriteOptions
---@return true? done
---@return string? message
---@return string? code
function fs.write_file(path, data, options)
  check_path("fs.write_file", path, 2)
  check_data("fs.write_file", data, 2)
  options = options or {}
  local mode = check_mode("fs.write_file", options)
  if options.atomic and options.append then
    error("fs.write_file: atomic: what is appended cannot be atomic", 2)
  elseif options.atomic then
    return replace(path, data, mode)
  end
  local file <close>, message, code = File.open(path, options.append and modes.a or modes.w, mode or FILE_MODE)
  if not file then
    return nil, message, code
  end
  return write_and_close(file, data)
end

--- What there is to know of a file or folder: `type`, `size`, `mtime`, `mode` and so on.
--- os.stat
---@async
---@param path string
---@param options? {follow_symlinks?: boolean} false: of a symbolic link itself
---@return strobe.Stat?
---@return string? message
---@return string? code
function fs.stat(path, options)
  check_path("fs.stat", path, 2)
  options = mistake.options("fs.stat", options)
  local call = options.follow_symlinks == false and uv.fs_lstat or uv.fs_stat
  local stat, message, code = ask("stat", path, function(done)
    return call(path, done)
  end)
  if not stat then
    return nil, message, code
  end
  return describe_stat(stat)
end

--- The path without symbolic links, "." and "..". os.path.realpath
---@async
---@param path string
---@return string?
---@return string? message
---@return string? code
function fs.realpath(path)
  check_path("fs.realpath", path, 2)
  return ask("realpath", path, function(done)
    return uv.fs_realpath(path, done)
  end)
end

local function close_folder(folder)
  request.detach(function(done)
    return uv.fs_closedir(folder, done)
  end)
end

-- An open folder, which is closed at the end of its block, or by the last request.
local Folder = {
  __close = function(self)
    self.left = true
    if not self.reading then
      close_folder(self.handle)
    end
  end,
}

-- The next entries; an empty list at the end.
local function read_entries(folder, path)
  folder.reading = true
  local entries, message, code = ask("readdir", path, function(done)
    return uv.fs_readdir(folder.handle, done)
  end, {
    settled = function()
      folder.reading = false
      if folder.left then
        close_folder(folder.handle)
      end
    end,
  })
  if message then
    return nil, message, code
  end
  return entries or {} -- luv has nothing for the end
end

-- Some file systems do not say the type.
local function complete(entry, path)
  if not entry.type or entry.type == "unknown" then
    local stat = fs.stat(path .. "/" .. entry.name, { follow_symlinks = false })
    entry.type = stat and stat.type or "unknown"
  end
  return entry
end

local function read_folder(folder, path, limit)
  local list = {}
  while true do
    local entries, message, code = read_entries(folder, path)
    if not entries then
      return nil, message, code
    elseif #entries == 0 then
      return list
    elseif #list + #entries > limit then
      local reason = ("more than %d entries (give a higher limit)"):format(limit)
      return request.failed("readdir " .. path, reason, "EOVERFLOW")
    end
    for _, entry in ipairs(entries) do
      list[#list + 1] = complete(entry, path)
    end
  end
end

---@class strobe.Entry a name in a folder, as fs.readdir lists them
---@field name string
---@field type "file"|"directory"|"link"|"fifo"|"socket"|"char"|"block"|"unknown"

--- The entries of a folder, sorted by their names.
---@async
---@param path string
---@param options? {limit?: integer} entries it may have (1,000,000); more fail with "EOVERFLOW"
---@return strobe.Entry[]?
---@return string? message
---@return string? code
function fs.readdir(path, options)
  check_path("fs.readdir", path, 2)
  local limit = check_limit("fs.readdir", options, MAX_ENTRIES)
  local handle, message, code = request.run("readdir " .. path, function(done)
    return uv.fs_opendir(path, done, ENTRIES)
  end, { dispose = close_folder })
  if not handle then
    return nil, message, code
  end
  local folder <close> = setmetatable({ handle = handle }, Folder)
  local list
  list, message, code = read_folder(folder, path, limit)
  if not list then
    return nil, message, code
  end
  table.sort(list, function(a, b)
    return a.name < b.name
  end)
  return list
end

local function make_folder(path, mode)
  return ask("mkdir", path, function(done)
    return uv.fs_mkdir(path, mode, done)
  end)
end

-- All of the folders that a path names.
local function make_folders(path, mode)
  local ok, message, code = make_folder(path, mode)
  local parent = path:match "^(.*[^/])/+[^/]+/*$"
  if code == "ENOENT" and parent then
    ok, message, code = make_folders(parent, FOLDER_MODE)
    if ok then
      return make_folders(path, mode)
    end
  elseif code == "EEXIST" then
    local stat = fs.stat(path)
    ok = stat and stat.type == "directory" or nil
  end
  if not ok then
    return nil, message, code
  end
  return true
end

--- Makes a folder. With `parents` also those above it, and one that is there is right.
---@async
---@param path string
---@param options? {parents?: boolean, mode?: integer} permission bits, less the umask (octal 777)
---@return true? done
---@return string? message
---@return string? code
function fs.mkdir(path, options)
  check_path("fs.mkdir", path, 2)
  options = mistake.options("fs.mkdir", options)
  local make = options.parents and make_folders or make_folder
  return make(path, check_mode("fs.mkdir", options, FOLDER_MODE))
end

--- Removes an empty folder.
---@async
---@param path string
---@return true? done
---@return string? message
---@return string? code
function fs.rmdir(path)
  check_path("fs.rmdir", path, 2)
  return ask("rmdir", path, function(done)
    return uv.fs_rmdir(path, done)
  end)
end

--- Gives a file or folder another path, in the place of a file that has it.
---@async
---@param path string
---@param new_path string
---@return true? done
---@return string? message
---@return string? code
function fs.rename(path, new_path)
  check_path("fs.rename", path, 2)
  check_path("fs.rename", new_path, 2, "new_path")
  return ask("rename", ("%s to %s"):format(path, new_path), function(done)
    return uv.fs_rename(path, new_path, done)
  end)
end

--- Removes a file.
---@async
---@param path string
---@return true? done
---@return string? message
---@return string? code
function fs.unlink(path)
  check_path("fs.unlink", path, 2)
  return ask("unlink", path, function(done)
    return uv.fs_unlink(path, done)
  end)
end

--- Whether something has this path; a symbolic link that leads nowhere has not. os.path.exists
---@async
---@param path string
---@return boolean? exists nil when that cannot be known
---@return string? message
---@return string? code
function fs.exists(path)
  check_path("fs.exists", path, 2)
  local stat, message, code = fs.stat(path)
  if stat then
    return true
  elseif code == "ENOENT" or code == "ENOTDIR" or code == "ELOOP" then
    return false
  end
  return nil, message, code
end

--- Copies a file with its permission bits, over one that has the path. Not atomic: cancelled, a
--- part may be there. shutil.copy
---@async
---@param path string
---@param new_path string
---@return true? done
---@return string? message
---@return string? code
function fs.copyfile(path, new_path)
  check_path("fs.copyfile", path, 2)
  check_path("fs.copyfile", new_path, 2, "new_path")
  return ask("copy", ("%s to %s"):format(path, new_path), function(done)
    return uv.fs_copyfile(path, new_path, done)
  end)
end

--- Sets the permission bits of a file or folder. os.chmod
---@async
---@param path string
---@param mode integer
---@return true? done
---@return string? message
---@return string? code
function fs.chmod(path, mode)
  check_path("fs.chmod", path, 2)
  mode = check_mode("fs.chmod", { mode = mode }) or error("fs.chmod: mode: permission bits expected, got nil", 2)
  return ask("chmod", path, function(done)
    return uv.fs_chmod(path, mode, done)
  end)
end

--- Makes a new folder that only we can enter, in the system's folder for temporary files.
--- rmtree removes it. tempfile.mkdtemp
---@async
---@param prefix? string what its path begins with ("/tmp/strobe-")
---@return string? path
---@return string? message
---@return string? code
function fs.mkdtemp(prefix)
  prefix = prefix or (os.getenv "TMPDIR" or "/tmp") .. "/strobe-"
  check_path("fs.mkdtemp", prefix, 2, "prefix")
  return request.run("mkdtemp " .. prefix, function(done)
    return uv.fs_mkdtemp(prefix .. "XXXXXX", done)
  end, {
    dispose = function(path)
      request.detach(function(done)
        return uv.fs_rmdir(path, done)
      end)
    end,
  })
end

local function remove_tree(path)
  local entries, message, code = fs.readdir(path)
  for _, entry in ipairs(entries or {}) do
    local remove_entry = entry.type == "directory" and remove_tree or fs.unlink
    local ok
    ok, message, code = remove_entry(path .. "/" .. entry.name)
    if not ok and code ~= "ENOENT" then
      return nil, message, code
    end
  end
  if not entries then
    return nil, message, code
  end
  return fs.rmdir(path)
end

--- Removes a folder with all that is in it; symbolic links are removed, not followed.
--- shutil.rmtree
---@async
---@param path string
---@return true? done
---@return string? message
---@return string? code "ENOTDIR" for a file, and for a symbolic link
function fs.rmtree(path)
  check_path("fs.rmtree", path, 2)
  local stat, message, code = fs.stat(path, { follow_symlinks = false })
  if not stat then
    return nil, message, code
  elseif stat.type ~= "directory" then
    return request.failed("rmtree " .. path, "it is not a folder", "ENOTDIR")
  end
  return remove_tree(path)
end

--- Where a symbolic link leads. os.readlink
---@async
---@param path string
---@return string? target as it was given
---@return string? message
---@return string? code "EINVAL" for what is no link
function fs.readlink(path)
  check_path("fs.readlink", path, 2)
  return ask("readlink", path, function(done)
    return uv.fs_readlink(path, done)
  end)
end

--- Makes a symbolic link that leads to `target`. os.symlink
---@async
---@param target string what it says; it need not be there
---@param path string the link
---@return true? done
---@return string? message
---@return string? code
function fs.symlink(target, path)
  check_path("fs.symlink", target, 2, "target")
  check_path("fs.symlink", path, 2)
  return ask("symlink", ("%s to %s"):format(path, target), function(done)
    return uv.fs_symlink(target, path, done)
  end)
end

--- Watches files and folders: what changes in them, once for each path when it has settled, however it was saved.
---
--- `for change in fs.watch("src") do print(change.kind, change.path) end`
---
--- A path need not be there: its coming is a change. It leads where its symbolic links lead at
--- each look. Of a folder its entries are watched, with `recursive` those of its folders as well.
--- `watch:next()` and `watch:batch()` wait for a change, or all that settled together;
--- `watch:add(path)` and `watch:remove(path)` change what is watched; leaving the loop closes it.
--- Where the system cannot tell of changes, it is looked at every two seconds, and a warning says so.
---@async
---@param paths string|string[]
---@param options? strobe.WatchOptions
---@return strobe.Watch?
---@return string? message
---@return string? code "EOVERFLOW" for a folder with more entries than the limit
function fs.watch(paths, options)
  return require("strobe.async.watch").new(paths, options)
end

return fs
