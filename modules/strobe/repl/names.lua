--- The names that a prompt knows without require: strobe's modules, each loaded when it is first used.

local names = {}

--- The modules, by the name that stands for each.
---@type table<string, string>
names.modules = {}
for name in ([[async attach backtest broker discovery gpio http json live net repl sketch tectonic testing vcd
  ws]]):gmatch "%a+" do
  names.modules[name] = "strobe." .. name
end

-- What Lua has of its own.
local standard = {}
for name in ([[assert collectgarbage coroutine debug dofile error getmetatable io ipairs load loadfile math next os
  package pairs pcall print rawequal rawget rawlen rawset require select setmetatable string table tonumber tostring
  type utf8 warn xpcall _G _VERSION _ENV]]):gmatch "[%a_%d]+" do
  standard[name] = true
end

--- Whether a name is one of Lua's own globals, or stands for a module.
---@param name string
---@return boolean
function names.is_known(name)
  return standard[name] or names.modules[name] ~= nil or false
end

--- The module that a name stands for, loaded; nil when it stands for none.
---@param name any
---@return any
function names.module(name)
  local module = names.modules[name]
  return module and require(module) or nil
end

return names
