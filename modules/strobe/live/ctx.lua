--- What a unit gets of the runtime: the only way out, and the only clock.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local lot = require "strobe.core.lot"
local refusals = require "strobe.live.refusal"
local state = require "strobe.live.state"
local time = require "strobe.core.time"
local core_task = require "strobe.core.task"

---@class strobe.Ctx what a unit gets of the runtime: the only way out, and the only clock
---@field unit string        its name
---@field gen integer        the generation's number
---@field replaying boolean  what happens now has happened before; effects are muted
---@field orders strobe.broker.Orders
---@field private run strobe.live.Run
local Ctx = {}
Ctx.__name = "ctx"

local facts = {
  unit = function(run)
    return run.unit.name
  end,
  gen = function(run)
    return run.generation.number
  end,
  replaying = function(run)
    return run.replay ~= false
  end,
  orders = function(run)
    return require("strobe.broker.orders").of(run)
  end,
}

local run_of = setmetatable({}, { __mode = "k" })

Ctx.__index = function(ctx, name)
  local fact = facts[name]
  if fact then
    return fact(run_of[ctx])
  end
  return Ctx[name]
end

Ctx.__newindex = function(_, name)
  error(("ctx.%s: ctx cannot be changed; what is to be kept belongs to st"):format(tostring(name)), 2)
end

local contexts = {}

---@param run strobe.live.Run
---@return strobe.Ctx
function contexts.new(run)
  local ctx = setmetatable({}, Ctx)
  run_of[ctx] = run
  return ctx
end

--- Iterates over the unit's events: `for m in ctx:inbox() do`. To ask for the next one is to acknowledge the one
--- before. For `main` alone.
---@async
---@return fun(): strobe.Event
function Ctx:inbox()
  local run = run_of[self]
  return function()
    if core_task.current() ~= run.main then
      error("ctx:inbox: only main may ask for events", 2)
    end
    return run:next()
  end
end

--- Stages an effect and returns at once: it is sent when the step waits or ends.
---@param port string "out", "file", "http", or one of live.port
---@param value any
---@return strobe.live.Effect
function Ctx:emit(port, value)
  return run_of[self]:emit(port, value)
end

--- Asks a port; changes nothing outside, so init may.
---@async
---@param port string
---@param value any
---@return any value
---@return string? message
---@return string? code "muted" in a replay
function Ctx:query(port, value)
  local run = run_of[self]
  if run.replay then
    return nil, ("%s: it belongs to a replay"):format(port), "muted"
  end
  return run.unit.runtime:port(port):query(value)
end

--- Something which the runtime keeps over reloads: the same object as long as `spec` is the same, else what
--- `make(spec)` returns. What it replaces is closed when the new code has proven itself.
---@async
---@param name string
---@param spec any plain data
---@param make fun(spec: any): any
---@return any
function Ctx:keep(name, spec, make)
  return run_of[self].unit.keeper:keep(run_of[self], name, spec, make)
end

local function next_deadline(run, name, period)
  local deadlines = run.unit.deadlines
  local due = name and deadlines[name]
  local now = time.now()
  if not due or due > now + period then
    due = now + period
  end
  if name then
    deadlines[name] = due
  end
  return due
end

--- Calls fn every `period` seconds, in a task of the unit. A timer with a name keeps its next deadline over reloads.
---@param name string?
---@param period number seconds
---@param fn fun()
---@return strobe.Task
function Ctx:timer(name, period, fn)
  if type(period) ~= "number" or period <= 0 then
    error(("ctx:timer: a period above 0 expected, got %s"):format(tostring(period)), 2)
  end
  local run = run_of[self]
  local due = next_deadline(run, name, period)
  local task = run:create_task(function()
    while true do
      time.sleep_until(due)
      due = math.max(due + period, time.now())
      if name then
        run.unit.deadlines[name] = due
      end
      fn()
    end
  end)
  task:set_name(("%s timer %s"):format(run.unit.name, name or ""))
  return task
end

--- A task of the unit, which ends with its generation. async.create_task does the same.
---@param fn function
---@param ... any
---@return strobe.Task
function Ctx:create_task(fn, ...)
  return run_of[self]:create_task(fn, ...)
end

local Shield = {
  __close = function(shield)
    local run = shield.run
    run.shields = run.shields - 1
    if run.shields == 0 then
      run.unshielded:wake()
    end
  end,
}

--- Runs fn; no reload cuts it.
---@async
---@param fn function
---@param ... any
---@return any ...
function Ctx:shield(fn, ...)
  local run = run_of[self]
  run.unshielded = run.unshielded or lot.new "shield"
  run.shields = run.shields + 1
  run.shielded_at = run.shields == 1 and time.real() or run.shielded_at
  local shield <close> = setmetatable({ run = run }, Shield) -- luacheck: ignore
  return fn(...)
end

--- Waits.
---@async
---@param seconds number
function Ctx:sleep(seconds)
  run_of[self]:sleep(seconds)
end

--- Seconds; constant within a step until something is waited for.
---@return number
function Ctx:now()
  return run_of[self]:now()
end

--- As math.random, from the run's seed, the unit, the event and the task.
---@param ... integer
---@return number
function Ctx:random(...)
  return run_of[self]:random(...)
end

--- To the runtime's log, with unit, generation and event. No effect; in a replay at level debug only.
---@param level "debug"|"info"|"warning"|"error"
---@param text string a format
---@param ... any
function Ctx:log(level, text, ...)
  local run = run_of[self]
  if run.replay then
    level = "debug"
  end
  run.unit.runtime:log(level, text:format(...), { unit = run.unit.name, gen = run.generation.number, seq = run.seen })
end

---@class strobe.Hold what forbids reloads until it is released, or its block ends
local Hold = {}
Hold.__index = Hold

--- Lets reloads happen again. Twice is harmless.
function Hold:release()
  self.run.holds[self] = nil
end

Hold.__close = Hold.release

--- Forbids reloads for a while: `local hold <close> = ctx:forbid_reload "settling"`.
---@nodiscard
---@param why string
---@return strobe.Hold hold a `<close>` value
function Ctx:forbid_reload(why)
  local run = run_of[self]
  local hold = setmetatable({ run = run, why = tostring(why) }, Hold)
  run.holds[hold] = true
  return hold
end

-- --- What is kept over reloads -------------------------------------------------------------------

---@class strobe.live.Keeper
local Keeper = {}
Keeper.__index = Keeper

-- Closes what was kept, if that can be closed. Where it fails nobody waits for it, so it is reported.
local function close(name, object)
  local meta = getmetatable(object)
  local f = type(meta) == "table" and meta.__close or type(object) == "table" and object.close
  if type(f) ~= "function" then
    return
  end
  local ok, e = pcall(f, object)
  if not ok and not errors.is(e, errors.CancelledError) then
    core_error.report { message = ("ctx:keep '%s': close failed: %s"):format(name, tostring(e)) }
  end
end

---@return strobe.live.Keeper
function contexts.keeper()
  return setmetatable({ kept = {} }, Keeper)
end

-- What a run has made later on takes the place of what was; that is closed when it cannot come back.
local function replace(keeper, run, name)
  local old, probation = keeper.kept[name], run.unit.probation
  keeper.kept[name] = run.keeps[name]
  if probation and probation:covers(run) and not (old and old.made_by == run.maker) then
    table.insert(probation.replaced, { name = name, held = old })
  elseif old then
    close(name, old.object)
  end
end

-- What make returns; it may reach out.
local function made_by(run, name, spec, make)
  run.making = (run.making or 0) + 1
  local ok, object, message = pcall(make, spec)
  run.making = run.making - 1
  if not ok and errors.is(object, errors.CancelledError) then
    error(object, 0)
  elseif not ok or object == nil then
    refusals.raise("init", ("ctx:keep '%s': %s"):format(name, tostring(ok and message or object)))
  end
  return object
end

--- See Ctx:keep. What a run that starts makes is its own until it is committed.
---@async
---@param run strobe.live.Run
---@param name string
---@param spec any
---@param make fun(spec: any): any
---@return any object
function Keeper:keep(run, name, spec, make)
  local held = run.keeps[name] or self.kept[name]
  if held and state.equal(held.spec, spec) then
    run.keeps[name] = held
    return held.object
  end
  local object = made_by(run, name, spec, make)
  local other = run.keeps[name] or self.kept[name]
  if other ~= held and other and state.equal(other.spec, spec) then -- another task was faster
    close(name, object)
    return other.object
  elseif run.starting and other and other.made_by == run.maker then
    close(name, other.object)
  end
  run.keeps[name] = { object = object, spec = type(spec) == "table" and state.copy(spec) or spec, made_by = run.maker }
  if not run.starting then
    replace(self, run, name)
  end
  return object
end

--- The run's are the unit's from now on. Those which it replaced are returned, to be closed later.
---@param run strobe.live.Run
---@return table[] replaced
---@return string[] kept names of those that stayed
---@return string[] remade
function Keeper:take_over(run)
  local replaced, kept, remade = {}, {}, {}
  for name, held in pairs(run.keeps) do
    local old = self.kept[name]
    if old == held then
      kept[#kept + 1] = name
    else
      replaced[#replaced + 1] = { name = name, held = old }
      remade[#remade + 1] = name
      self.kept[name] = held
    end
  end
  table.sort(kept)
  table.sort(remade)
  return replaced, kept, remade
end

--- Closes what a run has made, which was never committed.
---@param run strobe.live.Run
function Keeper:discard(run)
  for name, held in pairs(run.keeps) do
    if held.made_by == run.maker and self.kept[name] ~= held then
      close(name, held.object)
    end
  end
  run.keeps = {}
end

--- Undoes take_over.
---@param run strobe.live.Run
---@param replaced table[] what that returned
function Keeper:give_back(run, replaced)
  for i = #replaced, 1, -1 do
    local old = replaced[i]
    local new = self.kept[old.name]
    self.kept[old.name] = old.held
    if new and new.made_by == run.maker then
      close(old.name, new.object)
    end
  end
end

--- Closes what was replaced.
---@param replaced table[] what take_over returned
function Keeper:close_replaced(replaced) -- luacheck: ignore self
  for _, old in ipairs(replaced) do
    if old.held then
      close(old.name, old.held.object)
    end
  end
end

--- Closes all.
function Keeper:close()
  for name, held in pairs(self.kept) do
    self.kept[name] = nil
    close(name, held.object)
  end
end

return contexts
