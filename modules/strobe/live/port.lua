--- Ports: the named ways out of units. They belong to the runtime; reloads do not touch them.

local contexts = require "strobe.async.context"
local core_error = require "strobe.core.error"
local effects = require "strobe.live.effect"
local Queue = require("strobe.async.queue").Queue
local tasks = require "strobe.async.task"

---@class strobe.live.PortFunctions
---@field send? fun(value: any, effect: strobe.live.Effect): any, string?, string? value, or nil, message, code; may
---wait
---@field query? fun(value: any): any, string?, string? answers, and changes nothing outside
---@field immediate? boolean send does not wait: it is called at once, not in the port's task
---@field settles? boolean send returns nothing, and settles the effect itself, now or later

---@class strobe.live.Port
local Port = {}
Port.__index = Port
Port.__name = "port"

--- Makes one.
---@param name string
---@param functions strobe.live.PortFunctions
---@return strobe.live.Port
function Port.new(name, functions)
  return setmetatable({ name = name, functions = functions }, Port)
end

local function perform(port, effect)
  local outcome = table.pack(pcall(port.functions.send, effect.value, effect))
  if outcome[1] then
    if port.functions.settles then
      return
    end
    effects.settle(effect, table.unpack(outcome, 2, outcome.n))
    return
  end
  local text = "port '%s' failed with effect %s: %s"
  core_error.report { message = text:format(port.name, effect.id, tostring(outcome[2])) }
  effects.settle(effect, nil, tostring(outcome[2]), "EPORT")
end

local function work(port)
  for effect in port.queue:iter() do
    perform(port, effect)
  end
end

--- Sends an effect, in the order of the calls; its outcome comes later.
---@param effect strobe.live.Effect
function Port:send(effect)
  effect.state = "sent"
  if not self.functions.send then
    effects.settle(effect, nil, ("port '%s' only answers queries"):format(self.name), "ENOTSUP")
  elseif self.functions.immediate then
    perform(self, effect)
  else
    if not self.task then
      self.queue = Queue()
      self.task = contexts.Context():run(tasks.create_task, work, self) -- it is no task of the unit's
      self.task:set_name("port " .. self.name)
    end
    self.queue:put_nowait(effect)
  end
end

--- Asks.
---@async
---@param value any
---@return any value
---@return string? message
---@return string? code
function Port:query(value)
  if not self.functions.query then
    return nil, ("port '%s' answers no queries"):format(self.name), "ENOTSUP"
  end
  return self.functions.query(value)
end

--- Sends what is left, and ends.
---@async
function Port:close()
  if self.task then
    self.queue:shutdown()
    self.task:await()
    self.task = nil
  end
end

return Port
