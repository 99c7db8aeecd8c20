--- Ports: the named ways out of units. They belong to the runtime; reloads do not touch them.

local contexts = require "strobe.async.context"
local core_error = require "strobe.core.error"
local effects = require "strobe.live.effect"
local errors = require "strobe.async.error"
local Queue = require("strobe.async.queue").Queue
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"

-- Effects that wait for a port; seconds in which it sends the last ones.
local MOST, PATIENCE = 65536, 10

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
  if errors.is(outcome[2], errors.CancelledError) then
    effects.settle(effect, nil, ("port '%s' was closed before it was through"):format(port.name), "ECANCELED")
    error(outcome[2], 0)
  end
  local text = "port '%s' failed with effect %s: %s"
  core_error.report { message = text:format(port.name, effect.id, tostring(outcome[2])) }
  effects.settle(effect, nil, tostring(outcome[2]), "EPORT")
end

local function work(port)
  for effect in port.queue:iter() do
    perform(port, effect)
    port.complained = port.complained and not port.queue:empty()
  end
end

-- An effect waits for its turn, if there is room. That there is none is told once, until all are sent.
local function line_up(port, effect)
  if not port.task then
    port.queue = Queue(MOST)
    port.task = contexts.Context():run(tasks.create_task, work, port) -- it is no task of the unit's
    port.task:set_name("port " .. port.name)
  end
  if port.queue:full() then
    local message = ("port '%s': %d effects wait already, it is too slow for more"):format(port.name, MOST)
    if not port.complained then
      port.complained = true
      core_error.report { message = message, warning = true }
    end
    effects.settle(effect, nil, message, "ENOBUFS")
  else
    port.queue:put_nowait(effect)
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
    line_up(self, effect)
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

--- Sends what is left, and ends; what takes too long is cut.
---@async
function Port:close()
  local task = self.task
  if task then
    self.task = nil
    self.queue:shutdown()
    local left = self.queue:qsize()
    if not timeouts.move_on_after(PATIENCE, task.await, task) then
      local text = "port '%s' did not come to its end within %d s: %d of %d effects that waited were not sent"
      core_error.report { message = text:format(self.name, PATIENCE, self.queue:qsize(), left), warning = true }
    end
  end
end

return Port
