--- The port of `strobe debug`: it lets in one editor, of our own user or root. Whoever debugs can run code as us.

local net = require "strobe.net"
local socket_table = require "strobe.debug.socket_table"
local uv = require "luv"

local port = {}

-- The table may change while it is read, and a line be passed over; refusals that are told.
local MOST_READS, MOST_TOLD = 5, 20
local TABLES = { "/proc/net/tcp", "/proc/net/tcp6" }

---@class strobe.debug.Port
---@field private tables string[]
---@field private say fun(text: string)
---@field private told integer
local Port = {}
Port.__index = Port

local function say(text)
  io.stderr:write("strobe: debug: ", text, "\n")
end

---@param options? {tables?: string[], say?: fun(text: string)} the kernel's tables of sockets; takes what is told
---@return strobe.debug.Port
function port.new(options)
  local tables = options and options.tables or TABLES
  return setmetatable({ tables = tables, say = options and options.say or say, told = 0 }, Port)
end

-- The user at the other end, and whether there is a table at all.
local function look(self, connection)
  local address, number = net.peer(connection)
  local own_address, own_number = net.name(connection)
  local is_known = false
  for _, path in ipairs(address and own_address and self.tables or {}) do
    local file <close> = io.open(path) -- luacheck: ignore
    local uid = file and socket_table.owner(file:lines(), address, number, own_address, own_number)
    is_known = is_known or file ~= nil
    if uid then
      return uid, true
    end
  end
  return nil, is_known or not address
end

-- The same; nobody's is one that is somebody else's at a second look.
local function owner_of(self, connection)
  for _ = 1, MOST_READS do
    local uid, is_known = look(self, connection)
    if uid or not is_known then
      return look(self, connection) == uid and uid or nil, is_known
    end
  end
  return nil, true
end

local function tell_refused(self, uid)
  self.told = self.told + 1
  if self.told <= MOST_TOLD then
    local who = uid and ("of user %d"):format(uid) or "of nobody that is known"
    local last = self.told == MOST_TOLD and "; more of them are not told" or ""
    self.say(("a connection %s was refused: only user %d may debug%s"):format(who, uv.getuid(), last))
  end
end

-- Whether who is at the other end may come in.
local function admits(self, connection)
  local uid, is_known = owner_of(self, connection)
  if not is_known then
    self.say(("there is no %s: whoever connects first is let in, of whatever user"):format(self.tables[1]))
    return true
  elseif uid == 0 or uid == uv.getuid() then
    return true
  end
  tell_refused(self, uid)
  return false
end

--- Waits for an editor that may come in. All others are sent away without a byte.
---@async
---@param listener strobe.Server on 127.0.0.1
---@return strobe.Connection?
---@return string? message
---@return string? code
function Port:accept(listener)
  while true do
    local connection, message, code = listener:accept_one()
    if not connection then
      return nil, message, code
    elseif admits(self, connection) then
      return connection
    end
    connection:abort()
  end
end

return port
