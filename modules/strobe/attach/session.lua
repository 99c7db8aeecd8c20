--- A session: somebody who asks for operations, from a socket or from the process's own console.

local audit = require "strobe.attach.audit"
local errors = require "strobe.async.error"
local failures = require "strobe.attach.failure"
local ops = require "strobe.attach.ops"
local stack = require "strobe.async.stack"
local time = require "strobe.core.time"

---@class strobe.attach.SessionOptions
---@field runtime? strobe.live.Runtime
---@field find_runtime? fun(): strobe.live.Runtime? is asked before each operation: units may come and go
---@field near? boolean it is the console of the process itself, which writes no log of what it does
---@field ceiling "rw"|"ro"
---@field number integer of the console
---@field uid integer
---@field pid integer
---@field journal strobe.attach.Journal
---@field process fun(): table what is known of the process: uptime, tasks, lag_p99, command, connections
---@field log fun(level: string, text: string)
---@field push fun(message: table) hands on an event; it may be dropped
---@field eval? boolean false: there is no eval

---@class strobe.attach.Session : strobe.attach.SessionOptions
---@field rights "rw"|"ro"
---@field name? string as it calls itself
---@field evaluations table<integer|string, strobe.Task> those that run, by the request's id
---@field stops table<any, fun()> what ends what goes on without a task; of a subscription by its number
local Session = {}
Session.__index = Session
Session.__name = "attach session"

--- Makes one, which may look on: `open` asks for more.
---@param options strobe.attach.SessionOptions
---@return strobe.attach.Session
function Session.new(options)
  local session = { rights = "ro", evaluations = {}, stops = {}, last_sub = 0, sub_count = 0 }
  for key, value in pairs(options) do
    session[key] = value
  end
  session.runtime = session.runtime or session.find_runtime and session.find_runtime()
  return setmetatable(session, Session)
end

--- The names of the units, as they were started.
---@return string[]
function Session:unit_names()
  local names = {}
  for i, unit in ipairs(self.runtime and self.runtime.order or {}) do
    names[i] = unit.name
  end
  return names
end

--- A path as it is told: below the project's folder without that.
---@param path string
---@return string
function Session:short_path(path)
  local root = self.runtime and self.runtime.options.root
  if root and path:sub(1, #root + 1) == root .. "/" then
    path = path:sub(#root + 2)
  end
  return stack.printable(path)
end

--- Writes what was done to the log, unless it is the process's own console that did it.
---@param op string
---@param outcome string
---@param request? table
---@param seconds? number
function Session:audit(op, outcome, request, seconds)
  if not self.near then
    self.log("info", audit.line(self, op, outcome, request, seconds))
  end
end

-- The answer for an error that an operation has raised.
local function refusal(e)
  if not failures.is(e) then
    return { ok = false, code = "error", error = tostring(e) }
  end
  local answer = { ok = false, code = e.code, error = e.message ~= "" and e.message or nil }
  for key, value in pairs(e.more or {}) do
    answer[key] = value
  end
  return answer
end

-- What an operation needs: some need more when they are asked for more.
local function rights_for(operation, request)
  local rights = operation and operation.rights
  return type(rights) == "function" and rights(request) or rights
end

local function check(session, name, operation, rights)
  if not operation or name == "eval" and session.eval == false then
    failures.raise("no_op", ("there is no operation '%s'"):format(stack.printable(name)))
  elseif rights == "rw" and session.rights ~= "rw" then
    failures.raise("rights", session.ceiling == "rw" and "it needs the rights rw: this console only looks on (ro)"
      or "this process lets nobody change it: it was started with --attach=ro")
  end
end

--- Performs an operation: the fields of its answer. A cancellation of the task goes through.
---@async
---@param name string
---@param request table
---@return table answer
function Session:perform(name, request)
  local operation, began = ops.find(name), time.real()
  local rights = rights_for(operation, request)
  if self.find_runtime then
    self.runtime = self.find_runtime()
  end
  local ok, answer = pcall(function()
    check(self, name, operation, rights)
    return operation.run(self, request)
  end)
  local cancelled = not ok and errors.is(answer, errors.CancelledError)
  if ok then
    answer.ok = true
  elseif not cancelled then
    answer = refusal(answer)
  end
  if rights == "rw" and not (ok and operation.is_small and operation.is_small(request)) then
    self:audit(name, ok and "ok" or cancelled and "cancelled" or answer.code, request, time.real() - began)
  end
  if cancelled then
    error(answer, 0)
  end
  return answer
end

--- Ends what goes on without a task.
function Session:close()
  for sub, stop in pairs(self.stops) do
    self.stops[sub] = nil
    stop()
  end
end

--- Whether an operation takes a task of its own.
---@param name string
---@return boolean
function Session.waits(_, name)
  local operation = ops.find(name)
  return operation ~= nil and operation.waits or false
end

return Session
