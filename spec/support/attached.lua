--- A process with an attach socket, for specs: this one, in a folder of its own.

local Folder = require "spec.support.folder"
local UnitFolder = require "spec.support.unit_folder"
local attach = require "strobe.attach"
local directory = require "strobe.attach.directory"
local json = require "strobe.json"
local net = require "strobe.net"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

---@class spec.RawClient bytes as they are
local Raw = {}
Raw.__index = Raw

--- Sends text, as a line.
function Raw:send(text)
  return self.stream:write(text .. "\n")
end

--- The next message; nil at the end.
function Raw:receive()
  local line = self.stream:read_line(2 * 1024 * 1024)
  return line and json.decode(line), line
end

--- Sends a request and returns the next message.
function Raw:ask(text)
  self:send(text)
  return self:receive()
end

Raw.__close = function(raw)
  raw.stream:abort()
end

---@class spec.RuntimeFolder where the sockets are meanwhile
local RuntimeFolder = {}
RuntimeFolder.__index = RuntimeFolder

--- Lets $XDG_RUNTIME_DIR be a new folder as long as its block lasts. Nobody looks into /tmp, where others may be.
function RuntimeFolder.new(files)
  local folder = Folder.new(files or {})
  local made = setmetatable({
    folder = folder, path = folder.path, before = os.getenv "XDG_RUNTIME_DIR", candidates = directory.candidates,
  }, RuntimeFolder)
  uv.os_setenv("XDG_RUNTIME_DIR", folder.path)
  function directory.candidates()
    return { made.candidates()[1] }
  end
  return made
end

RuntimeFolder.__close = function(made)
  directory.candidates = made.candidates
  if made.before then
    uv.os_setenv("XDG_RUNTIME_DIR", made.before)
  else
    uv.os_unsetenv "XDG_RUNTIME_DIR"
  end
  made.folder:__close()
end

---@class spec.Attached
local Attached = {}
Attached.__index = Attached

--- Serves. options: units (texts by file name, which are started), rights, eval, runtime (of the units).
function Attached.new(options)
  options = options or {}
  local made = setmetatable({ folder = RuntimeFolder.new(), clients = {} }, Attached)
  if options.units then
    made.units = UnitFolder.new(options.units, options.runtime)
    for name in pairs(options.units) do
      assert(made.units:start(name:match "^[^.]*").verdict == "committed")
    end
  end
  made.server = assert(attach.serve {
    runtime = made.units and made.units.runtime, rights = options.rights or "rw", eval = options.eval,
  })
  return made
end

--- A connection that has read nothing yet.
function Attached:connect()
  local raw = setmetatable({ stream = assert(net.connect_unix(self.server.path)) }, Raw)
  table.insert(self.clients, raw)
  return raw
end

--- A connection which has read hello; with `rights` it has opened.
function Attached:raw(rights)
  local raw = self:connect()
  raw.hello = raw:receive()
  if rights then
    raw:send(('{"id":0,"op":"open","rights":"%s","name":"spec"}'):format(rights))
    raw.opened = raw:receive()
  end
  return raw
end

--- The texts of what is in the log.
function Attached:logged()
  local texts = {}
  for i, line in ipairs(self.server.journal:lines()) do
    texts[i] = line.text
  end
  return texts
end

--- Waits until f() is true.
function Attached.wait_until(f)
  local time = require "strobe.core.time"
  assert(timeouts.move_on_after(100, function()
    while not f() do
      time.sleep(0.01)
    end
  end), "it did not come to be")
end

Attached.__close = function(made, e)
  for _, raw in ipairs(made.clients) do
    raw.stream:abort()
  end
  made.server:close()
  if made.units then
    getmetatable(made.units).__close(made.units, e)
  end
  getmetatable(made.folder).__close(made.folder, e)
end

return { Attached = Attached, RuntimeFolder = RuntimeFolder }
