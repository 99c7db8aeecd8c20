--- What a unit's code sees: Lua without what would reach past the runtime, and require for its own files.
--
-- It guards against accidents, not malice. Reads of a module's globals fall through to one API that nobody can write;
-- writing a global is an error. What tasks, timers and random numbers are is the unit's.

local quota = require "strobe.live.quota"
local refusals = require "strobe.live.refusal"

local environment = {}

local copied = {
  "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget", "rawlen", "select",
  "setmetatable", "tonumber", "tostring", "type", "_VERSION",
}
local libraries = { "coroutine", "math", "string", "table", "utf8" }

-- Only for units that say `unsafe = true`.
local unsafe = { "io", "os", "debug", "dofile", "loadfile", "collectgarbage" }

-- The names of the views and globals that nobody may write.
local frozen = setmetatable({}, { __mode = "k" })

local function refuse_write(view, key)
  local name = frozen[view]
  if name == "_G" then
    refusals.raise("global", ("the global '%s' was written"):format(tostring(key)))
  end
  refusals.raise("global", ("%s.%s was written; it belongs to the runtime"):format(name, tostring(key)))
end

-- All that a view shows: `instead` first.
local function merged(original, instead)
  local all = {}
  for key, value in pairs(original) do
    all[key] = value
  end
  for key, value in pairs(instead) do
    all[key] = value
  end
  return all
end

--- A view of a table which nobody can change; what stands in `instead` takes the place of the original.
---@param original table
---@param name string for people
---@param instead? table
---@return table
function environment.frozen(original, name, instead)
  local view = {}
  frozen[view] = name
  local shown = instead and setmetatable(instead, { __index = original }) or original
  return setmetatable(view, {
    __index = shown,
    __newindex = refuse_write,
    __pairs = function()
      return next, merged(original, instead or {}), nil
    end,
    __len = function()
      return #original
    end,
    __call = function(_, ...)
      return original(...)
    end,
    __name = name,
    __metatable = name, -- nobody can put another in its place
  })
end

--- A name that units have not: what it is asked for raises, with what to do instead.
---@param name string
---@param instead string
---@return table
function environment.absent(name, instead)
  local function refuse()
    error(("%s: units do not have it; %s"):format(name, instead), 2)
  end
  return setmetatable({}, { __index = refuse, __newindex = refuse, __call = refuse, __metatable = name })
end

local function guarded_rawset(t, key, value)
  if frozen[t] then
    refuse_write(t, key)
  end
  return rawset(t, key, value)
end

-- load of text only, with the module's globals unless others are given.
local function loader_for(env)
  return function(chunk, name, mode, ...)
    if mode ~= nil and not tostring(mode):find "t" then
      return nil, ("load: mode '%s': units load text only"):format(tostring(mode))
    elseif select("#", ...) > 0 then
      return load(chunk, name, "t", (...))
    end
    return load(chunk, name, "t", env)
  end
end

-- Only how much there is may be asked: a collection would hold up all units.
local function count_garbage(option)
  if option ~= "count" then
    error('collectgarbage: units may ask for "count" only; the collector is everybody\'s', 2)
  end
  return collectgarbage "count"
end

--- The API that all modules of a generation share.
---@param facets table what is the unit's own: print, warn, random, randomseed, coroutine (a table of functions)
---@return table
function environment.api(facets)
  local api = {
    print = facets.print, warn = facets.warn, rawset = guarded_rawset, collectgarbage = count_garbage,
    xpcall = quota.xpcall,
  }
  for _, name in ipairs(copied) do
    api[name] = _G[name]
  end
  local instead = {
    coroutine = facets.coroutine, math = { random = facets.random, randomseed = facets.randomseed },
  }
  for _, name in ipairs(libraries) do
    api[name] = environment.frozen(_G[name], name, instead[name])
  end
  -- The real one is everybody's.
  local text_metatable = environment.frozen({ __index = api.string, __name = "string" }, "the metatable of strings")
  api.getmetatable = function(value)
    if type(value) == "string" then
      return text_metatable
    end
    return getmetatable(value)
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
  frozen[env] = "_G"
  local mine = setmetatable({ require = require_own, load = loader_for(env), _G = env }, { __index = api })
  for _, name in ipairs(is_unsafe and unsafe or {}) do
    mine[name] = _G[name]
  end
  return setmetatable(env, {
    __index = mine,
    __newindex = refuse_write,
    __pairs = function()
      return next, merged(api, mine), nil
    end,
    __name = "globals of a unit",
    __metatable = "globals of a unit",
  })
end

return environment
