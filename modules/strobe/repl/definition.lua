--- Where a function comes from: its text, its file and its line.

local chunks = require "strobe.repl.chunk"
local lexer = require "strobe.repl.lexer"
local lookup = require "strobe.repl.lookup"
local quotation = require "strobe.repl.quotation"

-- Bytes of a source that are told.
local MOST = 65536

local definitions = {}

---@class strobe.repl.Definition
---@field text string
---@field file? string
---@field line? integer
---@field last? integer line
---@field c? boolean it is a C function

-- The value of a name in the tables of a unit's contract: "mm.on_event", or "on_event" alone.
local function in_units(runtime, name)
  local unit_name, rest = name:match "^([%w_]+)%.([%w_.:]+)$"
  for _, unit in ipairs(runtime and runtime.order or {}) do
    local contract = unit.run and unit.run.generation.contract
    local value = contract and (unit.name == unit_name and contract[rest] or contract[name])
    if value ~= nil then
      return value
    end
  end
end

--- The value that a name stands for: "f", "a.b", "Class:method", "mm.on_event" of a unit.
---@param name string
---@param around strobe.repl.Surroundings
---@return any
function definitions.value(name, around)
  local tokens = lexer.code(name)
  local value = tokens[1] and lookup.value(name, tokens, #tokens, around.variables)
  if value == nil then
    return in_units(around.runtime, name)
  end
  return value
end

local function lines_between(text, first, last)
  local lines, number = {}, 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    if number >= first and number <= last then
      lines[#lines + 1] = line
    end
  end
  return table.concat(lines, "\n")
end

local function part_of(text, info)
  if info.what == "main" then
    return text
  end
  return lines_between(text, info.linedefined, info.lastlinedefined)
end

--- The source of what a name stands for.
---@param name string
---@param around strobe.repl.Surroundings with texts, see chunks.text
---@return strobe.repl.Definition?
---@return string? message
function definitions.of(name, around)
  local value = definitions.value(name, around)
  if value == nil then
    return nil, ("'%s' is nothing that has a source here"):format(quotation.plain(name))
  elseif type(value) ~= "function" then
    return nil, ("'%s' is a %s, and only functions have a source"):format(quotation.plain(name), type(value))
  end
  local info = debug.getinfo(value, "S")
  if info.what == "C" then
    return { text = ("-- %s is a C function: it has no source in Lua"):format(name), c = true }
  end
  local file = info.source:gsub("^[@=]", "")
  local text = chunks.text(info.source, around)
  if not text then
    return nil, ("the text of %s:%d is not there any more"):format(quotation.plain(file), info.linedefined)
  end
  return {
    text = quotation.cut(part_of(text, info), MOST), file = quotation.plain(file),
    line = math.max(info.linedefined, 1), last = info.lastlinedefined,
  }
end

return definitions
