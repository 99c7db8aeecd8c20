--- Async generators: functions that yield values and may wait. PEP 525
--
-- `for v in gen(…) do … end` ends with the body's end; leaving the loop closes
-- the generator: GeneratorExit is raised where the body yields, so its `<close>`
-- variables run, and may wait.

local core = require "strobe.core.generator"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local task = require "strobe.core.task"

---@class strobe.Generator what the call of a generator function returns; called, it is an iterator; a `<close>` value
---@field private core userdata
local Generator = {}
Generator.__index = Generator
Generator.__name = "generator"

-- The cores of all generators. A core that went together with its generator could
-- not run its cleanup any more; so the collector gets it only after that.
local held = {} -- luacheck: ignore

-- Results of core send and throw: whether it yielded, and the values.
local function values(yielded, ...)
  if yielded then
    return ...
  end
end

--- The next values the body yields; nothing at its end. Waits as the body does.
---@async
---@return any ...
function Generator:next()
  return values(self.core:send())
end

--- As next; the values are what `yield` returns in the body.
---@async
---@param ... any
---@return any ...
function Generator:send(...)
  return values(self.core:send(...))
end

--- Raises an error where the body yields; returns what it yields next.
---@async
---@param e any
---@return any ...
function Generator:throw(e)
  return values(self.core:throw(e))
end

--- Ends the body where it yields; its cleanup runs and may wait. Closing twice is
--- harmless. Raises if the body goes on to yield.
---@async
function Generator:close()
  local state = self.core:state()
  if state == "ended" then
    return
  end
  local exit = errors.GeneratorExit "the generator was closed"
  local ok, e = pcall(self.core.throw, self.core, exit)
  if ok and e then
    error("the generator ignored its closing: it yielded again", 2)
  elseif not ok and e ~= exit then
    error(e, 0)
  end
end

--- "created", "suspended", "running" or "ended".
---@return string
function Generator:state()
  return self.core:state()
end

Generator.__call = Generator.next
Generator.__close = Generator.close

function Generator:__tostring()
  return ("<generator %s at %p>"):format(self.core:state(), self)
end

-- A generator dropped in the middle of its work still gets its cleanup.
function Generator:__gc()
  local inner = self.core
  held[inner] = nil
  if inner:state() == "suspended" then
    local ok = pcall(task.spawn, function()
      Generator.close { core = inner }
    end)
    if not ok then
      core_error.report { message = "a generator was dropped and could not be closed", warning = true }
    end
  end
end

-- The answer of another generator to how `yield` came back: true and what it yields
-- next, or false and what it returned.
local function pass_on(other, ok, ...)
  if ok then
    return other.core:send(...)
  elseif errors.is(..., errors.GeneratorExit) then
    error(..., 0)
  end
  return other.core:throw(...)
end

-- Yields what another generator yields; what is sent or thrown goes to that one.
-- Returns its results. PEP 380
local function delegate_to_generator(yield, other)
  local scope <close> = other -- luacheck: ignore
  local answer = table.pack(other.core:send())
  while answer[1] do
    answer = table.pack(pass_on(other, pcall(yield, table.unpack(answer, 2, answer.n))))
  end
  return table.unpack(answer, 2, answer.n)
end

-- Yields what an iterator gives, as a `for` loop would get it; closes it at the end.
local function delegate(yield, iterator, state, control, closing)
  if getmetatable(iterator) == Generator then
    return delegate_to_generator(yield, iterator)
  end
  local scope <close> = closing -- luacheck: ignore
  local results = table.pack(iterator(state, control))
  while results[1] ~= nil do
    yield(table.unpack(results, 1, results.n))
    results = table.pack(iterator(state, results[1]))
  end
end

-- `yield`, with `yield.from(other)` for delegation to a generator or an iterator.
local function yield_object(yield)
  return setmetatable({
    from = function(...)
      return delegate(yield, ...)
    end,
  }, {
    __call = function(_, ...)
      return yield(...)
    end,
  })
end

local function start(yield, body, ...)
  return body(yield_object(yield), ...)
end

--- Makes a generator function: `body(yield, …)` may wait, and yields by `yield(v)`
--- or `yield.from(other)`. Its call returns the generator and what a `for` loop
--- needs to close it.
---@param body fun(yield: function, ...)
---@return fun(...): strobe.Generator
local function new(body)
  if type(body) ~= "function" then
    error(("async.generator: a function expected, got %s"):format(type(body)), 2)
  end
  return function(...)
    local generator = setmetatable({ core = core.new(start, body, ...) }, Generator)
    held[generator.core] = true
    return generator, nil, nil, generator
  end
end

return { generator = new }
