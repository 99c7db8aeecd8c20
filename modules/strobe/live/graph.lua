--- The code of a generation: its files, who requires whom, and what their modules returned.
--
-- A graph is loaded once and not changed after that, but for modules which are required later. One made from another
-- takes over the modules whose files, and all that they reach, are as they were.

local environment = require "strobe.live.environment"
local refusals = require "strobe.live.refusal"
local sources = require "strobe.live.source"

-- Instructions which a module may take to load, and between two looks at their number.
local BUDGET, LOOK = 5000000, 10000

---@class strobe.live.Graph
---@field root string the unit's file
---@field folders string[] where modules are looked for
---@field sources table<string, strobe.live.Source> by path
---@field parents table<string, table<string, true>> who requires a path
---@field private values table<string, {value: any, env: table}> of what was executed, by path
---@field late string[] what was required after loading
local Graph = {}
Graph.__index = Graph

-- Modules of the runtime which reach past ctx.
local forbidden = {
  ["strobe.net"] = true, ["strobe.ws"] = true, ["strobe.http"] = true, ["strobe.tectonic"] = true,
  ["strobe.gpio"] = true, ["strobe.tls"] = true, ["strobe.discovery"] = true, luv = true,
  io = true, os = true, debug = true,
}

local function is_forbidden(name)
  return forbidden[name] or name:find "^strobe%.core%." or forbidden[name:match "^strobe%.[^.]+" or ""]
end

local function readable(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

--- The file of a module's name; nil when it is none of the unit's.
---@param name string
---@return string?
function Graph:find(name)
  local part = name:gsub("%.", "/")
  for _, folder in ipairs(self.folders) do
    for _, form in ipairs { "/%s.lua", "/%s/init.lua" } do
      local path = folder .. form:format(part)
      if readable(path) then
        return path
      end
    end
  end
end

local function add_edge(graph, parent, path)
  graph.parents[path] = graph.parents[path] or {}
  if parent then
    graph.parents[path][parent] = true
  end
end

-- --- Reading -----------------------------------------------------------------------------------

-- The paths that texts require and nobody has read yet.
local function unread(graph, texts, raws)
  local paths = {}
  for path, raw in pairs(texts) do
    for _, name in ipairs(sources.requires(raw)) do
      local found = graph:find(name)
      if found then
        add_edge(graph, path, found)
        if not raws[found] then
          paths[found] = true
        end
      end
    end
  end
  return paths
end

-- Reads the root and all that is required by a name that can be seen.
local function read_all(graph)
  local raws, paths = {}, { [graph.root] = true }
  while next(paths) do
    local texts = sources.read(paths)
    for path, raw in pairs(texts) do
      raws[path] = raw
    end
    paths = unread(graph, texts, raws)
  end
  return raws
end

local function compile(graph, raws)
  for path, raw in pairs(raws) do
    sources.check_place(path, graph.folders)
    graph.sources[path] = sources.new(path, raw)
  end
end

--- Reads and compiles the files of a unit. Raises a Refusal.
---@async
---@param root string the unit's file, absolute
---@param folders string[]
---@return strobe.live.Graph
function Graph.read(root, folders)
  local graph = setmetatable({
    root = root, folders = folders, sources = {}, parents = { [root] = {} }, values = {}, late = {},
  }, Graph)
  compile(graph, read_all(graph))
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
    if not dirty[path] and path ~= self.root and other.values[path] then
      self.values[path] = other.values[path]
      carried[#carried + 1] = path
    end
  end
  table.sort(carried)
  return carried
end

-- --- Executing -----------------------------------------------------------------------------------

-- Counts instructions of a coroutine; raises again and again, as a pcall may catch what it raises.
local function limit(thread, account)
  debug.sethook(thread, function()
    account.left = account.left - LOOK
    if account.left <= 0 then
      refusals.raise("budget", ("%s takes more than %d instructions to load"):format(account.path, BUDGET))
    end
  end, "", LOOK)
end

local function place_of(message, path)
  local line = type(message) == "string" and message:match("^" .. path:gsub("%p", "%%%0") .. ":(%d+):")
  return path .. ":" .. (line or 1)
end

-- The line of the innermost frame of a file.
local function line_in(thread, path)
  local level, info = 0, debug.getinfo(thread, 0, "Sl")
  while info do
    if info.source == "@" .. path then
      return info.currentline
    end
    level = level + 1
    info = debug.getinfo(thread, level, "Sl")
  end
  return 1
end

-- What is wrong with a load that did not come to its end.
local function refusal_of(thread, path, e)
  if refusals.is(e) then
    e.place = e.place or ("%s:%d"):format(path, line_in(thread, path))
    return e
  end
  local text = tostring(e)
  if text:find("cannot wait", 1, true) then
    return refusals.new("await", text, place_of(text, path))
  end
  return refusals.new("load", text, place_of(text, path))
end

-- Runs a chunk to its end, away from the scheduler: a wait raises there.
local function execute(graph, path, chunk, name)
  local thread = coroutine.create(chunk)
  local account = { left = BUDGET, path = path }
  graph.account = account
  limit(thread, account)
  local ok, value = coroutine.resume(thread, name, path)
  debug.sethook(thread)
  if not ok then
    error(refusal_of(thread, path, value), 0)
  elseif coroutine.status(thread) ~= "dead" then
    coroutine.close(thread)
    refusals.raise("await", path .. " yields while it is loaded", path .. ":1")
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

local function source_at(graph, path)
  local source = graph.sources[path]
  if not source then
    local file <close>, message = io.open(path, "rb")
    if not file then
      refusals.raise("missing", message)
    end
    source = sources.new(path, file:read "a")
    graph.sources[path] = source
  end
  return source
end

-- The value of a module, which is executed unless it was.
local function value_of(graph, path, name)
  local known = graph.values[path]
  if known then
    return known.value
  end
  for _, loading in ipairs(graph.loading) do
    if loading == path then
      refusals.raise("cycle", "modules require each other: " .. cycle_text(graph, path))
    end
  end
  local source = source_at(graph, path)
  local env = environment.new(graph.api, graph:require_for(path), graph.unsafe)
  local chunk = assert(load(source.text, "@" .. path, "t", env))
  table.insert(graph.loading, path)
  local outer = graph.account
  local value = execute(graph, path, chunk, name)
  graph.account = outer
  table.remove(graph.loading)
  graph.values[path] = { value = value == nil and true or value, env = env }
  return graph.values[path].value
end

-- A module of the runtime, or one in C.
local function require_foreign(graph, name)
  if is_forbidden(name) and not graph.unsafe then
    refusals.raise("load", ("module '%s' reaches past ctx: use a port or ctx:keep, or say unsafe = true"):format(name))
  end
  local facet = graph.facets[name]
  if facet then
    return facet
  end
  local value = require(name)
  facet = type(value) == "table" and environment.frozen(value, name) or value
  graph.facets[name] = facet
  return facet
end

--- The `require` of one file.
---@param parent string
---@return fun(name: string): any
function Graph:require_for(parent)
  return function(name)
    local path = type(name) == "string" and self:find(name)
    if not path then
      return require_foreign(self, name)
    end
    add_edge(self, parent, path)
    if not self.values[path] and #self.loading == 0 then
      self.late[#self.late + 1] = path
    end
    return value_of(self, path, name)
  end
end

--- Executes the root, and what it requires. Raises a Refusal.
---@param facets table<string, table> what modules of the runtime are for the unit, by name
---@param api table see environment.api
---@return any what the root returned
function Graph:load(facets, api)
  self.facets, self.api, self.loading = facets, api, {}
  self.unsafe = self.sources[self.root].text:find "unsafe%s*=%s*true" ~= nil
  local ok, value = pcall(value_of, self, self.root, "unit")
  self.loading = {}
  if not ok then
    error(value, 0)
  end
  return value
end

--- A coroutine made while modules are loaded counts as they do.
---@param thread thread
---@return thread
function Graph:watch(thread)
  if self.loading and #self.loading > 0 then
    limit(thread, self.account)
  end
  return thread
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
