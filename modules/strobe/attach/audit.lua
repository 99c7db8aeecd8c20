--- The line in the log of what was asked for: who, what, and how it ended.

local stack = require "strobe.async.stack"
local time = require "strobe.core.time"

-- Bytes of code that are told.
local MOST_CODE = 400

local audit = {}

-- When somebody did it: not what a virtual clock shows meanwhile.
local function instant()
  local now = time.real_wall()
  return ("%s.%03dZ"):format(os.date("!%Y-%m-%dT%H:%M:%S", now // 1), now % 1 * 1000 // 1)
end

-- Text of a client's, in quotes.
local function quoted(text)
  return ('"%s"'):format(stack.printable(text:sub(1, MOST_CODE)))
end

--- One line: `attach: 2026-01-31T12:00:00.000Z uid=1000 pid=4242 name="pts/3" op=reload unit="mm" committed 3.1 ms`.
---@param who {uid: integer, pid: integer, name?: string}
---@param op string
---@param outcome string
---@param request? table what was asked for
---@param seconds? number
---@return string
function audit.line(who, op, outcome, request, seconds)
  local parts = { "attach:", instant(), ("uid=%d"):format(who.uid), ("pid=%d"):format(who.pid) }
  parts[#parts + 1] = who.name and "name=" .. quoted(who.name)
  parts[#parts + 1] = "op=" .. stack.printable(op)
  for _, key in ipairs { "unit", "task", "why", "target", "action", "level", "seconds", "stream", "expr", "code" } do
    local value = request and request[key]
    if value ~= nil then
      parts[#parts + 1] = ("%s=%s"):format(key, type(value) == "number" and ("%.14g"):format(value)
        or quoted(tostring(value)))
    end
  end
  parts[#parts + 1] = outcome
  parts[#parts + 1] = seconds and ("%.1f ms"):format(seconds * 1000)
  return table.concat(parts, " ")
end

return audit
