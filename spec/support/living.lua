--- What lives in strobe's modules: the tables that can be reached from them, and the functions with their texts.

local source = require "strobe.reference.source"
local surface = require "strobe.reference.surface"

local living = {}

local function is_ours(f)
  return surface.place(f) ~= nil
end

-- Calls reach(value, variable, f) for what a function holds: f's upvalues, with their names.
local function each_upvalue(f, reach)
  if not is_ours(f) then
    return
  end
  for i = 1, 255 do
    local name, value = debug.getupvalue(f, i)
    if not name then
      return
    end
    reach(value, name, f)
  end
end

--- Visits all tables and functions that can be reached from strobe's modules and their metatables.
---@return table<table, true> tables
---@return table<string, table> variables tables by "modules/strobe/net.lua:Server", the variables they are held in
function living.tables()
  local tables, variables, queue = {}, {}, {}
  local seen = { [_G] = true, [package.loaded] = true }
  local function reach(value, variable, f)
    if variable and type(value) == "table" then
      variables[surface.place(f) .. ":" .. variable] = value
    end
    if (type(value) == "table" or type(value) == "function") and not seen[value] then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  for name, module in pairs(package.loaded) do
    if name:find "^strobe%." then
      reach(module)
    end
  end
  while #queue > 0 do
    local value = table.remove(queue)
    if type(value) == "function" then
      each_upvalue(value, reach)
    else
      tables[value] = true
      reach(debug.getmetatable(value))
      for _, held in next, value do
        reach(held)
      end
    end
  end
  return tables, variables
end

--- The names of a function's parameters; "..." is the last one if it takes more.
---@param f function
---@return string[]
function living.parameters(f)
  local info, names = debug.getinfo(f, "u"), {}
  for i = 1, info.nparams do
    names[i] = debug.getlocal(f, i)
  end
  names[#names + 1] = info.isvararg and "..." or nil
  return names
end

local lines_of = {}

--- The text of a Lua function.
---@param f function
---@return string
function living.text(f)
  local path = surface.place(f)
  if not lines_of[path] then
    local lines = {}
    for line in (source.text(path) .. "\n"):gmatch "([^\n]*)\n" do
      lines[#lines + 1] = line
    end
    lines_of[path] = lines
  end
  local info = debug.getinfo(f, "S")
  return table.concat(lines_of[path], "\n", info.linedefined, info.lastlinedefined)
end

return living
