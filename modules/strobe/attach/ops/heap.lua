--- The operation that tells what is alive.

local Census = require "strobe.attach.census"
local failures = require "strobe.attach.failure"
local protocol = require "strobe.attach.protocol"
local Slice = require "strobe.attach.slice"

-- Rows that are told, unless the request says how many, and at most.
local USUAL, MOST = 30, 1000

-- Whether somebody counts already: the lists that this takes are large.
local busy = false

local Busy = { __close = function()
  busy = false
end }

local function heap(session, request)
  local most = failures.field(request, "n", "integer", true) or USUAL
  if busy then
    failures.raise("busy", "somebody counts already: wait for that to end")
  end
  busy = true
  local _ <close> = setmetatable({}, Busy) -- luacheck: ignore
  local slice = Slice.new()
  local census = Census.take(session.runtime, function()
    slice:rest()
  end)
  local rows, list = census:result(), protocol.list()
  for i = 1, math.min(#rows, most, MOST) do
    list[i] = rows[i]
  end
  return {
    rows = list, more = #rows - #list, objects = census.objects, complete = census.complete,
    lua_bytes = math.floor(collectgarbage "count" * 1024),
  }
end

return { heap = { rights = "rw", run = heap, waits = true } }
