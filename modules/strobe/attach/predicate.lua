--- An expression over one value, `m`, that is asked often and must end soon: it may not wait.

local stack = require "strobe.async.stack"

-- Instructions for one value.
local MOST_INSTRUCTIONS = 10000

---@class strobe.attach.Predicate
---@field private thread thread
local Predicate = {}
Predicate.__index = Predicate

local ANSWER = {}

local function too_long()
  error("it runs for too long", 0)
end

local function body(chunk)
  return function(m)
    while true do
      m = coroutine.yield(ANSWER, chunk(m))
    end
  end
end

--- Makes one.
---@param text string "m.price > 100"
---@param variables table what else it knows
---@return strobe.attach.Predicate?
---@return string? message
function Predicate.new(text, variables)
  local chunk, message = load("local m = ... return " .. text .. "\n", "=expr", "t", variables)
  if not chunk then
    return nil, (message:gsub("^expr:1: ", ""))
  end
  return setmetatable({ thread = coroutine.create(body(chunk)) }, Predicate)
end

--- Asks it about a value; after a failure it is of no use any more.
---@param m any
---@return boolean? answer
---@return string? message
function Predicate:ask(m)
  local thread = self.thread
  debug.sethook(thread, too_long, "", MOST_INSTRUCTIONS)
  local ok, mark, answer = coroutine.resume(thread, m)
  if ok and mark == ANSWER then
    return answer and true or false
  end
  local text = ok and "it waits" or type(mark) == "string" and mark or type(mark)
  coroutine.close(thread)
  return nil, stack.printable((text:gsub("^expr:1: ", "")))
end

return Predicate
