--- The server of the attach socket: who may enter, how many, and what they are told at the door and at the end.

local Connection = require "strobe.attach.connection"
local contexts = require "strobe.async.context"
local core_task = require "strobe.core.task"
local directory = require "strobe.attach.directory"
local host = require "strobe.core.host"
local mistake = require "strobe.mistake"
local net = require "strobe.net"
local Process = require "strobe.attach.process"
local protocol = require "strobe.attach.protocol"
local Session = require "strobe.attach.session"
local tasks = require "strobe.async.task"
local uv = require "luv"

local MOST_CONNECTIONS = 8
local OURS_ALONE = tonumber("600", 8)

---@class strobe.attach.ServeOptions
---@field runtime? strobe.live.Runtime whose units are looked at and reloaded
---@field rights? "rw"|"ro"|"off" what clients may get: to run and change, or to look on only (rw)
---@field eval? boolean false: nobody may run code, also with rw
---@field command? string what `strobe ps` shows (the process's command line)

---@class strobe.attach.Server a `<close>` value
---@field path string of the socket
---@field ceiling "rw"|"ro"
---@field package process strobe.attach.Process
---@field journal strobe.attach.Journal of the process
---@field refused integer connections that were not let in
---@field private options strobe.attach.ServeOptions
---@field private listener strobe.Server
---@field private connections table<strobe.attach.Connection, strobe.Task>
---@field private own table<strobe.Task, true>
local Server = {}
Server.__index = Server
Server.__name = "attach server"

-- --- Its own tasks -----------------------------------------------------------------------------

-- In no context but its own: it may be started from anywhere.
local function spawn(server, name, f, ...)
  local task = contexts.Context():run(tasks.create_task, f, ...)
  task:set_name("attach " .. name)
  server.own[task] = true
  task:add_done_callback(function()
    server.own[task] = nil
  end)
  return task
end

local function cancel_all(own)
  local list, me = {}, core_task.current()
  for task in pairs(own) do
    list[#list + 1] = task ~= me and task or nil
  end
  if #list > 0 then
    tasks.cancel_and_wait(list)
  end
end

-- --- What it tells -----------------------------------------------------------------------------

local function figures(server)
  local told = server.process:figures()
  told.connections, told.refused = server.count, server.refused
  return told
end

local function hello(server, session)
  return {
    ev = "hello", protocol = protocol.VERSION, strobe = host.version, pid = uv.os_getpid(), ceiling = server.ceiling,
    units = protocol.list(session:unit_names()),
  }
end

-- --- Letting in --------------------------------------------------------------------------------

local function refuse(server, stream, level, text)
  server.refused = server.refused + 1
  server.process:log(level, "attach: " .. text)
  stream:abort()
end

-- Its number, or nothing if it must not come in.
local function identify(server, stream)
  local pid, uid = net.credentials(stream)
  if not pid then
    refuse(server, stream, "warning", "a connection was refused: " .. uid)
    return nil
  elseif uid ~= server.uid and uid ~= 0 then
    refuse(server, stream, "warning", ("a connection of user %d, process %d was refused"):format(uid, pid))
    return nil
  end
  return pid, uid
end

local function new_session(server, connection, pid, uid)
  return Session.new {
    ceiling = server.ceiling, eval = server.options.eval, number = server.process:new_console(), uid = uid, pid = pid,
    journal = server.journal,
    find_runtime = function()
      return server.process:runtime()
    end,
    process = function()
      return figures(server)
    end,
    log = function(level, text)
      server.process:log(level, text)
    end,
    push = function(message)
      return connection:push(message)
    end,
  }
end

local function turn_away(server, stream)
  server.refused = server.refused + 1
  local text = ("%d clients are connected already"):format(MOST_CONNECTIONS)
  stream:send(protocol.encode { ev = "bye", code = "too_many", error = text })
  stream:close()
end

local function talk(server, connection)
  local session = connection.session
  connection:push(hello(server, session))
  local ok, e = pcall(connection.run, connection)
  session:close()
  connection:close()
  if connection.overflown then
    session:audit("disconnect", "it did not read what it was sent")
  end
  if not ok then
    error(e, 0)
  end
end

local function admit(server, stream)
  local pid, uid = identify(server, stream)
  if not pid then
    return
  elseif server.count >= MOST_CONNECTIONS then
    turn_away(server, stream)
    return
  end
  local connection = Connection.new(stream)
  connection.session = new_session(server, connection, pid, uid)
  connection.session:audit("connect", "ok")
  server.count = server.count + 1
  server.connections[connection] = true
  local task = spawn(server, connection.session.number, talk, server, connection)
  task:add_done_callback(function()
    server.connections[connection] = nil
    server.count = server.count - 1
    stream:close() -- also of one whose task was cancelled before it began
  end)
end

local function accept(server)
  for stream in server.listener:accept() do
    admit(server, stream)
  end
end

-- --- Opening and closing ------------------------------------------------------------------------

-- Makes room for a socket at the path: what a process of our number has left there goes.
local function clear(path)
  local stream, message, code = directory.connect(path, 1)
  if stream then
    stream:abort()
    return nil, ("%s: another process listens there"):format(path), "EADDRINUSE"
  elseif code == "ENOENT" or code == "ECONNREFUSED" then
    return true
  end
  return nil, message, code
end

local function listen()
  local folder, message, code = directory.open()
  if not folder then
    return nil, message, code
  end
  local path
  path, message, code = directory.socket(folder, uv.os_getpid())
  if not path then
    return nil, message, code
  end
  local free
  free, message, code = clear(path)
  if not free then
    return nil, message, code
  end
  local listener
  listener, message, code = net.listen_unix(path, { onlookers = true })
  if not listener then
    return nil, message, code
  end
  local done
  done, message, code = uv.fs_chmod(path, OURS_ALONE) -- the folder has kept others out meanwhile
  if not done then
    listener:close()
    return nil, message, code
  end
  return listener, path
end

local servers = {}

--- Opens the socket; see attach.serve.
---@async
---@param options strobe.attach.ServeOptions
---@return strobe.attach.Server?
---@return string? message
---@return string? code
function servers.serve(options)
  options = mistake.options("attach.serve", options)
  local rights = options.rights or "rw"
  if rights ~= "rw" and rights ~= "ro" and rights ~= "off" then
    mistake.raise("attach.serve: rights: rw, ro or off expected, got %s", tostring(rights))
  elseif rights == "off" then
    return nil
  end
  local listener, path, code = listen()
  if not listener then
    return nil, path, code
  end
  local server = setmetatable({
    options = options, ceiling = rights, listener = listener, path = path, connections = {}, count = 0,
    refused = 0, own = {}, uid = uv.getuid(),
    process = Process.new { runtime = options.runtime, command = options.command },
  }, Server)
  server.journal = server.process.journal
  spawn(server, "server", accept, server)
  return server
end

--- Removes the socket and no more: for a process that ends at once.
function Server:remove()
  if not self.closed then
    uv.fs_unlink(self.path)
  end
end

--- Says goodbye to all, and removes the socket. Closing twice is harmless.
---@async
function Server:close()
  if self.closed then
    return
  end
  self.closed = true
  self.listener:close()
  for connection in pairs(self.connections) do
    connection:push { ev = "bye" }
  end
  cancel_all(self.own)
  self.process:close()
end

Server.__close = Server.close

servers.Server = Server
servers.MOST_CONNECTIONS = MOST_CONNECTIONS

return servers
