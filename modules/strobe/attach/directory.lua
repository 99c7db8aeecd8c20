--- Where the sockets of running processes are: $XDG_RUNTIME_DIR/strobe/PID.sock, or without that variable below
--- /tmp/strobe-UID.
--
-- Whoever reaches a socket can run code in the process, so the folder must be a real one, ours, and closed to all
-- others. A socket at which nobody listens was left by a process that was killed; who finds it removes it.

local host = require "strobe.core.host"
local net = require "strobe.net"
local uv = require "luv"

local directory = {}

-- Seconds from when a socket is there until its process must listen.
local STARTING = 10

-- What the kernel takes as the path of a socket.
local MOST_BYTES = 107
local ONLY_OURS, ALL_BITS = tonumber("700", 8), tonumber("777", 8)
local TEMPORARY = "/tmp"

-- A path of the variable counts only when it is absolute: XDG Base Directory Specification.
local function runtime_folder()
  local path = os.getenv "XDG_RUNTIME_DIR"
  return path and path:find "^/" and (path:gsub("/+$", "")) or nil
end

--- The folders in which sockets may be; the first is the one for a socket of our own.
---@return string[]
function directory.candidates()
  local list = { ("%s/strobe-%d"):format(TEMPORARY, uv.getuid()) }
  local folder = runtime_folder()
  if folder then
    table.insert(list, 1, folder .. "/strobe")
  end
  return list
end

-- What is wrong with a folder, if something is. `may_be_root` lets root look into others' folders.
local function check(path, may_be_root)
  local stat, message, code = uv.fs_lstat(path)
  if not stat then
    return message, code
  elseif stat.type ~= "directory" then
    return ("%s is a %s, not a folder"):format(path, stat.type), "ENOTDIR"
  elseif stat.uid ~= uv.getuid() and not (may_be_root and uv.getuid() == 0) then
    return ("%s belongs to user %d"):format(path, stat.uid), "EPERM"
  elseif stat.mode & ALL_BITS ~= ONLY_OURS then
    return ("%s is open to others: its mode is %o, and must be 700"):format(path, stat.mode & ALL_BITS), "EPERM"
  end
end

--- The folder for a socket of our own, made if need be.
---@return string? path
---@return string? message
---@return string? code "ENOTDIR" for a link or a file, "EPERM" for one that is not ours alone, …
function directory.open()
  local path = directory.candidates()[1]
  local made, message, code = uv.fs_mkdir(path, ONLY_OURS)
  if not made and code ~= "EEXIST" then
    return nil, message, code
  end
  message, code = check(path)
  if message then
    return nil, message, code
  end
  return path
end

--- The path of a process's socket in a folder.
---@param folder string
---@param pid integer
---@return string? path
---@return string? message
---@return string? code "ENAMETOOLONG"
function directory.socket(folder, pid)
  local path = ("%s/%d.sock"):format(folder, pid)
  if #path > MOST_BYTES then
    return nil, ("%s: the path of a socket has at most %d bytes, this one has %d"):format(path, MOST_BYTES, #path),
      "ENAMETOOLONG"
  end
  return path
end

-- Whether a process has made its socket just now, and is about to listen.
local function is_starting(path, stat)
  local pid = math.tointeger(tonumber(path:match "([1-9]%d*)%.sock$"))
  return pid ~= nil and pid ~= uv.os_getpid() and uv.kill(pid, 0) == 0 and os.time() - stat.ctime.sec <= STARTING
end

--- Connects to a socket. One at which nobody listens is removed, unless its process is just beginning to.
---@async
---@param path string
---@param timeout? number seconds
---@return strobe.Connection?
---@return string? message
---@return string? code "ENOENT", "ECONNREFUSED" when it was a stale one
function directory.connect(path, timeout)
  local before, message, code = uv.fs_lstat(path)
  if not before then
    return nil, message, code
  elseif before.type ~= "socket" then
    return nil, ("%s is a %s, not a socket"):format(path, before.type), "ENOTSOCK"
  end
  local stream
  stream, message, code = net.connect_unix(path, { timeout = timeout })
  if code == "ECONNREFUSED" then
    local now = uv.fs_lstat(path)
    local is_same = now and now.ino == before.ino -- else somebody has taken its place meanwhile
    if is_same and not is_starting(path, before) then
      uv.fs_unlink(path)
    end
  end
  return stream, message, code
end

local function add_sockets(list, folder)
  local entries = uv.fs_scandir(folder)
  while entries do
    local name = uv.fs_scandir_next(entries)
    if not name then
      break
    end
    local pid = math.tointeger(tonumber(name:match "^([1-9]%d*)%.sock$"))
    if pid then
      list[#list + 1] = { pid = pid, path = folder .. "/" .. name }
    end
  end
end

--- The sockets that there are, by pid; those at which nobody listens are among them. Folders that are not ours alone
--- are left out.
---@return {pid: integer, path: string}[]
function directory.list()
  local list = {}
  for _, folder in ipairs(directory.candidates()) do
    if not check(folder, true) then
      add_sockets(list, folder)
    end
  end
  table.sort(list, function(a, b)
    return a.pid < b.pid
  end)
  return list
end

-- Whether a process is one of ours, as far as the system tells.
local function is_strobe(pid)
  local path = uv.fs_readlink(("/proc/%d/exe"):format(pid))
  return path ~= nil and path:match "[^/]*$" == host.program:match "[^/]*$"
end

--- Connects to a process: to the first of its sockets at which it listens.
---@async
---@param pid integer
---@param timeout? number seconds
---@return strobe.Connection?
---@return string path of the socket; a message when there is no connection
---@return string? code "ESRCH" when there is no such process, "ETIMEDOUT"
function directory.reach(pid, timeout)
  local message = ("there is no process %d with a socket in %s"):format(pid,
    table.concat(directory.candidates(), " or "))
  if is_strobe(pid) then
    message = message .. "; it runs without one: a script has one by --attach=rw"
  end
  local code = "ESRCH"
  for _, entry in ipairs(directory.list()) do
    if entry.pid == pid then
      local stream
      stream, message, code = directory.connect(entry.path, timeout)
      if stream then
        return stream, entry.path
      elseif code == "ECONNREFUSED" or code == "ENOENT" then
        message, code = ("process %d has ended"):format(pid), "ESRCH"
      end
    end
  end
  return nil, message, code
end

return directory
