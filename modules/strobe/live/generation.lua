--- A generation: the code of a unit, loaded and checked, under a number that is never used again.

local contracts = require "strobe.live.contract"
local environment = require "strobe.live.environment"
local Graph = require "strobe.live.graph"
local locals = require "strobe.live.locals"
local quarantine = require "strobe.live.quarantine"
local Random = require "strobe.live.random"
local reading = require "strobe.live.reading"
local refusals = require "strobe.live.refusal"
local runs = require "strobe.live.run"
local state = require "strobe.live.state"

---@class strobe.live.Generation
---@field number integer
---@field graph strobe.live.Graph
---@field contract strobe.Unit
---@field types strobe.live.Types
---@field warnings string[]
---@field carried string[] modules taken over from the one before
---@field changed string[] files that differ from that
---@field tasks table<string, integer> how many tasks its runs have had, by kind: for the ids of effects

---@class strobe.Unit what the file of a unit returns; one of main, on_event and on_batch is needed
---@field version integer of the state's form: a reload that changes it calls migrate
---@field subscribe? string[] "stream" or "feed:stream"
---@field parameters? table<string, number|string|boolean> what a trader turns
---@field init? fun(ctx: strobe.Ctx, st: table) after the start, and after each reload
---@field migrate? fun(st: table, from?: integer): table the state of another version, a copy; pure
---@field main? fun(ctx: strobe.Ctx, st: table) asks for events itself: for m in ctx:inbox() do … end
---@field on_event? fun(ctx: strobe.Ctx, st: table, m: strobe.Event) called with one event after the other
---@field on_batch? fun(ctx: strobe.Ctx, st: table, batch: strobe.Event[]) called with all that wait
---@field batch? {size?: integer, wait?: number} of on_batch: events at most (1000), seconds after the first (0)
---@field dispose? fun(ctx: strobe.Ctx, st: table, why: "reload"|"rollback"|"stop") before its end
---@field on_rollback? fun(ctx: strobe.Ctx, st: table, effects: table[]) with what the undone code has really sent
---@field unsafe? boolean it sees io, os and the network; a reload cannot be undone then

local generations = {}

local function refuse_effect(what)
  refusals.raise("effect", what .. " while the module is loaded")
end

-- The run that calls; a module that is loaded has none.
local function run_for(what)
  local run = runs.current()
  if quarantine.account() then
    refuse_effect(what)
  end
  return run or error(what .. ": no task of a unit calls", 3)
end

local function text_of(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    parts[i] = tostring(parts[i])
  end
  return table.concat(parts, "\t")
end

local function create_coroutine(f)
  return quarantine.watch(coroutine.create(f))
end

local function wrap_coroutine(f)
  if type(f) ~= "function" then
    error(("coroutine.wrap: a function expected, got %s"):format(type(f)), 2)
  end
  return coroutine.wrap(function(...)
    quarantine.watch((coroutine.running()))
    return f(...)
  end)
end

local function random_facet(name, seed)
  local generator = Random.new(seed, name, "load")
  return function(...)
    local run = runs.current()
    if run and not quarantine.account() then
      return run:random(...)
    end
    return generator:draw(...)
  end
end

-- Names of strobe.async that make tasks or threads, or wait for what they would make.
local makers = { "ensure_future", "shield", "as_completed", "timer", "every", "TaskGroup", "ThreadPoolExecutor" }
local waiters = { "gather", "wait", "wait_for", "move_on_after", "to_thread" }
-- Those that reach past ctx, and what a unit has instead.
local outer = {
  fs = "use the port file, or ctx:keep", stdin = "subscribe to a feed", stdout = "print, or the port out",
  stderr = "ctx:log", subprocess = "use a port", create_subprocess_exec = "use a port",
  create_subprocess_shell = "use a port", open_connection = "use a port or ctx:keep",
  open_unix_connection = "use a port or ctx:keep", start_server = "use a port", start_unix_server = "use a port",
  connect_read_pipe = "use a port", connect_write_pipe = "use a port",
  get_running_loop = "units reach the loop by ctx",
}

-- A function which a module that is loaded may not call.
local function later(async, code, name)
  return function(...)
    if quarantine.account() then
      refusals.raise(code, ("async.%s while the module is loaded"):format(name))
    end
    return async[name](...)
  end
end

local function async_facet(is_unsafe)
  local async = require "strobe.async"
  local instead = {
    sleep = function(seconds, ...)
      local run = runs.current()
      if run and run.replay and type(seconds) == "number" then
        run:sleep(seconds)
        return ...
      end
      return async.sleep(seconds, ...)
    end,
    create_task = function(f, ...)
      return run_for("async.create_task"):create_task(f, ...)
    end,
    run = function()
      error("async.run: a unit runs already", 2)
    end,
  }
  for code, names in pairs { effect = makers, await = waiters } do
    for _, name in ipairs(names) do
      instead[name] = later(async, code, name)
    end
  end
  for name, text in pairs(is_unsafe and {} or outer) do
    instead[name] = environment.absent("async." .. name, text)
  end
  return environment.frozen(async, "async", instead)
end

local function live_facet(types)
  return environment.frozen({}, "live", {
    type = function(name, metatable)
      local account = quarantine.account()
      if type(name) ~= "string" or type(metatable) ~= "table" then
        error("live.type: a name and a metatable expected", 2)
      elseif not account then
        error("live.type: types are declared while the module is loaded", 2)
      elseif types.metatables[name] and types.homes[name] ~= account.path then
        error(("live.type: '%s' is declared by %s already"):format(name, types.homes[name]), 2)
      end
      state.declare(types, name, metatable, account.path)
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
  local facets = { ["strobe.async"] = async_facet(graph:is_unsafe()), ["strobe.live"] = live_facet(types) }
  local api = environment.api {
    print = function(...)
      run_for "print":emit("out", text_of(...))
    end,
    warn = function(...)
      local run = run_for "warn"
      run.unit.runtime:log("warning", table.concat { ... }, { unit = unit.name, gen = run.generation.number,
        seq = run.seen })
    end,
    random = random_facet(unit.name, unit.runtime.seed),
    randomseed = function() end, -- the run's seed decides
    coroutine = { create = create_coroutine, wrap = wrap_coroutine },
  }
  return facets, api
end

-- What a module has of others: its own tables are not among that.
local function foreign_tables(graph, types)
  local set = {}
  for _, record in pairs(graph.values) do
    if type(record.value) == "table" then
      set[record.value] = true
    end
  end
  for _, facets in ipairs { graph.facets, graph.natives } do
    for _, facet in pairs(facets) do
      set[facet] = true
    end
  end
  for metatable in pairs(types.names) do
    set[metatable] = true
  end
  return set
end

local function load_options(unit, graph, types, turn)
  return {
    turn = turn,
    reaches_out = function()
      local run = runs.current()
      return run ~= nil and (run.making or 0) > 0
    end,
    late = function(path, parent)
      unit.runtime:log("info", ("late_require: %s, by %s"):format(path, parent), { unit = unit.name })
    end,
    note = function(path, value)
      return locals.of(graph.sources[path], value, foreign_tables(graph, types))
    end,
  }
end

-- The types which modules declare that are not executed again.
local function carry_types(types, before, carried)
  for _, path in ipairs(carried) do
    for name, home in pairs(before.types.homes) do
      if home == path then
        state.declare(types, name, before.types.metatables[name], home)
      end
    end
  end
end

local function base_name(path)
  return path:match "[^/]+$"
end

-- What of the code before is gone or deserves a word: tables of its modules that had changed, late modules.
local function add_losses(warnings, graph, before)
  for _, path in ipairs(before.graph:paths()) do
    local record = before.graph.values[path]
    if record and graph.values[path] ~= record then
      for _, variable in ipairs(locals.changed(record.locals or {})) do
        local text = "module table `%s`, %s:%d, was changed and is reset: what must live goes into st"
        warnings[#warnings + 1] = text:format(variable.name, base_name(path), variable.line)
      end
    end
  end
  for _, path in ipairs(before.graph.late) do
    warnings[#warnings + 1] = "late_require: " .. base_name(path)
  end
end

local function check_streams(unit, contract)
  for _, stream in ipairs(contract.subscribe or {}) do
    local there, message = unit.runtime.delivery:has_stream(stream)
    if not there then
      refusals.raise("subscribe", message, unit.path .. ":1")
    end
  end
end

-- What was read while it was executed has to be what the disk has a moment later.
local function verify_unseen(graph, before)
  local texts = {}
  for path in pairs(graph.unseen) do
    local known = before and before.graph.sources[path]
    texts[path] = graph.sources[path] ~= known and graph.sources[path].raw or nil
  end
  reading.verify(texts)
end

--- Reads, executes and checks the code of a unit. Raises a Refusal.
---@async
---@param unit strobe.live.RunningUnit
---@param number integer
---@param before? strobe.live.Generation whose unchanged modules are taken over
---@param turn? async fun() called after each file that was compiled, and each module that was executed
---@return strobe.live.Generation
function generations.load(unit, number, before, turn)
  local graph = Graph.read(unit.path, unit.runtime:folders(unit.path), before and before.graph, turn)
  local types, carried, changed = state.types(), {}, graph:paths()
  if before then
    changed, carried = graph:differences(before.graph), graph:carry(before.graph)
    carry_types(types, before, carried)
  end
  local facets, api = facets_of(unit, graph, types)
  local value = graph:load(facets, api, load_options(unit, graph, types, turn))
  verify_unseen(graph, before)
  local contract, warnings = contracts.check(unit.path, value, graph:is_unsafe())
  check_streams(unit, contract)
  if before then
    add_losses(warnings, graph, before)
  end
  local debuggers = package.loaded["strobe.debug.debugger"]
  if debuggers then
    debuggers.renew()
  end
  return {
    number = number, graph = graph, contract = contract, types = types, warnings = warnings, carried = carried,
    changed = changed, tasks = {},
  }
end

return generations
