--- Effects: what leaves a unit. They are staged, and sent when the step that made them waits or ends.

local future = require "strobe.core.future"
local refusals = require "strobe.live.refusal"
local timeouts = require "strobe.async.timeout"

---@class strobe.live.Effect
---@field id string     unit/seq/n, of a child task unit/generation/task/n; fit as a client's order id
---@field port string
---@field value any
---@field unit? strobe.live.RunningUnit which has sent it
---@field n? integer     among those of its event
---@field private state "staged"|"sent"|"done"|"muted"
---@field private outcome? table packed
---@field private future? strobe.Future of who waits
local Effect = {}
Effect.__index = Effect
Effect.__name = "effect"

local effects = {}

---@param id string
---@param port string
---@param value any
---@param staged_by? table the run whose start it is a part of
---@return strobe.live.Effect
function effects.new(id, port, value, staged_by)
  return setmetatable({ id = id, port = port, value = value, state = "staged", staged_by = staged_by }, Effect)
end

--- One of a replay, which goes nowhere.
---@param id string
---@param port string
---@param value any
---@return strobe.live.Effect
function effects.muted(id, port, value)
  local effect = effects.new(id, port, value)
  effect.state = "muted"
  effect.outcome = table.pack(nil, ("%s: it belongs to a replay"):format(port), "muted")
  return effect
end

--- Tells it what became of it. For ports.
---@param effect strobe.live.Effect
---@param ... any value, or nil, message, code
function effects.settle(effect, ...)
  effect.state, effect.outcome = "done", table.pack(...)
  if effect.future and not effect.future:done() then
    effect.future:set_result(true)
  end
end

local function wait_outcome(effect)
  effect.future = effect.future or future.new()
  effect.future:await()
end

--- Waits for the outcome.
---@async
---@param options? {timeout?: number} seconds
---@return any value nil when it failed
---@return string? message
---@return string? code "ETIMEDOUT", "muted" in a replay, or what the port says
function Effect:await(options)
  if self.staged_by and self.staged_by.starting then
    local text = "init waits for its own effect %s, which is sent when the reload is committed"
    refusals.raise("init", text:format(self.id))
  end
  if not self.outcome then
    local seconds = options and options.timeout
    if not seconds then
      wait_outcome(self)
    elseif not timeouts.move_on_after(seconds, wait_outcome, self) then
      return nil, ("effect %s: no outcome within %g s"):format(self.id, seconds), "ETIMEDOUT"
    end
  end
  return table.unpack(self.outcome, 1, self.outcome.n)
end

function Effect:__tostring()
  return ("<effect %s to %s %s>"):format(self.id, self.port, self.state)
end

return effects
