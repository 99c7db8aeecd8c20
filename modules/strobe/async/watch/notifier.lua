--- The system's word that something has happened in a folder. It only means: look again.
--
-- The system tells of an inode, not of a path; so a folder is armed anew when another one has
-- taken its path. Names that nobody cares for wake nobody.

local lot = require "strobe.core.lot"
local task = require "strobe.core.task"
local time = require "strobe.core.time"
local uv = require "luv"

---@class strobe.Notifier
---@field first? number when the first event came that was not taken yet; loop time
---@field last? number   when the last one came
---@field lot strobe.Lot where those wait who want to know
---@field failure? string why a folder cannot be watched
---@field private armed table<string, table> by folder
---@field private is_ignored fun(name: string): boolean
local Notifier = {}
Notifier.__index = Notifier

--- A notifier that watches nothing yet.
---@param is_ignored fun(name: string): boolean
---@return strobe.Notifier
function Notifier.new(is_ignored)
  return setmetatable({ armed = {}, lot = lot.new "watch", is_ignored = is_ignored }, Notifier)
end

--- As if something had happened.
function Notifier:touch()
  self.last = time.now()
  self.first = self.first or self.last
  self.lot:wake()
end

--- Forgets what has happened: one looks now.
function Notifier:take()
  self.first, self.last = nil, nil
end

-- Events about the folder itself come under its own name.
local function matters(notifier, entry, name)
  return name == nil or name == entry.own_name or entry.names[name]
    or entry.names.all and not notifier.is_ignored(name)
end

local function arm(notifier, folder, wanted)
  local entry = { id = wanted.id, names = wanted.names, own_name = folder:match "[^/]*$" }
  local handle, message = uv.new_fs_event()
  local ok = handle
  if handle then
    ok, message = handle:start(folder, {}, function(_, name)
      if matters(notifier, entry, name) then
        notifier:touch()
      end
    end)
  end
  if ok then
    entry.handle = handle
    notifier.armed[folder] = entry
    return true
  elseif handle then
    handle:close()
  end
  if not message:find "^ENOENT" then -- else it went while we looked
    notifier.failure = message
  end
  return false
end

local function disarm(notifier, folder)
  local entry = notifier.armed[folder]
  notifier.armed[folder] = nil
  if entry and not entry.handle:is_closing() then
    entry.handle:close()
  end
end

--- Watches these folders and no others.
---@param wanted table<string, {id: string, names: table<string, true>}> by real path; `id` is another one for another
---folder of that path; `names.all`: whatever is in it
---@return boolean is_new a folder was not watched before: one has to look again
function Notifier:watch(wanted)
  for folder, entry in pairs(self.armed) do
    if not wanted[folder] or wanted[folder].id ~= entry.id then
      disarm(self, folder)
    end
  end
  local is_new = false
  for folder, entry in pairs(wanted) do
    if self.armed[folder] then
      self.armed[folder].names = entry.names
    elseif arm(self, folder, entry) then
      is_new = true
    end
  end
  return is_new
end

--- Watches nothing any more.
function Notifier:close()
  for folder in pairs(self.armed) do
    disarm(self, folder)
  end
  self.lot:wake()
end

--- The same for who is being collected, when handles may be gone already.
function Notifier:drop()
  if next(self.armed) then
    pcall(task.spawn, Notifier.close, self)
  end
end

return Notifier
