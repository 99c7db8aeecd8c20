--- A client of the Debug Adapter Protocol, for specs: it asks, and waits for answers and events.
--
-- `DebugClient.here { ["main.lua"] = "…" }` debugs tasks of the spec's own process, which run the files of a folder.

local Folder = require "spec.support.folder"
local async = require "strobe.async"
local inspect = require "strobe.core.inspect"

---@class spec.DebugClient
---@field session? strobe.debug.Session of the process itself
---@field messages table[] all that came
---@field folder spec.Folder
local DebugClient = {}
DebugClient.__index = DebugClient

local PATIENCE = 60

--- Makes one that sends by `send`; what comes goes to client:take.
---@param send fun(message: table)
---@return spec.DebugClient
function DebugClient.new(send)
  return setmetatable({ send = send, messages = {}, seq = 0, changed = async.Event(), read = 0 }, DebugClient)
end

--- A message of the adapter's has come.
function DebugClient:take(message)
  table.insert(self.messages, message)
  self.changed:set()
end

local function wait_for(client, what, from, matches)
  local found
  local function look()
    while true do
      for i = from, #client.messages do
        found = matches(client.messages[i]) and i or nil
        if found then
          return
        end
      end
      client.changed:clear()
      client.changed:wait()
    end
  end
  local in_time = async.move_on_after(PATIENCE, look)
  if not in_time then
    error(("no %s came"):format(what), 3)
  end
  return client.messages[found], found
end

--- Asks, and waits for the answer.
---@async
---@return table? body nil when it was refused
---@return string? message
function DebugClient:request(command, arguments)
  self.seq = self.seq + 1
  local seq = self.seq
  self.send { type = "request", seq = seq, command = command, arguments = arguments }
  local answer = wait_for(self, "answer to " .. command, 1, function(message)
    return message.type == "response" and message.request_seq == seq
  end)
  assert(answer.command == command)
  if not answer.success then
    return nil, answer.message
  end
  return answer.body or {}
end

--- Asks for what must be done.
function DebugClient:must(command, arguments)
  local body, message = self:request(command, arguments)
  return body or error(("%s: %s"):format(command, message), 2)
end

--- Waits for the next event of a name, behind the one that was waited for last.
---@async
---@return table body
function DebugClient:event(name)
  self.places = self.places or {}
  local message, at = wait_for(self, "event " .. name, (self.places[name] or 0) + 1, function(message)
    return message.type == "event" and message.event == name
  end)
  self.places[name] = at
  return message.body or {}
end

--- Whether an event of a name has come that was not waited for.
function DebugClient:has_event(name)
  for i = ((self.places or {})[name] or 0) + 1, #self.messages do
    if self.messages[i].event == name then
      return true
    end
  end
  return false
end

--- Sets the breakpoints of a file of the folder: lines, or tables as DAP wants them.
function DebugClient:breakpoints(name, list)
  local wanted = {}
  for i, entry in ipairs(list) do
    wanted[i] = type(entry) == "table" and entry or { line = entry }
  end
  local path = name:find "^/" and name or self.folder.path .. "/" .. name
  return self:must("setBreakpoints", { source = { path = path }, breakpoints = wanted }).breakpoints
end

--- The innermost frame of a stopped thread, and the whole stack.
function DebugClient:top(thread)
  local stack = self:must("stackTrace", { threadId = thread }).stackFrames
  return stack[1], stack
end

--- The variables of a scope of a frame, by name, as their texts.
function DebugClient:scope(frame, name)
  for _, scope in ipairs(self:must("scopes", { frameId = frame.id }).scopes) do
    if scope.name == name then
      local texts = {}
      for _, variable in ipairs(self:must("variables", scope).variables) do
        texts[variable.name] = variable.value
      end
      return texts, scope.variablesReference
    end
  end
end

--- The value of an expression in a frame, as text.
function DebugClient:evaluate(frame, expression)
  local body, message = self:request("evaluate", { frameId = frame and frame.id, expression = expression })
  return body and body.result, message
end

--- Begins as an editor does, up to the breakpoints.
function DebugClient:initialize(how)
  self:must("initialize", { adapterID = "strobe" })
  self:event "initialized"
  self:must("launch", how or {})
end

-- --- The spec's own process ------------------------------------------------------------------------

--- Debugs this process. The files are in client.folder.
---@param files table<string, string>
---@param how? table arguments of launch
---@return spec.DebugClient a `<close>` value
function DebugClient.here(files, how)
  local client
  client = DebugClient.new(function(message)
    client.session:receive(message)
  end)
  client.folder, client.tasks = Folder.new(files), {}
  client.session = require("strobe.debug.session").new {
    send = function(message)
      client:take(message)
    end,
  }
  client:initialize(how)
  client.session.debugger:exempt(async.current_task())
  return client
end

--- Runs a file of the folder in a task.
---@return strobe.Task
---@return integer number of its thread
function DebugClient:run(name, ...)
  local chunk = assert(loadfile(self.folder.path .. "/" .. name))
  local task = async.create_task(chunk, ...)
  task:set_name(name)
  table.insert(self.tasks, task)
  return task, inspect.id(task)
end

DebugClient.__close = function(client)
  if client.session then
    client.session:close()
  end
  for _, task in ipairs(client.tasks or {}) do
    if not task:done() then
      task:cancel()
      async.wait { task }
    end
    if not task:cancelled() then
      task:exception()
    end
  end
  if client.folder then
    client.folder:__close()
  end
end

return DebugClient
