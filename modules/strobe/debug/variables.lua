--- Values as a debugger shows them: by name, in pages, with a number to ask for what is inside.
--
-- A number lasts as long as its task is stopped. Tables are read raw; only a `__tostring` is called, within limits.

local printer = require "strobe.repl.printer"
local protocol = require "strobe.debug.protocol"

-- Variables of one answer; numbers at once; bytes of a value's text, of all texts of an answer.
local MOST, MOST_NUMBERS, MOST_BYTES, MOST_ANSWER = 1000, 100000, 2000, 200000
-- Keys that are sorted, entries that are looked at: of a table, and only to tell how many there are.
local MOST_SORTED, MOST_ENTRIES, MOST_COUNTED = 10000, 1000000, 10000
-- What is printed of each value.
local LIMITS = { depth = 2, items = 20 }

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

--- A text, or its beginning when it is long.
---@param text string
---@param most? integer bytes (2000)
---@return string
function variables.cut(text, most)
  most = most or MOST_BYTES
  if #text <= most then
    return text
  end
  local last = most + 1
  while last > most - 3 and text:find("^[\x80-\xBF]", last) do -- within a character
    last = last - 1
  end
  return text:sub(1, last - 1) .. "…"
end

local cut = variables.cut

-- The expression for what is inside under a key, if that is short, and how it is shown.
local function inner_name(name, key, most)
  local plain = type(key) == "string" or type(key) == "number" or type(key) == "boolean"
  if type(key) == "string" and #key > most then
    return nil, ("[%s]"):format(cut(printer.text(key), most))
  elseif type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return name and ("%s.%s"):format(name, key), key
  end
  local text = type(key) == "string" and ("%q"):format(key) or printer.text(key, LIMITS)
  return plain and name and ("%s[%s]"):format(name, text) or nil, ("[%s]"):format(cut(text, most))
end

-- Strings and numbers by value; all others are called nothing, not even to be compared.
local function comes_before(a, b)
  local x, y = type(a), type(b)
  if x ~= y then
    return x < y
  end
  return (x == "number" or x == "string") and a < b
end

-- The keys that are not of the list part; whether there may be more.
local function named_keys(value, length, most)
  local keys, left = {}, most
  for key in next, value do
    left = left - 1
    if left < 0 then
      return keys, true
    elseif not (math.type(key) == "integer" and key >= 1 and key <= length) then
      keys[#keys + 1] = key
    end
  end
  return keys, false
end

-- What is inside a table: its list part and its other keys. Read when it is first asked for.
local function read_table(container)
  if not container.keys then
    container.length = rawlen(container.value)
    container.keys = named_keys(container.value, container.length, MOST_ENTRIES)
    if #container.keys <= MOST_SORTED then
      table.sort(container.keys, comes_before)
    end
  end
end

-- How many there are of each kind. Of large tables one only learns that there is something: to count takes too long
-- for who merely passes by.
local function counts_of(value)
  local length = rawlen(value)
  local keys, is_cut = named_keys(value, length, MOST_COUNTED)
  return length, #keys + (is_cut and 1 or 0) + (debug.getmetatable(value) ~= nil and 1 or 0)
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
---@param most? integer bytes of its text
---@return table
function Variables:tell(value, owner, name, most)
  local told = { value = cut(printer.text(value, LIMITS), most), type = type(value), variablesReference = 0 }
  if has_inside(value) then
    local container = { kind = "table", value = value, task = owner.task, frame = owner.frame, name = name }
    told.variablesReference = self:add(container)
    if type(value) == "table" then
      told.indexedVariables, told.namedVariables = counts_of(value)
    end
  end
  return told
end

-- --- What is inside --------------------------------------------------------------------------------

local function add(self, list, container, page, name, value, expression)
  expression = expression and #expression <= page.most and expression or nil
  local told = self:tell(value, container, expression, page.most)
  told.name, told.evaluateName = cut(name, page.most), expression
  list[#list + 1] = told
end

-- Hands the places of a page to f. The more there are the less is told of each.
local function each_of_page(total, page, f)
  local count = math.min(page.count > 0 and page.count or MOST, MOST)
  local first, last = math.max(page.start, 0) + 1, math.min(page.start + count, total)
  page.most = math.min(MOST_BYTES, MOST_ANSWER // math.max(last - first + 1, 1))
  for i = first, last do
    f(i)
  end
end

local function add_entry(self, list, container, page, key)
  local expression, name = inner_name(container.name, key, page.most)
  add(self, list, container, page, name, rawget(container.value, key), expression)
end

local function add_entries(self, list, container, page)
  read_table(container)
  if page.filter ~= "named" then
    each_of_page(container.length, page, function(i)
      add_entry(self, list, container, page, i)
    end)
  end
  if page.filter ~= "indexed" then
    each_of_page(#container.keys, page, function(i)
      add_entry(self, list, container, page, container.keys[i])
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
    page.most = MOST_BYTES
    add(self, list, container, page, "[metatable]", metatable)
  end
end

local function add_variables(self, list, container, page)
  local found = container.frame[container.kind](container.frame)
  each_of_page(#found, page, function(i)
    local variable = found[i]
    local expression = variable.name:find "^[%a_][%w_]*$" and variable.name or nil
    add(self, list, container, page, variable.name, variable.value, expression)
  end)
end

--- The variables of a number.
---@param container table
---@param page {filter?: "indexed"|"named", start: integer, count: integer} count 0: all
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

-- Whether a key is told by that name: in an answer with many variables it may have been cut.
local function is_called(key, name)
  local _, whole = inner_name(nil, key, math.huge)
  local beginning = name:match "^(.+)…%]?$"
  return whole == name or beginning ~= nil and whole:sub(1, #beginning) == beginning
end

local function set_entry(container, name, value)
  read_table(container)
  local index = math.tointeger(tonumber(name:match "^%[(%d+)%]$"))
  local found = index and index >= 1 and index <= container.length and index or nil
  for _, key in ipairs(found and {} or container.keys) do
    if is_called(key, name) then
      if found ~= nil then
        return nil, ("there are several %s in it"):format(name)
      end
      found = key
    end
  end
  if found == nil then
    return nil, ("there is no %s in it"):format(name)
  end
  rawset(container.value, found, value)
  container.keys = nil
  return true
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
