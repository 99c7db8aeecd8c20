--- Watching files and folders: what fs.watch returns.
--
-- Editors save in many ways: in place, by another file that is renamed over, by moving the old
-- one away. So folders are watched and not files, an event only means "look again", and a
-- change is what differs from the look before: one for a save, whatever the system has told of
-- it. What it has not told is seen by a look every two seconds.
--
-- Nothing runs between two calls of `next`: what happens meanwhile is one change for each path
-- at the next look. A watch promises no input: under the virtual clock time does not wait for
-- it, but an event that is there comes before time moves on.

local Notifier = require "strobe.async.watch.notifier"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local fs = require "strobe.async.fs"
local snapshot = require "strobe.async.watch.snapshot"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"

-- Seconds of silence after which something has settled, at most, and between looks.
local DEBOUNCE, MOST, POLL = 0.1, 1, 2

-- Looks take at most this part of the time.
local SHARE = 0.02

-- Entries of a folder, with those of its folders.
local LIMIT = 100000

-- The clock counts nanoseconds: times nearer than half of one are the same.
local SAME = 5e-10

-- How often one looks again because folders were found that were not watched.
local MOST_LOOKS = 10

-- What editors leave beside a file for a moment.
local leavings = { "^4913$", "%.sw[a-z]$", "~$", "^%.#", "^#.*#$" }

---@class strobe.WatchOptions
---@field recursive? boolean also the folders in a folder, but not through symbolic links
---@field content? boolean a file with the same content has not changed, whatever its time; reads files up to 16 MiB
---@field ignore? string[]|fun(name: string): boolean Lua patterns for names in folders which do not count, beside those
---editors leave: 4913, *.swp, *~, .#*, #*#
---@field debounce? number seconds of silence until a change has settled (0.1)
---@field most? number seconds it is waited for that at most (1)
---@field poll? number seconds between looks that nothing has asked for (2)
---@field limit? integer entries a folder may have, with those in its folders (100,000)

---@class strobe.Change
---@field path string as it was given; in a folder, that with the name
---@field kind "created"|"modified"|"deleted"

---@class strobe.Watch
---@field private roots table<string, {path: string, seen: table}>
---@field private pending strobe.Change[] changes that were seen and not yet returned
---@field private notifier strobe.Notifier
---@field private options table
---@field private looked? number when; nil: at once
---@field private period number seconds to the next look
---@field private busy boolean a task waits
---@field private closed boolean
---@field private warned boolean
local Watch = {}
Watch.__index = Watch
Watch.__name = "watch"

-- --- Options ----------------------------------------------------------------------------------

local function check_seconds(name, value, default)
  if value == nil then
    return default
  elseif type(value) ~= "number" or value ~= value or value < 0 then
    error(("fs.watch: %s: a number of seconds expected, got %s"):format(name, tostring(value)), 4)
  end
  return value
end

local function matches_any(patterns, name)
  for _, pattern in ipairs(patterns) do
    if name:find(pattern) then
      return true
    end
  end
  return false
end

local function ignorer(ignore)
  if ignore == nil then
    ignore = {}
  elseif type(ignore) ~= "table" and type(ignore) ~= "function" then
    error(("fs.watch: ignore: a list of patterns or a function expected, got %s"):format(type(ignore)), 4)
  end
  return function(name)
    if matches_any(leavings, name) then
      return true
    elseif type(ignore) == "function" then
      return ignore(name) and true or false
    end
    return matches_any(ignore, name)
  end
end

local function check_limit(limit)
  if limit ~= nil and (math.type(limit) ~= "integer" or limit < 1) then
    error(("fs.watch: limit: a whole number above 0 expected, got %s"):format(tostring(limit)), 4)
  end
  return limit or LIMIT
end

local known = {
  recursive = true, content = true, ignore = true, debounce = true, most = true, poll = true, limit = true,
}

local function check_options(options)
  options = options or {}
  for name in pairs(options) do
    if not known[name] then
      error(("fs.watch: there is no option %s"):format(tostring(name)), 4)
    end
  end
  return {
    recursive = options.recursive,
    content = options.content,
    is_ignored = ignorer(options.ignore),
    debounce = check_seconds("debounce", options.debounce, DEBOUNCE),
    most = check_seconds("most", options.most, MOST),
    poll = check_seconds("poll", options.poll, POLL),
    limit = check_limit(options.limit),
  }
end

local function check_path(where, path, level)
  if type(path) ~= "string" or path == "" or path:find("\0", 1, true) then
    local got = type(path) == "string" and ("%q"):format(path) or type(path)
    error(("%s: path: a path expected, got %s"):format(where, got), level + 1)
  end
end

-- --- Looking ----------------------------------------------------------------------------------

-- Notes which names decide, by folder.
local function noter(wanted)
  return function(folder, name)
    wanted[folder] = wanted[folder] or { names = {} }
    wanted[folder].names[name or "all"] = true
  end
end

-- Folders are told apart by their inodes. One that has gone meanwhile is left out.
local function identify(wanted)
  for folder, entry in pairs(wanted) do
    local stat = fs.stat(folder)
    entry.id = stat and ("%d %d"):format(stat.dev, stat.ino)
  end
  for folder, entry in pairs(wanted) do
    wanted[folder] = entry.id and entry or nil
  end
end

-- A snapshot for each root, and the folders that decide about them.
local function look_once(watch)
  local seen, wanted, memory, roots = {}, {}, {}, {}
  local note = noter(wanted)
  for _, root in pairs(watch.roots) do -- which may change meanwhile
    roots[#roots + 1] = root
  end
  for _, root in ipairs(roots) do
    local message, code
    seen[root], message, code = snapshot.take(root.path, root.seen, watch.options, note, memory)
    if not seen[root] then
      local e = errors.Error("watch: " .. message)
      e.code = code
      error(e, 0)
    end
  end
  identify(wanted)
  return seen, wanted
end

local function warn_if_blind(watch)
  local failure = watch.notifier.failure
  if failure and not watch.warned and not watch.closed then
    watch.warned = true
    local is_limit = failure:find "^ENOSPC" or failure:find "^EMFILE"
    local hint = is_limit and "; raise fs.inotify.max_user_watches or max_user_instances" or ""
    core_error.report {
      message = ("watch: the system cannot tell of all changes (%s): looking every %g s instead%s"):format(failure,
        watch.options.poll, hint),
      warning = true,
    }
  end
end

-- Looks, with all folders watched while it does. Cancelled, the next one is due at once.
local function look(watch)
  local began, seen = time.real(), nil
  watch.looked = nil
  for _ = 1, MOST_LOOKS do
    local wanted
    seen, wanted = look_once(watch)
    if watch.closed or not watch.notifier:watch(wanted) then
      break
    end
  end
  warn_if_blind(watch)
  watch.looked = time.now()
  watch.period = math.max(watch.options.poll, (time.real() - began) / SHARE)
  return seen
end

-- The changes since the look before, by path.
local function compare(watch, seen)
  local found = {}
  for root, after in pairs(seen) do
    if watch.roots[root.path] == root then
      snapshot.compare(root.seen, after, found)
    end
  end
  return found
end

-- Takes a look for the one to compare with from now on.
local function accept(watch, seen, found)
  for root, after in pairs(seen) do
    root.seen = after
  end
  for path, kind in pairs(found) do
    table.insert(watch.pending, { path = path, kind = kind })
  end
  table.sort(watch.pending, function(a, b)
    return a.path < b.path
  end)
end

-- --- Waiting ----------------------------------------------------------------------------------

-- Waits until something has happened, or it is time to look anyway.
local function wait_for_event(watch)
  local notifier = watch.notifier
  while not notifier.first and not watch.closed do
    local left = watch.looked and watch.looked + watch.period - time.now() or 0
    if left < SAME then
      return
    end
    timeouts.move_on_after(left, notifier.lot.park, notifier.lot)
  end
end

-- Waits until nothing more happens.
local function settle(watch)
  local notifier, options = watch.notifier, watch.options
  while notifier.first and not watch.closed do
    local quiet = math.min(notifier.last + options.debounce, notifier.first + options.most)
    if quiet - time.now() < SAME then
      return
    end
    time.sleep_until(quiet)
  end
end

-- Fills `pending`, unless it is closed meanwhile.
local function wait_for_changes(watch)
  while #watch.pending == 0 and not watch.closed do
    wait_for_event(watch)
    local is_told = watch.notifier.first ~= nil
    settle(watch)
    watch.notifier:take()
    if watch.closed then
      return
    end
    local seen = look(watch)
    local found = compare(watch, seen)
    if is_told or next(found) == nil then
      accept(watch, seen, found)
    else
      watch.notifier:touch() -- it may be in the middle of something
    end
  end
end

local Turn = {
  __close = function(turn)
    turn.watch.busy = false
  end,
}

local function fill(watch, level)
  if watch.busy then
    error("watch: another task waits for this one already", level + 1)
  end
  watch.busy = true
  local turn <close> = setmetatable({ watch = watch }, Turn) -- luacheck: ignore
  wait_for_changes(watch)
end

-- --- For the user ----------------------------------------------------------------------------

--- The next change, of one path; nil when the watch is closed. Raises an Error with `code`
--- "EOVERFLOW" when a folder has more entries than the limit.
---@async
---@return strobe.Change?
function Watch:next()
  fill(self, 2)
  return table.remove(self.pending, 1)
end

--- The changes that settled together, at least one; nil when the watch is closed. For a program
--- that loads all of its files anew.
---@async
---@return strobe.Change[]?
function Watch:batch()
  fill(self, 2)
  local batch = self.pending
  self.pending = {}
  return #batch > 0 and batch or nil
end

--- Watches one more file or folder, which need not be there; twice is harmless. Its changes
--- count from now on.
---@async
---@param path string
---@return true? done
---@return string? message
---@return string? code "EOVERFLOW" for a folder with more entries than the limit
function Watch:add(path)
  check_path("watch:add", path, 2)
  if self.roots[path] or self.closed then
    return true
  end
  local seen, message, code = snapshot.take(path, {}, self.options, function() end, {})
  if not seen then
    return nil, message, code
  end
  self.roots[path] = self.roots[path] or { path = path, seen = seen }
  self.looked = nil
  self.notifier.lot:wake()
  return true
end

--- Watches a file or folder no longer. A change which was seen may still come.
---@param path string as it was given
---@return boolean had_it
function Watch:remove(path)
  local had_it = self.roots[path] ~= nil
  self.roots[path] = nil
  return had_it
end

--- Ends it, and the loop of a task that waits for it. Closing twice is harmless.
function Watch:close()
  self.closed, self.pending = true, {}
  self.notifier:close()
end

--- For async.iter and the like; a `for` loop takes the watch itself.
---@return strobe.Watch
function Watch:iter()
  return self, nil, nil, self
end

function Watch:__call()
  return self:next()
end

Watch.__close = Watch.close

function Watch:__gc()
  self.notifier:drop()
end

function Watch:__tostring()
  local count = 0
  for _ in pairs(self.roots) do
    count = count + 1
  end
  return ("<watch of %d paths%s>"):format(count, self.closed and ", closed" or "")
end

--- A watch; see fs.watch.
---@async
---@param paths string|string[]
---@param options? strobe.WatchOptions
---@return strobe.Watch?
---@return string? message
---@return string? code
local function new(paths, options)
  local list = type(paths) == "table" and paths or { paths }
  for _, path in ipairs(list) do
    check_path("fs.watch", path, 3)
  end
  if #list == 0 and type(paths) ~= "table" then
    check_path("fs.watch", paths, 3)
  end
  options = check_options(options)
  local watch = setmetatable({
    roots = {}, pending = {}, notifier = Notifier.new(options.is_ignored), options = options, period = 0,
    busy = false, closed = false, warned = false,
  }, Watch)
  for _, path in ipairs(list) do
    local ok, message, code = watch:add(path)
    if not ok then
      return nil, message, code
    end
  end
  return watch, nil, nil, watch
end

return { new = new }
