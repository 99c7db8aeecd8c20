--- A folder of units' files for specs, and a runtime that runs them.

local async = require "strobe.async"
local Folder = require "spec.support.folder"
local Runtime = require "strobe.live.runtime"

local UnitFolder = {}
UnitFolder.__index = UnitFolder

--- files: texts by name. The ports "out" and "order" collect what is sent in `sent`.
function UnitFolder.new(files, options)
  local folder = Folder.new(files)
  local made = setmetatable({ folder = folder, sent = {}, reports = {} }, UnitFolder)
  options = options or {}
  options.root = folder.path
  options.on_report = function(report)
    table.insert(made.reports, report)
  end
  options.log = options.log or function(...)
    made.logged = made.logged or {}
    table.insert(made.logged, { ... })
  end
  made.runtime = Runtime.new(options)
  for _, name in ipairs { "out", "order" } do
    made.runtime:add_port(name, {
      send = function(value, effect)
        table.insert(made.sent, { port = name, value = value, id = effect.id })
        return "ok " .. tostring(value)
      end,
      immediate = true,
    })
  end
  return made
end

--- Writes a file anew.
function UnitFolder:write(name, text)
  local file <close> = assert(io.open(self.folder.path .. "/" .. name, "wb"))
  file:write(text)
end

function UnitFolder:start(name)
  return self.runtime:start(name, ("%s/%s.lua"):format(self.folder.path, name))
end

--- Events with these data on a stream, one after the other.
function UnitFolder:offer(stream, ...)
  for _, data in ipairs { ... } do
    self.runtime:offer(stream, data)
  end
  async.sleep(0.001)
end

--- Writes a unit's file, and reloads it: the report.
function UnitFolder:reload(name, text, options)
  if text then
    self:write(name .. ".lua", text)
  end
  return self.runtime:reload(name, options)[1]
end

--- The values that went out, as a list.
function UnitFolder:values()
  local values = {}
  for i, sent in ipairs(self.sent) do
    values[i] = sent.value
  end
  return values
end

UnitFolder.__close = function(self, e)
  self.runtime:close()
  getmetatable(self.folder).__close(self.folder, e)
end

return UnitFolder
