--- A folder with the file of one unit, and a runtime for it.
local async = require "strobe.async"
local Runtime = require "strobe.live.runtime"

local Folder = {}
Folder.__index = Folder

--- Makes one. The runtime's options may be given.
---@param options? strobe.live.RuntimeOptions
function Folder.new(options)
  local pipe <close> = assert(io.popen "mktemp -d")
  local path = pipe:read "l"
  options = options or {}
  options.root = path
  options.log = options.log or function(level, text) io.stderr:write(level, ": ", text, "\n") end
  return setmetatable({path = path, runtime = Runtime.new(options)}, Folder)
end

--- Writes a unit's file.
---@param name string
---@param text string
---@return string path
function Folder:write(name, text)
  local path = ("%s/%s.lua"):format(self.path, name)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  return path
end

--- Writes a unit and starts it; it must start.
---@async
---@param name string
---@param text string
---@return strobe.live.RunningUnit
function Folder:start(name, text)
  local report = self.runtime:start(name, self:write(name, text))
  assert(report.verdict == "committed", report.error)
  return self.runtime.units[name]
end

--- Waits until a unit's inbox is empty.
---@async
---@param unit strobe.live.RunningUnit
function Folder.drain(unit)
  repeat
    async.sleep(0)
  until #unit.inbox == 0 and unit.run.at_boundary
end

Folder.__close = function(self)
  self.runtime:close()
  os.execute(("rm -r '%s'"):format(self.path))
end

return Folder
