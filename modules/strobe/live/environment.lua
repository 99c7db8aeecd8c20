--- What a unit's code sees: Lua without what would reach past the runtime, and require for its own files.
--
-- It guards against accidents, not malice. Reads of a module's globals fall through to one API that nobody can write;
-- writing a global is an error. What tasks, timers and random numbers are is the unit's.

local refusals = require "strobe.live.refusal"

local environment = {}

local copied = {
  "assert", "error", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset", "select",
  "setmetatable", "tonumber", "tostring", "type", "xpcall", "_VERSION",
}
local libraries = { "coroutine", "math", "string", "table", "utf8" }

-- Only for units that say `unsafe = true`.
local unsafe = { "io", "os", "debug", "dofile", "loadfile", "collectgarbage" }

--- A view of a table which nobody can change; what stands in `instead` takes the place of the original.
---@param original table
---@param name string for people
---@param instead? table
---@return table
function environment.frozen(original, name, instead)
  return setmetatable(instead or {}, {
    __index = original,
    __newindex = function(_, key)
      refusals.raise("global", ("%s.%s was written; it belongs to the runtime"):format(name, tostring(key)))
    end,
    __pairs = function(view)
      local function step(_, key)
        local value
        key, value = next(original, key)
        if key == nil then
          return nil
        end
        local own = rawget(view, key)
        return key, own == nil and value or own
      end
      return step, view, nil
    end,
    __len = function()
      return #original
    end,
    __name = name,
  })
end

local function protected_metatable(value)
  if type(value) == "string" then
    return { __index = string, __name = "string" } -- a copy: the real one is everybody's
  end
  return getmetatable(value)
end

-- load of text only, with the module's globals unless others are given.
local function loader_for(env)
  return function(chunk, name, mode, ...)
    if mode ~= nil and mode ~= "t" then
      error(("load: mode '%s': units load text only"):format(tostring(mode)), 2)
    end
    if select("#", ...) > 0 then
      return load(chunk, name, "t", (...))
    end
    return load(chunk, name, "t", env)
  end
end

--- The API that all modules of a generation share.
---@param facets table what is the unit's own: print, random, randomseed, coroutine (a table of functions)
---@return table
function environment.api(facets)
  local api = { getmetatable = protected_metatable, print = facets.print }
  for _, name in ipairs(copied) do
    api[name] = _G[name]
  end
  for _, name in ipairs(libraries) do
    api[name] = environment.frozen(_G[name], name, name == "coroutine" and facets.coroutine or name == "math"
      and { random = facets.random, randomseed = facets.randomseed } or nil)
  end
  return api
end

--- The globals of one module.
---@param api table
---@param require_own function
---@param is_unsafe boolean whether it sees what is hidden otherwise
---@return table
function environment.new(api, require_own, is_unsafe)
  local env = {}
  local mine = setmetatable({ require = require_own, load = loader_for(env), _G = env }, { __index = api })
  for _, name in ipairs(is_unsafe and unsafe or {}) do
    mine[name] = _G[name]
  end
  return setmetatable(env, {
    __index = mine,
    __newindex = function(_, name)
      refusals.raise("global", ("the global '%s' was written"):format(tostring(name)))
    end,
    __name = "globals of a unit",
  })
end

return environment
