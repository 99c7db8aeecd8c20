--- A generation: the code of a unit, loaded and checked, under a number that is never used again.

local contracts = require "strobe.live.contract"
local environment = require "strobe.live.environment"
local Graph = require "strobe.live.graph"
local Random = require "strobe.live.random"
local refusals = require "strobe.live.refusal"
local runs = require "strobe.live.run"
local state = require "strobe.live.state"

---@class strobe.live.Generation
---@field number integer
---@field graph strobe.live.Graph
---@field contract strobe.live.Contract
---@field types strobe.live.Types
---@field warnings string[]
---@field carried string[] modules taken over from the one before
---@field changed string[] files that differ from that

---@class strobe.live.Contract
---@field version integer
---@field subscribe? string[]
---@field init? fun(ctx: strobe.live.Ctx, st: table)
---@field migrate? fun(st: table, from?: integer): table
---@field main? fun(ctx: strobe.live.Ctx, st: table)
---@field on_event? fun(ctx: strobe.live.Ctx, st: table, event: strobe.live.Event)
---@field dispose? fun(ctx: strobe.live.Ctx, st: table, why: "reload"|"rollback"|"stop")
---@field on_rollback? fun(ctx: strobe.live.Ctx, st: table, effects: table[])
---@field unsafe? boolean

local generations = {}

-- The run that calls; a module that is loaded has none.
local function run_for(what)
  local run = runs.current()
  if not run then
    refusals.raise("effect", what .. " while the module is loaded")
  end
  return run
end

local function text_of(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    parts[i] = tostring(parts[i])
  end
  return table.concat(parts, "\t")
end

local function coroutine_facet(graph)
  return {
    create = function(f)
      return graph:watch(coroutine.create(f))
    end,
    wrap = function(f)
      local thread = graph:watch(coroutine.create(f))
      return function(...)
        local results = table.pack(coroutine.resume(thread, ...))
        if not results[1] then
          error(results[2], 0)
        end
        return table.unpack(results, 2, results.n)
      end
    end,
  }
end

local function random_facet(name, seed)
  local generator = Random.new(seed, name, "load")
  return function(...)
    local run = runs.current()
    if run then
      return run:random(...)
    end
    return generator:draw(...)
  end
end

local function async_facet()
  return environment.frozen(require "strobe.async", "async", {
    create_task = function(f, ...)
      return run_for("async.create_task"):create_task(f, ...)
    end,
    get_running_loop = function()
      refusals.raise("effect", "async.get_running_loop: units reach the loop by ctx")
    end,
    run = function()
      error("async.run: a unit runs already", 2)
    end,
  })
end

local function live_facet(types)
  return environment.frozen({}, "live", {
    type = function(name, metatable)
      if type(name) ~= "string" or type(metatable) ~= "table" then
        error("live.type: a name and a metatable expected", 2)
      end
      types.names[metatable], types.metatables[name] = name, metatable
      return metatable
    end,
    request_reload = function(unit)
      local run = run_for "live.request_reload"
      run.unit.runtime:request_reload(unit or run.unit.name)
    end,
    reload = function(unit, options)
      local run = run_for "live.reload"
      unit = unit or run.unit.name
      local reports = run.unit.runtime:reload(unit, options)
      for _, report in ipairs(reports) do
        if report.unit == unit then
          return report, reports
        end
      end
    end,
  })
end

local function facets_of(unit, graph, types)
  local facets = { ["strobe.async"] = async_facet(), ["strobe.live"] = live_facet(types) }
  local api = environment.api {
    print = function(...)
      run_for "print":emit("out", text_of(...))
    end,
    random = random_facet(unit.name, unit.runtime.seed),
    randomseed = function() end, -- the run's seed decides
    coroutine = coroutine_facet(graph),
  }
  return facets, api
end

--- Reads, executes and checks the code of a unit. Raises a Refusal.
---@async
---@param unit strobe.live.Unit
---@param number integer
---@param before? strobe.live.Generation whose unchanged modules are taken over
---@return strobe.live.Generation
function generations.load(unit, number, before)
  local graph = Graph.read(unit.path, unit.runtime:folders(unit.path))
  -- Unchanged modules have declared their types before.
  local types = state.types()
  local carried, changed = {}, graph:paths()
  if before then
    changed = graph:differences(before.graph)
    carried = graph:carry(before.graph)
    for metatable, name in pairs(#carried > 0 and before.types.names or {}) do
      types.names[metatable], types.metatables[name] = name, metatable
    end
  end
  local facets, api = facets_of(unit, graph, types)
  local contract, warnings = contracts.check(unit.path, graph:load(facets, api))
  for _, stream in ipairs(contract.subscribe or {}) do
    local there, message = unit.runtime:has_stream(stream)
    if not there then
      refusals.raise("subscribe", message, unit.path .. ":1")
    end
  end
  return {
    number = number, graph = graph, contract = contract, types = types, warnings = warnings, carried = carried,
    changed = changed,
  }
end

return generations
