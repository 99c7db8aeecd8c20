--- Watches the files of units, and reloads those whose code has changed.
--
-- A save is one reload, however an editor writes it: fs.watch looks at folders, waits until all is quiet, and tells of
-- contents that differ. What is reloaded are the units that run something else than what stands on the disk; a text
-- that was refused, or undone, is not tried again before it changes.
--
-- Watched is what a unit's files on the disk require, whether it is there or not: a file that was forgotten, and is
-- written later, is a change as well.

local fs = require "strobe.async.fs"
local reach = require "strobe.live.reach"
local shallow = require "strobe.shallow"
local timeouts = require "strobe.async.timeout"

-- Seconds after which it looks whether the units' files are others by now: somebody else may have reloaded.
local POLL = 2

---@class strobe.live.FileWatcher
---@field private runtime strobe.live.Runtime
---@field private watched table<string, true> paths
---@field private tried table<strobe.live.RunningUnit, table<string, string>> what stood there at the last look, by path
---@field private watch? strobe.Watch
---@field private again? boolean another reload was in the way
local Watcher = {}
Watcher.__index = Watcher
Watcher.__name = "watcher"

--- Makes one, which does not watch yet.
---@param runtime strobe.live.Runtime
---@return strobe.live.FileWatcher
function Watcher.new(runtime)
  return setmetatable({ runtime = runtime, watched = {}, tried = {} }, Watcher)
end

-- --- What there is to watch ----------------------------------------------------------------------

local function running_sources(unit)
  return unit.run and unit.run.generation.graph.sources or {}
end

-- The files of a unit: those that it runs, and those that it would run now.
local function look_at(watcher, unit)
  local texts, paths = reach(watcher.runtime:folders(unit.path), unit.path)
  for path in pairs(running_sources(unit)) do
    paths[path] = true
    texts[path] = texts[path] or fs.read_file(path)
  end
  return texts, paths
end

-- Watches what the units have now, and nothing else.
local function follow(watcher)
  local wanted = {}
  for _, unit in ipairs(watcher.runtime.order) do
    local _, paths = look_at(watcher, unit)
    for path in pairs(paths) do
      wanted[path] = true
      if not watcher.watched[path] then
        watcher.watch:add(path)
      end
    end
  end
  for path in pairs(watcher.watched) do
    if not wanted[path] then
      watcher.watch:remove(path)
    end
  end
  watcher.watched = wanted
end

-- Something that differs when units have other files than before.
local function signature(runtime)
  local parts = {}
  for _, unit in ipairs(runtime.order) do
    local count = 0
    for _ in pairs(running_sources(unit)) do
      count = count + 1
    end
    parts[#parts + 1] = ("%s %d %d"):format(unit.name, unit.run and unit.run.generation.number or 0, count)
  end
  return table.concat(parts, "\n")
end

-- --- What there is to reload -----------------------------------------------------------------------

local function runs(unit, texts)
  for path, source in pairs(running_sources(unit)) do
    if texts[path] ~= source.raw then
      return false
    end
  end
  return true
end

-- The units that run something else than what stands there, which was not tried yet.
local function stale(watcher)
  local names = {}
  for _, unit in ipairs(watcher.runtime.order) do
    local texts = look_at(watcher, unit)
    local tried = watcher.tried[unit]
    if not runs(unit, texts) and not (tried and shallow.equal(tried, texts)) then
      names[#names + 1] = unit.name
    end
    watcher.tried[unit] = texts
  end
  return names
end

local function reload(watcher)
  local names = stale(watcher)
  if #names == 0 then
    return
  end
  local ok, e = pcall(watcher.runtime.reload, watcher.runtime, names)
  if not ok and not watcher.runtime.closed then
    error(e, 0)
  end
end

--- Watches, until it is cancelled or closed.
---@async
function Watcher:run()
  local watch <close> = fs.watch({}, { content = true }) -- luacheck: ignore
  self.watch = watch
  local before
  while not self.closed do
    local now = signature(self.runtime)
    if now ~= before then
      follow(self)
      reload(self) -- what has changed while it was not watched
      before = now
    end
    local in_time, batch = timeouts.move_on_after(POLL, watch.batch, watch)
    if in_time and batch then
      reload(self)
      before = nil
    end
  end
end

--- Ends it. Twice is harmless.
function Watcher:close()
  self.closed = true
  if self.watch then
    self.watch:close()
  end
end

return Watcher
