--- The code of a generation: its files, who requires whom, and what their modules returned.
--
-- A graph is loaded once and not changed after that, but for modules which are required later. One made from another
-- takes over the modules whose files, and all that they reach, are as they were.
--
-- While it is loaded, a module that requires another one stands still in its coroutine until that was executed, so
-- the loop has a turn between any two (see Graph:load). Where it cannot stand still, as within a sort's comparison,
-- the other one is executed at once.

local environment = require "strobe.live.environment"
local native = require "strobe.live.native"
local quarantine = require "strobe.live.quarantine"
local reading = require "strobe.live.reading"
local refusals = require "strobe.live.refusal"
local sources = require "strobe.live.source"

---@class strobe.live.Graph
---@field root string the unit's file
---@field folders string[] where modules are looked for
---@field sources table<string, strobe.live.Source> by path
---@field names table<string, string> paths of the unit's modules, by the name in require
---@field parents table<string, table<string, true>> who requires a path
---@field foreign table<string, table<string, true>> names of modules that are not the unit's, by who requires them
---@field unseen table<string, true> paths that only executing the code shows, as in require(name)
---@field private values table<string, {value: any, env: table, home: table}> of what was executed, by path
---@field natives table<string, any> what those are for the unit, by name
---@field late string[] what was required after loading
local Graph = {}
Graph.__index = Graph

-- Modules of the runtime which reach past ctx.
local forbidden = {
  ["strobe.net"] = true, ["strobe.ws"] = true, ["strobe.http"] = true, ["strobe.tectonic"] = true,
  ["strobe.gpio"] = true, ["strobe.tls"] = true, ["strobe.discovery"] = true, ["strobe.sketch"] = true, luv = true,
  io = true, os = true, debug = true, package = true,
}

local function is_forbidden(name)
  return forbidden[name] or name:find "^strobe%.core%." or name:find "^strobe%.async%." or name:find "^strobe%.live%."
    or forbidden[name:match "^strobe%.[^.]+" or ""]
end

local function add(sets, key, member)
  sets[key] = sets[key] or {}
  if member then
    sets[key][member] = true
  end
end

-- --- Reading -----------------------------------------------------------------------------------

local function compile(graph, texts, before, turn)
  local roots = reading.roots(graph.folders)
  for path, raw in pairs(texts) do
    sources.check_place(path, roots)
    local old = before and before.sources[path]
    if old and old.raw == raw then
      graph.sources[path] = old
    else
      graph.sources[path] = sources.new(path, raw)
      turn()
    end
  end
end

--- Reads and compiles the files of a unit. Raises a Refusal.
---@async
---@param root string the unit's file, absolute
---@param folders string[]
---@param before? strobe.live.Graph of the code that runs
---@param turn? async fun() called after each file that was compiled
---@return strobe.live.Graph
function Graph.read(root, folders, before, turn)
  local graph = setmetatable({
    root = root, folders = folders, sources = {}, names = {}, parents = { [root] = {} }, foreign = {}, unseen = {},
    values = {}, natives = {}, loading = {}, late = {}, options = {},
  }, Graph)
  local files = reading.perform(root, folders, before)
  graph.names = files.names
  for path in pairs(files.unseen) do
    graph.unseen[path] = files.texts[path] and true
  end
  for _, edge in ipairs(files.edges) do
    add(graph.parents, edge.to, edge.from)
  end
  compile(graph, files.texts, before, turn or function() end)
  return graph
end

-- --- What is new ---------------------------------------------------------------------------------

-- Adds a path and all that reach it.
local function spread(graph, dirty, path)
  if not dirty[path] then
    dirty[path] = true
    for parent in pairs(graph.parents[path] or {}) do
      spread(graph, dirty, parent)
    end
  end
end

--- The files that differ from those of another graph, and all that reach one.
---@param other strobe.live.Graph
---@return string[] changed sorted
---@return table<string, true> dirty
function Graph:differences(other)
  local changed, dirty = {}, {}
  for path, source in pairs(self.sources) do
    local before = other.sources[path]
    if not before or before.raw ~= source.raw then
      changed[#changed + 1] = path
      spread(self, dirty, path)
      for parent in pairs(other.parents[path] or {}) do
        spread(self, dirty, parent)
      end
    end
  end
  for path in pairs(other.sources) do
    if not self.sources[path] then
      changed[#changed + 1] = path
    end
  end
  table.sort(changed)
  return changed, dirty
end

--- Takes over what need not be executed again.
---@param other strobe.live.Graph
---@return string[] carried paths
function Graph:carry(other)
  local _, dirty = self:differences(other)
  local carried = {}
  for path in pairs(self.sources) do
    if not dirty[path] and path ~= self.root and other.values[path] and self:is_unsafe() == other:is_unsafe() then
      self.values[path], self.foreign[path] = other.values[path], other.foreign[path]
      for parent in pairs(other.parents[path] or {}) do
        add(self.parents, path, self.sources[parent] and parent)
      end
      carried[#carried + 1] = path
    end
  end
  table.sort(carried)
  return carried
end

-- --- Executing -----------------------------------------------------------------------------------

-- What a chunk yields that needs another module: REQUEST, path, name.
local REQUEST = {}

--- The place in the unit's files that a text names first, else the first line of a file.
---@param text string
---@param path string
---@return string
function Graph:place_in(text, path)
  return sources.place_in(text, self.sources) or path .. ":1"
end

-- What is wrong with a load that did not come to its end.
local function refusal_of(graph, account, e)
  local trace = debug.traceback(account.thread, refusals.text(e))
  local code = trace:find "^[^\n]*cannot wait" and "await" or "load"
  local refusal = refusals.of(e, code)
  refusal.place = refusal.place or graph:place_in(trace, account.path)
  refusal.trace = refusal.trace or trace
  return refusal
end

local value_of, require_for

-- Runs a chunk to its end, away from the scheduler: a wait raises there.
local function execute(graph, account, turn, ...)
  local ok, value, path, name = quarantine.resume(account, ...)
  while ok and value == REQUEST do
    ok, value, path, name = quarantine.resume(account, pcall(value_of, graph, path, name, turn))
  end
  if not ok then
    error(refusal_of(graph, account, value), 0)
  elseif coroutine.status(account.thread) ~= "dead" then
    local trace = debug.traceback(account.thread, "")
    refusals.raise("await", account.path .. " yields while it is loaded", graph:place_in(trace, account.path))
  end
  return value
end

local function cycle_text(graph, path)
  local names = {}
  for _, loading in ipairs(graph.loading) do
    if loading == path or #names > 0 then
      names[#names + 1] = loading
    end
  end
  names[#names + 1] = path
  return table.concat(names, " -> ")
end

-- A file that nobody saw coming is read at once.
local function source_at(graph, path)
  if not graph.sources[path] then
    local raw = sources.read_now(path)
    if not raw then
      refusals.raise("missing", path .. ": no such file, or it cannot be read")
    end
    sources.check_place(path, reading.roots(graph.folders))
    graph.sources[path], graph.unseen[path] = sources.new(path, raw), true
  end
  return graph.sources[path]
end

-- Executes a module. turn: called before and after, if there the task may wait; what requires it has done a part of
-- its own work before, and goes on after.
local function load_module(graph, path, name, turn)
  if turn then
    turn()
  end
  local home = { graph = graph }
  local env = environment.new(graph.api, require_for(home, path), graph:is_unsafe())
  local account = quarantine.open(path, sources.chunk(source_at(graph, path), env), graph)
  table.insert(graph.loading, path)
  local ok, value = pcall(execute, graph, account, turn, name, path)
  table.remove(graph.loading)
  quarantine.close(account)
  if not ok then
    error(value, 0)
  end
  graph.values[path] = {
    value = value == nil and true or value, env = env, home = home, locals = graph.options.note(path, value),
  }
  if turn then
    turn()
  end
end

-- The value of a module, which is executed unless it was.
function value_of(graph, path, name, turn)
  if not graph.values[path] then
    for _, loading in ipairs(graph.loading) do
      if loading == path then
        refusals.raise("cycle", "modules require each other: " .. cycle_text(graph, path))
      end
    end
    load_module(graph, path, name, turn)
  end
  return graph.values[path].value
end

-- A chunk that is loaded stands still meanwhile, if it can.
local function request(graph, path, name)
  local account = quarantine.account()
  if not account or graph.values[path] or coroutine.running() ~= account.thread or not coroutine.isyieldable() then
    return value_of(graph, path, name)
  end
  local ok, value = coroutine.yield(REQUEST, path, name)
  if not ok then
    error(value, 0)
  end
  return value
end

local function check_reach(graph, name)
  local reaches_out = graph.options.reaches_out
  if is_forbidden(name) and not graph:is_unsafe() and not (reaches_out and reaches_out()) then
    local text = "module '%s' reaches past ctx: use a port, require it in the make of ctx:keep, or say unsafe = true"
    refusals.raise("load", text:format(name))
  end
end

local function load_native(graph, name)
  local ok, value = pcall(native.require, name)
  if not ok and tostring(value):find(("module '%s' not found"):format(name), 1, true) then
    refusals.raise("missing", ("there is no module '%s', nor a file of that name below %s"):format(name,
      table.concat(graph.folders, ", ")))
  elseif not ok then
    error(value, 0)
  end
  native.check(name)
  if type(value) == "table" and not graph:is_unsafe() then
    return environment.frozen(value, name)
  end
  return value
end

-- A module of the runtime, or one in C.
local function require_foreign(graph, name)
  if graph.facets[name] then
    return graph.facets[name]
  end
  check_reach(graph, name)
  if graph.natives[name] == nil then
    graph.natives[name] = load_native(graph, name)
  end
  return graph.natives[name]
end

-- Whose modules one requires that was taken over: those of the graph that is loaded, or of the one at work.
local function owner(home, path)
  local account = quarantine.account()
  local loading = account and account.graph
  if loading and loading.values[path] and loading.values[path].home == home then
    return loading
  end
  return home.graph
end

-- What is required after loading joins the graph, and is told; but not if it fails.
local function require_late(graph, path, name, parent)
  local known = graph.sources[path]
  local ok, value = pcall(value_of, graph, path, name)
  if not ok then
    graph.sources[path], graph.unseen[path] = known, known and graph.unseen[path]
    error(value, 0)
  end
  graph.late[#graph.late + 1] = path
  if graph.options.late then
    graph.options.late(path, parent)
  end
  return value
end

-- The `require` of one file; home.graph is the graph at work that has the module.
function require_for(home, parent)
  return function(name)
    if type(name) ~= "string" then
      error(("require: a module's name expected, got %s"):format(type(name)), 2)
    end
    local graph = owner(home, parent)
    local path = graph.names[name] or reading.find(name, graph.folders)
    if not path then
      add(graph.foreign, parent, name)
      return require_foreign(graph, name)
    end
    graph.names[name] = path
    add(graph.parents, path, parent)
    if not graph.values[path] and #graph.loading == 0 then
      return require_late(graph, path, name, parent)
    end
    return request(graph, path, name)
  end
end

---@class strobe.live.LoadOptions
---@field turn? async fun() called between two modules; without it all are executed at once
---@field late? fun(path: string, parent: string) told of what is required after loading
---@field reaches_out? fun(): boolean whether the caller may require what reaches past ctx
---@field note? fun(path: string, value: any): any what is to be remembered of a module that was executed

--- Executes the root, and what it requires. Raises a Refusal.
---@async
---@param facets table<string, table> what modules of the runtime are for the unit, by name
---@param api table see environment.api
---@param options? strobe.live.LoadOptions
---@return any what the root returned
function Graph:load(facets, api, options)
  self.facets, self.api, self.options = facets, api, options or {}
  self.options.note = self.options.note or function() end
  local value = value_of(self, self.root, "unit", self.options.turn)
  for path in pairs(self.values) do
    for name in pairs(self.foreign[path] or {}) do
      native.check(name)
    end
  end
  return value
end

--- Its modules are at work from now on: what they require later belongs to it.
function Graph:adopt()
  for _, record in pairs(self.values) do
    record.home.graph = self
  end
end

--- Whether the root says `unsafe = true`.
---@return boolean
function Graph:is_unsafe()
  if self.unsafe == nil then
    local text = self.sources[self.root].text:gsub("%-%-[^\n]*", "")
    self.unsafe = text:find "%f[%w_]unsafe%s*=%s*true%f[^%w_]" ~= nil
  end
  return self.unsafe
end

--- The files, sorted.
---@return string[]
function Graph:paths()
  local paths = {}
  for path in pairs(self.sources) do
    paths[#paths + 1] = path
  end
  table.sort(paths)
  return paths
end

return Graph
