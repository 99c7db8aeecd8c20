--- Values as a debugger shows them: by name, in pages, with a number to ask for what is inside.
--
-- A number lasts as long as its task is stopped. Tables are read raw; only a `__tostring` is called, within limits.

local printer = require "strobe.console.printer"
local protocol = require "strobe.debug.protocol"

-- Variables of one answer; numbers at once; bytes of a value's text.
local MOST, MOST_NUMBERS, MOST_BYTES = 1000, 100000, 2000

---@class strobe.debug.Variables
---@field private containers table<integer, table> by number
---@field private last integer
local Variables = {}
Variables.__index = Variables

local variables = {}

---@return strobe.debug.Variables
function variables.new()
  return setmetatable({ containers = {}, last = 0, count = 0 }, Variables)
end

--- Numbers a container.
---@param container table {kind = "locals"|"upvalues"|"table", frame?, value?, name?, task}
---@return integer 0 when there are too many
function Variables:add(container)
  if self.count >= MOST_NUMBERS then
    return 0
  end
  self.last, self.count = self.last + 1, self.count + 1
  self.containers[self.last] = container
  return self.last
end

--- The container of a number.
---@param number integer
---@return table?
function Variables:container(number)
  return self.containers[number]
end

--- Forgets the numbers of a task, which goes on.
---@param task strobe.Task
function Variables:forget(task)
  for number, container in pairs(self.containers) do
    if container.task == task then
      self.containers[number], self.count = nil, self.count - 1
    end
  end
end

-- --- Texts -----------------------------------------------------------------------------------------

local function cut(text)
  if #text <= MOST_BYTES then
    return text
  end
  local last = utf8.offset(text, 0, MOST_BYTES + 1) or MOST_BYTES + 1
  return text:sub(1, last - 1) .. "…"
end

local function inner_name(name, key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return name and ("%s.%s"):format(name, key), key
  end
  local text = type(key) == "string" and ("%q"):format(key) or printer.text(key)
  local plain = type(key) == "string" or type(key) == "number" or type(key) == "boolean"
  return plain and name and ("%s[%s]"):format(name, text) or nil, ("[%s]"):format(cut(text))
end

local function list_length(value)
  local length = 0
  while rawget(value, length + 1) ~= nil do
    length = length + 1
  end
  return length
end

local function named_keys(value, length)
  local keys = {}
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b)
    local x, y = type(a), type(b)
    if x ~= y then
      return x < y
    elseif x == "number" or x == "string" then
      return a < b
    end
    return tostring(x) < tostring(y)
  end)
  return keys
end

-- What is inside a value: its list part, its other keys, and the metatable. Read when it is first asked for.
local function read_table(container)
  if not container.keys then
    container.length = list_length(container.value)
    container.keys = named_keys(container.value, container.length)
  end
end

local function has_inside(value)
  if type(value) == "table" then
    return next(value) ~= nil or debug.getmetatable(value) ~= nil
  end
  return type(value) == "userdata" and debug.getmetatable(value) ~= nil
end

--- A value as DAP tells it: its text, its type, and the number of what is inside it.
---@param value any
---@param owner {task: strobe.Task, frame?: strobe.debug.Frame} as long as the task is stopped the number is good
---@param name? string an expression for it
---@return table
function Variables:tell(value, owner, name)
  local told = { value = cut(printer.text(value)), type = type(value), variablesReference = 0 }
  if has_inside(value) then
    local container = { kind = "table", value = value, task = owner.task, frame = owner.frame, name = name }
    told.variablesReference = self:add(container)
    if type(value) == "table" then
      read_table(container)
      told.indexedVariables, told.namedVariables = container.length, #container.keys
    end
  end
  return told
end

-- --- What is inside --------------------------------------------------------------------------------

local function add(self, list, container, name, value, expression)
  local told = self:tell(value, container, expression)
  told.name, told.evaluateName = name, expression
  list[#list + 1] = told
end

-- Hands the places from `start` (0) on, at most `count`, to f.
local function each_of_page(total, start, count, f)
  count = math.min(count and count > 0 and count or MOST, MOST)
  for i = start + 1, math.min(start + count, total) do
    f(i)
  end
end

local function add_entries(self, list, container, page)
  read_table(container)
  if page.filter ~= "named" then
    each_of_page(container.length, page.start, page.count, function(i)
      local expression, name = inner_name(container.name, i)
      add(self, list, container, name, rawget(container.value, i), expression)
    end)
  end
  if page.filter ~= "indexed" then
    each_of_page(#container.keys, page.start, page.count, function(i)
      local key = container.keys[i]
      local expression, name = inner_name(container.name, key)
      add(self, list, container, name, rawget(container.value, key), expression)
    end)
  end
end

local function is_first_page(page)
  return page.filter ~= "indexed" and page.start == 0
end

local function add_table(self, list, container, page)
  if type(container.value) == "table" then
    add_entries(self, list, container, page)
  end
  local metatable = debug.getmetatable(container.value)
  if metatable and is_first_page(page) then
    add(self, list, container, "[metatable]", metatable)
  end
end

local function add_variables(self, list, container, page)
  local found = container.frame[container.kind](container.frame)
  each_of_page(#found, page.start, page.count, function(i)
    local variable = found[i]
    local expression = variable.name:find "^[%a_][%w_]*$" and variable.name or nil
    add(self, list, container, variable.name, variable.value, expression)
  end)
end

--- The variables of a number.
---@param container table
---@param page {filter?: "indexed"|"named", start: integer, count?: integer}
---@return table[]
function Variables:list(container, page)
  local list = protocol.list()
  if container.kind == "table" then
    add_table(self, list, container, page)
  elseif page.filter ~= "indexed" then
    add_variables(self, list, container, page)
  end
  return list
end

-- --- Setting ---------------------------------------------------------------------------------------

local function set_entry(container, name, value)
  local function try(key)
    local _, shown = inner_name(nil, key)
    if shown == name then
      rawset(container.value, key, value)
      container.keys = nil
      return true
    end
  end
  read_table(container)
  for i = 1, container.length do
    if try(i) then
      return true
    end
  end
  for _, key in ipairs(container.keys) do
    if try(key) then
      return true
    end
  end
  return nil, ("there is no %s in it"):format(name)
end

--- Sets the variable of that name.
---@param container table
---@param name string as it was told
---@param value any
---@return boolean? done
---@return string? message
function Variables.set(_, container, name, value)
  if container.kind == "table" then
    if type(container.value) ~= "table" or name == "[metatable]" then
      return nil, ("%s cannot be set"):format(name)
    end
    return set_entry(container, name, value)
  end
  local found = container.frame[container.kind](container.frame)
  for i = #found, 1, -1 do
    if found[i].name == name then
      if not found[i].set then
        return nil, ("%s cannot be set any more: its code has ended"):format(name)
      end
      found[i].set(value)
      return true
    end
  end
  return nil, ("there is no variable %s"):format(name)
end

return variables
