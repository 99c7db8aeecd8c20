--- A census of what is alive: objects by type, and by the unit that holds them.
--
-- Everything that can be reached is walked: of each unit first, then the process's modules, then all the rest; what
-- several can reach belongs to the first. Sizes are reckoned as Lua 5.4 lays objects out on 64 bits; those of userdata
-- are guessed, and what C libraries hold besides is not seen. The world goes on meanwhile: `rest` is called between
-- pieces of work, and may wait.

local core_task = require "strobe.core.task"
local report = require "strobe.report"
local stack = require "strobe.async.stack"

-- Objects that are looked at; entries of a table between two rests.
local MOST, STRIDE = 3000000, 2000
local TABLE, SLOT, NODE, CLOSURE, UPVALUE, STRING, USERDATA, THREAD = 56, 16, 24, 32, 8, 25, 64, 1024

---@class strobe.attach.CensusRow
---@field type string "table", "string", "Queue", …
---@field owner string the unit's name, "strobe" or "script"
---@field count integer
---@field bytes integer

---@class strobe.attach.Census
---@field objects integer
---@field complete boolean
local Census = {}
Census.__index = Census

local function name_of(value)
  local metatable = debug.getmetatable(value)
  local name = type(metatable) == "table" and rawget(metatable, "__name")
  return type(name) == "string" and stack.printable(name) or nil
end

local function count(census, kind, bytes)
  local key = census.owner .. "\0" .. kind
  local row = census.rows[key]
  if not row then
    row = { type = kind, owner = census.owner, count = 0, bytes = 0 }
    census.rows[key] = row
  end
  row.count, row.bytes = row.count + 1, row.bytes + bytes
  census.objects = census.objects + 1
end

-- --- What was seen ---------------------------------------------------------------------------------

-- A set of many values, in many small tables: one large table would stand still for long each time it grows.
local Seen = {}
Seen.__index = Seen

local function new_seen()
  return setmetatable({ parts = {}, own = {} }, Seen)
end

-- The table for a value: by digits of its address that differ.
function Seen:part(value)
  local digits = ("%p"):format(value):sub(-5, -3)
  local part = self.parts[digits]
  if not part then
    part = {}
    self.parts[digits], self.own[part] = part, true
  end
  return part
end

-- Adds a value: false when it was there.
function Seen:add(value)
  local part = self:part(value)
  if part[value] or self.own[value] or value == self.parts or value == self.own then
    return false
  end
  part[value] = true
  return true
end

function Seen:remove(value)
  self:part(value)[value] = nil
end

-- --- Walking ---------------------------------------------------------------------------------------

local WALKED = { table = true, ["function"] = true, userdata = true, thread = true }

-- Remembers a value that was found; strings are counted at once.
local function reach(census, value)
  local kind = type(value)
  if kind == "string" then
    if census.seen:add(value) then
      count(census, "string", STRING + #value)
    end
  elseif WALKED[kind] and census.seen:add(value) then
    census.last = census.last + 1
    census.stack[census.last] = value
  end
end

-- 2, 4, 8, …: how many nodes a hash part of so many keys has.
local function nodes_for(keys)
  local nodes = 1
  while nodes < keys do
    nodes = nodes * 2
  end
  return keys > 0 and nodes or 0
end

-- The next entry; the table may have changed since the last one, and then there may be none.
local function following(value, key)
  local ok, next_key, inner = pcall(next, value, key)
  if ok then
    return next_key, inner
  end
end

local walks = {}

function walks.table(census, value)
  local metatable = debug.getmetatable(value)
  local mode = type(metatable) == "table" and rawget(metatable, "__mode")
  mode = type(mode) == "string" and mode or ""
  local keeps_keys, keeps_values = not mode:find "k", not mode:find "v"
  local entries, key, inner = 0, following(value, nil)
  while key ~= nil do
    entries = entries + 1
    if keeps_keys then
      reach(census, key)
    end
    if keeps_values and (keeps_keys or type(inner) ~= "table") then
      reach(census, inner)
    end
    if entries % STRIDE == 0 then
      census.rest()
    end
    key, inner = following(value, key)
  end
  reach(census, metatable)
  local length = rawlen(value)
  count(census, name_of(value) or "table",
    TABLE + SLOT * length + NODE * nodes_for(math.max(entries - length, 0)))
end

walks["function"] = function(census, value)
  local info = debug.getinfo(value, "Su")
  if census.skips_ours and info.what ~= "C" and report.is_ours(info.short_src) then
    census.seen:remove(value) -- it is strobe's, whoever calls it
    return
  end
  for i = 1, info.nups do
    local _, inner = debug.getupvalue(value, i)
    reach(census, inner)
  end
  count(census, info.what == "C" and "C function" or "function", CLOSURE + UPVALUE * info.nups)
end

function walks.userdata(census, value)
  local i = 1
  local inner, there = debug.getuservalue(value, i)
  while there do
    reach(census, inner)
    i = i + 1
    inner, there = debug.getuservalue(value, i)
  end
  reach(census, debug.getmetatable(value))
  count(census, name_of(value) or "userdata", USERDATA)
end

function walks.thread(census, value)
  local level, info = 0, value ~= coroutine.running() and debug.getinfo(value, 0, "f")
  while info do
    reach(census, info.func)
    local i, name, inner = 1, debug.getlocal(value, level, 1)
    while name do
      reach(census, inner)
      i = i + 1
      name, inner = debug.getlocal(value, level, i)
    end
    level = level + 1
    info = debug.getinfo(value, level, "f")
  end
  count(census, "thread", THREAD)
end

-- Walks all that was found, until nothing is left.
local function drain(census)
  while census.last > 0 do
    if census.objects >= MOST then
      census.complete, census.last = false, 0
      return
    end
    local value = census.stack[census.last]
    census.stack[census.last], census.last = nil, census.last - 1
    walks[type(value)](census, value)
    census.rest()
  end
end

--- Makes one that has counted nothing.
---@param rest fun()
---@return strobe.attach.Census
function Census.new(rest)
  local census = setmetatable({
    rest = rest, rows = {}, seen = new_seen(), stack = {}, last = 0, objects = 0, complete = true,
  }, Census)
  for _, own in ipairs { census, census.rows, census.seen, census.stack } do
    census.seen:add(own)
  end
  return census
end

--- Leaves values out, and what only they hold, until `count_all`.
---@param values any[]
function Census:spare(values)
  self.spared = self.spared or {}
  self.seen:add(self.spared)
  for _, value in ipairs(values) do
    if self.seen:add(value) then
      table.insert(self.spared, value)
    end
  end
end

--- Counts what can be reached from some values, and was not counted before.
---@async
---@param owner string
---@param roots any[]
---@param skips_ours? boolean functions of strobe's own modules are left for later
function Census:count(owner, roots, skips_ours)
  self.owner, self.skips_ours = owner, skips_ours
  self.seen:add(roots)
  for _, root in ipairs(roots) do
    reach(self, root)
  end
  drain(self)
end

--- What was spared is to be counted from now on.
function Census:admit()
  for _, value in ipairs(self.spared or {}) do
    self.seen:remove(value)
  end
  self.spared = nil
end

--- The rows, those with most bytes first.
---@return strobe.attach.CensusRow[]
function Census:result()
  local list = {}
  for _, row in pairs(self.rows) do
    list[#list + 1] = row
  end
  table.sort(list, function(a, b)
    if a.bytes ~= b.bytes then
      return a.bytes > b.bytes
    end
    return a.owner .. a.type < b.owner .. b.type
  end)
  return list
end

-- --- The process -----------------------------------------------------------------------------------

-- Tables that all share: a unit that knows them does not own them.
local function shared(runtime)
  local values = { _G, package, package.loaded, debug.getregistry(), runtime }
  for _, module in pairs(package.loaded) do
    values[#values + 1] = type(module) == "table" and module or nil
    local metatable = debug.getmetatable(module)
    values[#values + 1] = type(module) == "table" and metatable or nil
  end
  for _, unit in ipairs(runtime.order) do
    values[#values + 1] = unit
    values[#values + 1] = unit.run
    values[#values + 1] = debug.getmetatable(unit)
  end
  return values
end

local function roots_of(unit)
  local run = unit.run
  local roots = { unit.inbox, unit.keeper, unit.history }
  if run then
    table.move({ run.st, run.generation, run.staged, run.keeps }, 1, 4, #roots + 1, roots)
    for _, task in ipairs(run:tasks()) do
      table.move(task:threads(), 1, 20, #roots + 1, roots)
    end
  end
  return roots
end

local function own_modules()
  local modules = {}
  for name, module in pairs(package.loaded) do
    modules[#modules + 1] = name:find "^strobe" and module or nil
  end
  return modules
end

local function task_threads()
  local threads = {}
  for _, task in ipairs(core_task.all()) do
    table.move(task:threads(), 1, 20, #threads + 1, threads)
  end
  return threads
end

--- Counts the whole process.
---@async
---@param runtime? strobe.live.Runtime
---@param rest fun() is called often; it may wait
---@return strobe.attach.Census
function Census.take(runtime, rest)
  local census = Census.new(rest)
  if runtime then
    census:spare(shared(runtime))
    for _, unit in ipairs(runtime.order) do
      census:count(unit.name, roots_of(unit), true)
    end
    census:admit()
  end
  local globals = { _G, package.loaded, debug.getregistry() }
  census:spare(globals)
  census:count("strobe", own_modules())
  census:admit()
  census:count("script", table.move(globals, 1, #globals, 1, task_threads()))
  return census
end

return Census
