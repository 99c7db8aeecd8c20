--- What could be meant at a place of Lua text: fields and methods behind . and :, names, keywords, module names for
--- require, files in quotes; and what the arguments of commands may be.

local core_task = require "strobe.core.task"
local fs = require "strobe.async.fs"
local host = require "strobe.core.host"
local inspect = require "strobe.core.inspect"
local lexer = require "strobe.repl.lexer"
local lookup = require "strobe.repl.lookup"
local names = require "strobe.repl.names"
local time = require "strobe.core.time"
local uv = require "luv"

-- Candidates that are told; tasks that are looked at; entries of a folder.
local MOST, MOST_TASKS, MOST_ENTRIES = 1000, 1000, 10000

local candidates = {}

local word_of = lexer.word

---@class strobe.repl.Candidate
---@field text string in the place of the bytes
---@field kind string "field", "function", "method", "module", "variable", "global", "word" of the text, "keyword",
---"task", "unit", "stream", "file", "folder", "job"

---@class strobe.repl.Candidates
---@field first integer byte at which what they replace begins
---@field last integer byte at which it ends; first - 1 when there is nothing yet
---@field list strobe.repl.Candidate[] sorted
---@field more? integer how many are left out

---@class strobe.repl.Surroundings what candidates come from
---@field variables table of the console
---@field runtime? strobe.live.Runtime
---@field jobs? table<integer, any>
---@field fields_only? boolean nothing but fields may be told

-- --- Collecting ---------------------------------------------------------------------------------

local Collection = {}
Collection.__index = Collection

local function new_collection(word)
  return setmetatable({ word = word, list = {}, seen = {}, more = 0, common = math.huge }, Collection)
end

local function common_bytes(a, b)
  local count = 0
  while count < #a and a:byte(count + 1) == b:byte(count + 1) do
    count = count + 1
  end
  return count
end

function Collection:add(text, kind)
  if text:sub(1, #self.word) ~= self.word or self.seen[text] then
    return
  end
  self.seen[text] = true
  local list, candidate = self.list, { text = text, kind = kind }
  local common = list[1] and common_bytes(list[1].text, text) or #text
  if #list < MOST then
    list[#list + 1] = candidate
  else
    self.more = self.more + 1
    if common < self.common then -- else it would seem that all have more in common
      list[MOST] = candidate
    end
  end
  self.common = math.min(self.common, common)
end

-- Names that begin with _ are for who asks for them.
local function comes_before(a, b)
  local x, y = a.text:sub(1, 1) == "_", b.text:sub(1, 1) == "_"
  if x ~= y then
    return y
  end
  return a.text < b.text
end

function Collection:answer(last)
  table.sort(self.list, comes_before)
  return { first = last - #self.word + 1, last = last, list = self.list, more = self.more > 0 and self.more or nil }
end

-- --- Lua ----------------------------------------------------------------------------------------

local function add_fields(collection, value, methods)
  lookup.each_field(value, function(name, field)
    local is_function = type(field) == "function"
    local is_wanted = not name:find "^__" or collection.word:find "^__" -- of metatables
    if is_wanted and (is_function or not methods) then
      collection:add(name, is_function and (methods and "method" or "function") or "field")
    end
  end)
end

local function add_names(collection, text, tokens, around)
  lookup.each_field(around.variables, function(name)
    collection:add(name, "variable")
  end)
  lookup.each_field(_G, function(name)
    collection:add(name, "global")
  end)
  for name in pairs(names.modules) do
    collection:add(name, "module")
  end
  for word in pairs(lexer.keywords) do
    collection:add(word, "keyword")
  end
  for i, token in ipairs(tokens) do
    local before = word_of(text, tokens[i - 1])
    if token.kind == "name" and i < #tokens and before ~= "." and before ~= ":" then
      collection:add(word_of(text, token), "word")
    end
  end
end

local function add_modules(collection)
  for _, path in ipairs(host.embedded()) do
    local name = path:match "^modules/(strobe/[%w_]+)%.lua$" or path:match "^modules/(strobe/[%w_]+)/init%.lua$"
    if name then
      collection:add((name:gsub("/", ".")), "module")
    end
  end
  for _, list in ipairs { package.loaded, package.preload } do
    for name in pairs(list) do
      if type(name) == "string" and not name:find "^strobe%..*%." then
        collection:add(name, "module")
      end
    end
  end
end

-- A thread reads the folder; a virtual clock would run away meanwhile.
local function entries_of(folder)
  folder = folder:gsub("^~/", (os.getenv "HOME" or "~") .. "/")
  if time.mode() ~= "virtual" then
    return fs.readdir(folder, { limit = MOST_ENTRIES })
  end
  local entries, request = {}, uv.fs_scandir(folder)
  while request and #entries < MOST_ENTRIES do
    local name, kind = uv.fs_scandir_next(request)
    if not name then
      break
    end
    entries[#entries + 1] = { name = name, type = kind }
  end
  return entries
end

-- Lua modules in the folders of package.path, in the folder that the name says: "a.b.".
local function add_files_of_path(collection)
  local below = collection.word:match "^(.*%.)[^.]*$" or ""
  for template in package.path:gmatch "[^;]+" do
    local root = template:match "^(.-)/?%?%.lua$"
    local folder = root and (root == "" and "." or root) .. "/" .. below:gsub("%.", "/")
    for _, entry in ipairs(folder and entries_of(folder) or {}) do
      local name = entry.name:match "^([%w_]+)%.lua$"
      if name and name ~= "init" then
        collection:add(below .. name, "module")
      end
    end
  end
end

local function add_files(collection)
  local folder = collection.word:match "^(.*/)"
  for _, entry in ipairs(entries_of(folder or ".") or {}) do
    local is_hidden = entry.name:find "^%." and not collection.word:find "%f[^/%z]%.[^/]*$"
    if not is_hidden and not entry.name:find "[%c\"'\\]" then
      local is_folder = entry.type == "directory"
      collection:add((folder or "") .. entry.name .. (is_folder and "/" or ""), is_folder and "folder" or "file")
    end
  end
end

local function add_keys(collection, value)
  lookup.each_field(value, function(name)
    collection:add(name, "field")
  end)
end

-- What the cursor's string is for: an index, require, or, as far as one can see, a file.
local function in_string(text, tokens, around)
  local count = #tokens
  local token, before = tokens[count], word_of(text, tokens[count - 1])
  local quote = token.long and text:match("^%[=*%[", token.first) or '"'
  local collection = new_collection(text:sub(token.first + #quote))
  if before == "[" then
    add_keys(collection, lookup.value(text, tokens, count - 2, around.variables))
  elseif around.fields_only then
    return collection
  elseif before == "require" or before == "(" and word_of(text, tokens[count - 2]) == "require" then
    add_modules(collection)
    add_files_of_path(collection)
  else
    add_files(collection)
  end
  return collection
end

-- In a comment nothing is completed.
local function is_in_comment(text)
  local all = lexer.tokens(text)
  local last = all[#all]
  return last ~= nil and last.kind == "comment" and (last.open or not last.long and last.last == #text)
end

local function lua(text, around)
  local tokens = lexer.code(text)
  local last = tokens[#tokens]
  if is_in_comment(text) then
    return new_collection ""
  elseif last and last.kind == "string" and last.open then
    return in_string(text, tokens, around)
  end
  local has_word = last and last.last == #text and (last.kind == "name" or last.kind == "keyword")
  local collection = new_collection(has_word and text:sub(last.first) or "")
  local place = has_word and #tokens - 1 or #tokens
  local before = word_of(text, tokens[place])
  if before == "." or before == ":" then
    add_fields(collection, lookup.value(text, tokens, place - 1, around.variables), before == ":")
  elseif not around.fields_only and not (last and last.last == #text and last.kind == "number") then
    add_names(collection, text, tokens, around)
  end
  return collection
end

-- --- Arguments of commands ----------------------------------------------------------------------

local arguments = {}

function arguments.TASK(collection)
  local all = core_task.all()
  for i = 1, math.min(#all, MOST_TASKS) do
    local name = all[i]:get_name()
    collection:add(tostring(inspect.id(all[i])), "task")
    if not name:find "[%s%c]" then
      collection:add(name, "task")
    end
  end
end

function arguments.UNIT(collection, around)
  for _, unit in ipairs(around.runtime and around.runtime.order or {}) do
    collection:add(unit.name, "unit")
  end
end

function arguments.STREAM(collection, around)
  for _, feed in ipairs(around.runtime and around.runtime.feeds or {}) do
    for _, name in ipairs(feed.streams or {}) do
      collection:add(name, "stream")
    end
  end
  for name in pairs(around.runtime and around.runtime.delivery.subscribers or {}) do
    collection:add(name, "stream")
  end
end

function arguments.FILE(collection)
  add_files(collection)
end

function arguments.N(collection, around)
  for number in pairs(around.jobs or {}) do
    collection:add(tostring(number), "job")
  end
end

--- What could be meant at the cursor.
---@async
---@param text string
---@param cursor integer bytes before it
---@param around strobe.repl.Surroundings
---@return strobe.repl.Candidates
function candidates.at(text, cursor, around)
  return lua(text:sub(1, cursor), around):answer(cursor)
end

--- What a word may be that is the argument of a command.
---@async
---@param kind string "TASK", "UNIT", "STREAM", "N", "FILE"
---@param word string
---@param around strobe.repl.Surroundings
---@return strobe.repl.Candidates with nothing for a kind that is not known
function candidates.of(kind, word, around)
  local collection = new_collection(word)
  if arguments[kind] and not around.fields_only then
    arguments[kind](collection, around)
  end
  return collection:answer(#word)
end

return candidates
