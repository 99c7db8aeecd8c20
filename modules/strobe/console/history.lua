--- What was typed, in a file: $XDG_STATE_HOME/strobe/history, one JSON string per line, so that an input of several
-- lines stays one. Consoles share it: each input is appended under a lock, and when the file has grown by a fifth over
-- its limit, it is written anew and renamed over.
--
-- Not kept: what repeats the last entry, and what begins with a blank, as keys and secrets should.

local json = require "strobe.json"
local lock = require("strobe.core.journal").lock
local uv = require "luv"

-- Entries that are kept; entries at which the file is written anew.
local MOST = 10000
local TOO_MANY = MOST + MOST // 5

local FILE_MODE, FOLDER_MODE = tonumber("600", 8), tonumber("700", 8)

-- Looks for a lock that another console has for a moment.
local ATTEMPTS = 3

---@class strobe.console.History
---@field path? string
---@field private pending string[] lines that are still to be written
---@field private count integer entries in the file, as far as we know
---@field private last? string entry
local History = {}
History.__index = History
History.__name = "history"

--- Where it is: $XDG_STATE_HOME/strobe/history, or ~/.local/state/strobe/history.
---@return string?
function History.default_path()
  local state, home = os.getenv "XDG_STATE_HOME" or "", os.getenv "HOME" or ""
  if state:sub(1, 1) ~= "/" then -- as its specification says of relative ones
    state = home ~= "" and home .. "/.local/state" or nil
  end
  return state and state .. "/strobe/history"
end

--- Makes one for a file, which may still have to be made.
---@param path? string nil: nothing is kept
---@return strobe.console.History
function History.new(path)
  return setmetatable({ path = path, pending = {}, count = 0 }, History)
end

-- --- Reading -------------------------------------------------------------------------------------

local function entries_in(text)
  local entries = {}
  for line in text:gmatch "[^\n]+" do
    local ok, entry = pcall(json.decode, line)
    if ok and type(entry) == "string" then
      entries[#entries + 1] = entry
    end
  end
  return entries
end

local function newest(entries)
  return table.move(entries, math.max(#entries - MOST, 0) + 1, #entries, 1, {})
end

local function read(path)
  local file, message, number = io.open(path, "rb")
  if not file then
    return nil, message, number
  end
  local text = file:read "a"
  file:close()
  return text or ""
end

local ENOENT = 2

--- Reads it: the entries, the oldest first. A line that is broken is passed over.
---@return string[] entries
---@return string? message why it cannot be read
function History:load()
  if not self.path then
    return {}, "there is no HOME"
  end
  local text, message, number = read(self.path)
  local entries = newest(entries_in(text or ""))
  self.count, self.last = #entries, entries[#entries]
  return entries, not text and number ~= ENOENT and message or nil
end

-- --- Writing -------------------------------------------------------------------------------------

-- The folder is for our eyes only; those above it are as they are, or as the user's umask has them.
local function make_folder(path)
  local folder = path:match "^(.*)/[^/]*$"
  if uv.fs_stat(folder) then
    return
  end
  for at in folder:gmatch "()/" do
    if at > 1 then
      uv.fs_mkdir(folder:sub(1, at - 1), FOLDER_MODE)
    end
  end
  uv.fs_mkdir(folder, FOLDER_MODE)
end

-- The file, locked; nil and why, "EAGAIN" when another console has it.
local function open_locked(path)
  for _ = 1, ATTEMPTS do
    local fd, message, code = uv.fs_open(path, "a+", FILE_MODE)
    if not fd then
      return nil, message, code
    end
    local ok
    ok, message, code = lock(fd)
    local here, there = uv.fs_fstat(fd), uv.fs_stat(path)
    if ok and here and there and here.ino == there.ino then
      return fd, nil, nil, here.size
    end
    uv.fs_close(fd) -- it was renamed over meanwhile, or is locked
    if not ok and code ~= "EAGAIN" then
      return nil, message, code
    end
  end
  return nil, "another process has it", "EAGAIN"
end

-- Writes anew what is to be kept, beside it, and puts that in its place; who waits for the lock sees that.
local function shorten(self)
  local text = read(self.path)
  local entries = entries_in(text or "")
  self.count = #entries
  if #entries <= TOO_MANY then
    return
  end
  entries = newest(entries)
  for i, entry in ipairs(entries) do
    entries[i] = json.encode(entry)
  end
  local beside = ("%s.%d"):format(self.path, uv.os_getpid())
  local fd = uv.fs_open(beside, "w", FILE_MODE)
  if fd then
    local written = uv.fs_write(fd, table.concat(entries, "\n") .. "\n")
    uv.fs_close(fd)
    if written then
      uv.fs_rename(beside, self.path)
      self.count = #entries
    else
      uv.fs_unlink(beside)
    end
  end
end

-- A line that somebody could not finish is not to spoil ours.
local function end_line(fd, size)
  local last = size > 0 and uv.fs_read(fd, 1, size - 1)
  if last and last ~= "\n" then
    return "\n"
  end
  return ""
end

--- Writes what is still to be written.
---@return boolean? done nil when it cannot be written, false when it is to be tried again later
---@return string? message
function History:flush()
  if #self.pending == 0 or not self.path then
    return true
  end
  make_folder(self.path)
  local fd, message, code, size = open_locked(self.path)
  if not fd then
    if code == "EAGAIN" then
      return false
    end
    return nil, message
  end
  local _, problem = uv.fs_write(fd, end_line(fd, size) .. table.concat(self.pending, "\n") .. "\n")
  self.count, self.pending = self.count + #self.pending, {}
  if self.count > TOO_MANY then
    shorten(self)
  end
  uv.fs_close(fd)
  return not problem or nil, problem
end

--- Whether an input is to be kept.
---@param text string
---@return boolean
function History:keeps(text)
  return not text:find "^%s" and text ~= "" and text ~= self.last
end

--- Keeps an input, unless it repeats the last one or begins with a blank.
---@param text string
---@return boolean? done as flush
---@return string? message
function History:append(text)
  if not self:keeps(text) then
    return true
  end
  self.last = text
  table.insert(self.pending, json.encode(text))
  return self:flush()
end

return History
