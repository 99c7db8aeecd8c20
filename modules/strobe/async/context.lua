--- Context variables: values that a task, the tasks it makes and the callbacks it
-- asks for have in common, as long as nobody changes them. contextvars
--
-- A context is a table of values by variable which is never changed: setting a
-- variable replaces it by a changed copy. So the core may hand a task's table on
-- as it is, and neither side sees what the other sets later.

local core = require "strobe.core.context"
local mistake = require "strobe.mistake"
local task = require "strobe.core.task"

-- The detail in which a task keeps the Context it has entered.
local ENTERED = "entered context"

-- A variable that was set to nil has this value.
local NIL = setmetatable({}, { __name = "nil" })

local EMPTY = {}

---@class strobe.Context values of context variables
---@field private values? table      nil for the context of a task
---@field private task? strobe.Task  whose context it is
---@field private running? boolean
local Context = {}
Context.__index = Context
Context.__name = "Context"

---@class strobe.ContextVar a variable whose value is one for each task; children begin with a copy
---@field name string
---@field private default any
---@field private has_default boolean
local ContextVar = {}
ContextVar.__index = ContextVar
ContextVar.__name = "ContextVar"

---@class strobe.ContextToken what ContextVar:set returns, for reset
---@field var strobe.ContextVar what was set
---@field old_value any         its value before; nil if it had none
---@field private old any
---@field private owner any     the Context or Task it was set in
---@field private used? boolean
local Token = {}
Token.__index = Token
Token.__name = "Token"

local contexts = {}

local function new_context(values)
  return setmetatable({ values = values }, Context)
end

-- What the callback that runs has entered.
local entered_by_callback

-- Whose values are read and set now: a Context, a Task, or a callback by its number.
local function current_owner()
  local current = task.current()
  if not current then
    return entered_by_callback or core.callback()
  end
  return current:get_detail(ENTERED) or current
end

local function values_of(context)
  return context.task and core.of(context.task) or context.values or EMPTY
end

local function current_values()
  return core.get() or EMPTY
end

-- A Context that was entered is kept equal to the values of who has entered it,
-- for the tasks it makes.
local function set_values(owner, values)
  if getmetatable(owner) == Context then
    owner.values = values
  end
  core.set(values)
end

local function with(values, var, value)
  local copy = {}
  for key, old in pairs(values) do
    copy[key] = old
  end
  copy[var] = value
  return copy
end

local function shown(value)
  if value == NIL then
    return nil
  end
  return value
end

--- The value in the current context, or else the default given here, or else that
--- of the variable; raises when there is none. A nil that is given counts:
--- `var:get(nil)` never raises. contextvars.ContextVar.get
---@param ... any default
---@return any
function ContextVar:get(...)
  local value = current_values()[self]
  if value ~= nil then
    return shown(value)
  elseif select("#", ...) > 0 then
    return (...)
  elseif self.has_default then
    return self.default
  end
  error(("ContextVar '%s' has no value here: set it, or give a default"):format(self.name), 2)
end

--- Sets the value in the current context: for this task, and the tasks it makes
--- from now on. contextvars.ContextVar.set
---@param value any
---@return strobe.ContextToken token for `reset`; also `local token <close> = var:set(v)`
function ContextVar:set(value)
  local owner, values = current_owner(), current_values()
  local old = values[self]
  if value == nil then
    value = NIL
  end
  set_values(owner, with(values, self, value))
  return setmetatable({ var = self, old = old, old_value = shown(old), owner = owner }, Token)
end

--- Gives the variable the value it had before the `set` that made the token, in the
--- same context; once. contextvars.ContextVar.reset
---@param token strobe.ContextToken
function ContextVar:reset(token)
  if getmetatable(token) ~= Token then
    error(("ContextVar:reset: a token expected, got %s"):format(type(token)), 2)
  elseif token.used then
    error("ContextVar:reset: the token has been used already", 2)
  elseif token.var ~= self then
    error("ContextVar:reset: the token is of another variable", 2)
  end
  local owner = current_owner()
  if token.owner ~= owner then
    mistake.raise "ContextVar:reset: the token is of another context"
  end
  token.used = true
  set_values(owner, with(current_values(), self, token.old))
end

function ContextVar:__tostring()
  return ("<ContextVar %s at %p>"):format(self.name, self)
end

function Token:__close()
  if not self.used then
    self.var:reset(self)
  end
end

function Token:__tostring()
  return ("<Token of %s%s>"):format(self.var.name, self.used and ", used" or "")
end

-- Ends what `enter` began, also when the function raised.
local Visit = {}

function Visit:__close()
  self.context.running = nil
  if self.task then
    self.task:set_detail(ENTERED, self.entered)
  else
    entered_by_callback = self.entered
  end
  core.set(self.values)
end

local function enter(context)
  local current = task.current()
  local visit = setmetatable({ context = context, task = current, values = core.get() }, Visit)
  if current then
    visit.entered = current:get_detail(ENTERED)
    current:set_detail(ENTERED, context)
  else
    visit.entered, entered_by_callback = entered_by_callback, context
  end
  core.set(context.values)
  context.running = true
  return visit
end

--- Calls f(…) in this context: what it sets stays here. Waits if f does. Raises if
--- somebody else runs in it. contextvars.Context.run
---@async
---@param f function
---@param ... any
---@return any ... what f returns
function Context:run(f, ...)
  mistake.expect("Context:run", "f", "function", f)
  if self.running or self.task then
    error("Context:run: it has been entered already; run in a copy of it", 2)
  end
  local visit <close> = enter(self) -- luacheck: ignore
  return f(...)
end

--- The value of a variable in this context, or the default given here, or nil.
--- contextvars.Context.get
---@param var strobe.ContextVar
---@param default any
---@return any
function Context:get(var, default)
  local value = values_of(self)[var]
  if value == nil then
    return default
  end
  return shown(value)
end

--- Whether a variable was set in this context.
---@param var strobe.ContextVar
---@return boolean
function Context:has(var)
  return values_of(self)[var] ~= nil
end

--- A copy, which changes by itself. contextvars.Context.copy
---@return strobe.Context
function Context:copy()
  return new_context(values_of(self))
end

--- Iterates over the variables that were set, and their values; also by pairs().
---@return fun(): strobe.ContextVar?, any
function Context:iter()
  local values, var, value = values_of(self), nil, nil
  return function()
    var, value = next(values, var)
    return var, shown(value)
  end
end

Context.__pairs = Context.iter

function Context:__len()
  local count = 0
  for _ in self:iter() do
    count = count + 1
  end
  return count
end

function Context:__tostring()
  return ("<Context of %d variables at %p>"):format(#self, self)
end

--- A new context variable. Make it once, at the top of a module.
---@param name string for people
---@param ... any     default: what `get` returns where the variable was not set
---@return strobe.ContextVar
function contexts.ContextVar(name, ...)
  if type(name) ~= "string" then
    error(("ContextVar: a name expected, got %s"):format(type(name)), 2)
  end
  return setmetatable({ name = name, default = (...), has_default = select("#", ...) > 0 }, ContextVar)
end

--- A new empty context. contextvars.Context
---@return strobe.Context
function contexts.Context()
  return new_context(EMPTY)
end

--- A copy of the current context: `copy_context():run(f, …)` calls f so that what it
--- sets is not seen here. contextvars.copy_context
---@return strobe.Context
function contexts.copy_context()
  return new_context(current_values())
end

--- The context of a task, as it is at any moment: what Task:get_context returns.
---@param of strobe.Task
---@return strobe.Context
function contexts.get_context(of)
  return setmetatable({ task = of }, Context)
end

return contexts
