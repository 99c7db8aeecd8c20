-- Constructors that wait: objects that are ready when one has them.
-- In Python `__init__` cannot await, so a class has `@classmethod async def create(cls, …)`, and no one may call cls().
-- Here a constructor is a function like any other, so it may wait; what it opened it closes again when it fails.

local async = require "strobe.async"

-- --- Something to open: a connection of a pool, which takes its time -----------------------------

local Connection = {}
Connection.__index = Connection

local open_count = 0

function Connection.create(host)
  async.sleep(1)
  if host == "down.example" then
    error("no route to " .. host, 0)
  end
  open_count = open_count + 1
  return setmetatable({ host = host }, Connection)
end

function Connection:version()
  async.sleep(0.5)
  return self.host == "old.example" and 1 or 3
end

function Connection:close()
  if not self.closed then
    self.closed, open_count = true, open_count - 1
  end
end

Connection.__close = Connection.close

-- --- The class: `local db <close> = Database.create(…)` ------------------------------------------

local Database = {}
Database.__index = Database

-- An object that is not whole is seen by nobody: the metatable comes last.
function Database.create(host)
  local connection = Connection.create(host)
  -- Python's `except: connection.close(); raise`.
  local undo <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      if e then
        connection:close()
      end
    end,
  })
  local version = connection:version()
  if version < 2 then
    error(("%s speaks version %d, at least 2 is needed"):format(host, version), 0)
  end
  return setmetatable({ connection = connection, version = version }, Database)
end

function Database:__close()
  self.connection:close()
end

-- --- Using it ------------------------------------------------------------------------------------

local function try(host)
  local ok, e = pcall(function()
    local db <close> = Database.create(host)
    print(("%s: version %d, %d open"):format(host, db.version, open_count))
  end)
  print(("  afterwards: %s, %d open"):format(ok and "closed" or e, open_count))
end

try "db.example"
try "old.example"
try "down.example"

-- Several at once: a constructor that waits may run in a task, as any function.
local create = async.fn(Database.create)
local start = async.time()
do
  local one, two = async.gather(create "one.example", create "two.example")
  local first <close> = one -- luacheck: ignore
  local second <close> = two -- luacheck: ignore
  print(("two after %.1f s, %d open"):format(async.time() - start, open_count))
end

-- Cancelled while it is being made, it leaves nothing open.
local ok, e = pcall(async.wait_for, create "slow.example", 1.2)
print(("given 1.2 s: %s, %d open"):format(ok and "made" or e.name, open_count))
