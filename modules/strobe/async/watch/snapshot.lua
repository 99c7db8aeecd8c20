--- What is there: the state of a file, or of the files of a folder, to compare with later.
--
-- A snapshot is a table by path of {state, digest}: `state` is type, size, time, inode and
-- device in one string.

local fs = require "strobe.async.fs"
local route = require "strobe.async.watch.route"

local snapshot = {}

-- Larger files are compared by their state alone.
local MAX_CONTENT, CHUNK = 16 * 1024 * 1024, 256 * 1024

local PRIME = 0x100000001b3

local WORDS, SIZE = "<" .. ("i8"):rep(8), 64

-- Mixes a chunk into a hash. Against accidents, not malice.
local function mix(hash, chunk)
  local text = chunk .. ("\0"):rep(-#chunk % SIZE)
  for at = 1, #text, SIZE do
    local words = table.pack(string.unpack(WORDS, text, at))
    for i = 1, 8 do
      hash = (hash ~ words[i]) * PRIME
      hash = hash ~ (hash >> 29)
    end
  end
  return hash * PRIME ~ #chunk
end

-- A digest of what a file has in it, or nil when it is too large, or cannot be read.
local function digest_of(path)
  local file <close> = fs.open(path)
  local hash, size = 0, 0
  local chunk = file and file:read(CHUNK)
  while chunk and chunk ~= "" do
    hash, size = mix(hash, chunk), size + #chunk
    if size > MAX_CONTENT then
      return nil
    end
    chunk = file:read(CHUNK)
  end
  return chunk and hash
end

-- The same for all folders, which change when a file in them comes or goes.
local function state_of(stat)
  if stat.type == "directory" then
    return stat.type
  end
  return ("%s %d %d %d %d"):format(stat.type, stat.size, stat.mtime_ns, stat.ino, stat.dev)
end

local missing = { ENOENT = true, ENOTDIR = true, ELOOP = true }

-- The stat of what a path leads to; a link that leads nowhere is itself. nil when there is
-- nothing; false when that cannot be known.
local function stat_of(path, is_entry)
  local stat, _, code = fs.stat(path)
  if not stat and missing[code] and is_entry then
    stat, _, code = fs.stat(path, { follow_symlinks = false })
  end
  return stat or not missing[code] and false or nil
end

-- Adds a path to a snapshot; returns its stat. What cannot be known is as it was.
local function add(look, path, is_entry)
  local stat, before = stat_of(path, is_entry), look.before[path]
  if not stat then
    look.seen[path] = stat == false and before or nil
    return nil
  end
  local state = state_of(stat)
  local is_same = before and before.state == state
  look.seen[path] = is_same and before or {
    state = state,
    digest = look.options.content and stat.type == "file" and digest_of(path) or nil,
  }
  return stat
end

-- A folder that cannot be read has the entries it had. nil, message, code for one too large.
local function entries_of(look, path)
  local entries, message, code = fs.readdir(path, { limit = look.options.limit - look.count })
  if code == "EOVERFLOW" then
    return nil, message, code
  elseif not entries and not missing[code] then
    for known, entry in pairs(look.before) do
      look.seen[known] = known:sub(1, #path + 1) == path .. "/" and entry or look.seen[known]
    end
  end
  look.count = look.count + #(entries or {})
  return entries or {}
end

-- `real` is the folder's path without links. Returns a message and its code when it is too large.
local function add_folder(look, path, real)
  look.note(real)
  local entries, message, code = entries_of(look, path)
  for _, entry in ipairs(entries or {}) do
    local inner = (path:gsub("/+$", "")) .. "/" .. entry.name
    local is_ignored = look.options.is_ignored(entry.name)
    if not is_ignored then
      add(look, inner, true)
    end
    if not is_ignored and not message and entry.type == "directory" and look.options.recursive then
      message, code = add_folder(look, inner, (real == "/" and "" or real) .. "/" .. entry.name)
    end
  end
  return message, code
end

--- Looks at a file or folder.
---@async
---@param path string
---@param before table an earlier snapshot
---@param options {content?: boolean, recursive?: boolean, limit: integer, is_ignored: fun(name: string): boolean}
---@param note fun(folder: string, name?: string) called for each name that decides what the path leads to; without a
---name: all in this folder do
---@param memory table what was found at other paths in the same look
---@return table? seen
---@return string? message
---@return string? code "EOVERFLOW" for more than `limit` entries
function snapshot.take(path, before, options, note, memory)
  local look = { seen = {}, before = before, options = options, note = note, count = 0 }
  local real = route.follow(path, note, memory)
  local stat = add(look, path)
  if real and stat and stat.type == "directory" then
    local message, code = add_folder(look, path, real)
    if message then
      return nil, message, code
    end
  end
  return look.seen
end

local function is_same(a, b)
  return a.state == b.state or a.digest ~= nil and a.digest == b.digest
end

--- What has changed from one snapshot to another.
---@param before table
---@param after table
---@param found table<string, string> gets the kinds of changes by path: "created", "modified", "deleted"
function snapshot.compare(before, after, found)
  for path, entry in pairs(after) do
    if not before[path] then
      found[path] = "created"
    elseif not is_same(before[path], entry) then
      found[path] = "modified"
    end
  end
  for path in pairs(before) do
    if not after[path] then
      found[path] = "deleted"
    end
  end
end

return snapshot
