--- What a Lua file says about what it defines: its head comment, and an entry for each annotated definition.
--
-- A definition is a function in any of Lua's forms, an assignment, a field of a table; where a class is written in C,
-- a signature behind two dashes stands for it: `-- function Task:cancel(message)`.

local annotation = require "strobe.reference.annotation"
local host = require "strobe.core.host"
local time = require "strobe.core.time"

local source = {}

---@class strobe.reference.Entry : strobe.reference.Annotation
---@field path string "modules/strobe/net.lua"
---@field line integer of the definition
---@field owner? string what stands before the last . or :, the variable of a class or module
---@field name? string the last part of the name; none for what stands alone
---@field method boolean it was defined with : or has self for its first parameter
---@field arguments? string[] the parameters of a function as they were defined
---@field is_class? boolean what it defines is a class table
---@field of? strobe.reference.Class the class to which it belongs

---@class strobe.reference.File
---@field path string
---@field head string
---@field entries strobe.reference.Entry[]

--- The text of a file, of the folder in STROBE_MODULES or of those inside.
---@param path string "modules/strobe/net.lua"
---@return string
function source.text(path)
  local folder = os.getenv "STROBE_MODULES"
  local file = folder and io.open(folder .. "/../" .. path, "rb")
  if not file then
    return host.embedded(path)
  end
  local text = file:read "a"
  file:close()
  return text
end

local function split_arguments(text)
  local arguments = {}
  for name in text:gmatch "[%w_.]+" do
    arguments[#arguments + 1] = name
  end
  return arguments
end

local function split_name(name)
  local owner, separator, last = name:match "^(.*)([.:])([%w_]+)$"
  return owner, last or name, separator == ":"
end

-- The forms a definition may have; each gives a name, and arguments if it is a function.
local forms = {
  { "^%s*local%s+function%s+([%w_]+)%s*%((.-)%)", true },
  { "^%s*function%s+([%w_.:]+)%s*%((.-)%)", true },
  { "^%s*%-%-%s*function%s+([%w_.:]+)%s*%((.-)%)", true },
  { "^%s*local%s+([%w_]+)%s*=%s*function%s*%((.-)%)", true },
  { "^%s*([%w_.]+)%s*=%s*function%s*%((.-)%)", true },
  { '^%s*%[["\']([%w_]+)["\']%]%s*=%s*function%s*%((.-)%)', true },
  { "^%s*local%s+([%w_]+)%s*=", false },
  { "^%s*([%w_.]+)%s*=", false },
  { "^%s*local%s+([%w_]+)", false },
  { '^%s*define%s*%(?"([%w_]+)"', false },
}

local function definition(line)
  for _, form in ipairs(forms) do
    local name, arguments = line:match(form[1])
    if name then
      return name, form[2] and split_arguments(arguments) or nil
    end
  end
end

-- The class of a variable: the one above it, or the file's class of that name.
local function class_of_variable(file, variable)
  local last = variable:match "[%w_]+$"
  for _, entry in ipairs(not file.owners[variable] and file.entries or {}) do
    for _, class in ipairs(entry.classes) do
      if class.name:match "[%w_]+$" == last then
        return class
      end
    end
  end
  return file.owners[variable]
end

-- The class a definition belongs to: by the variable before the dot, or, for a field of a table which is returned, the
-- class above that table.
local function class_of(file, entry, line)
  if entry.owner then
    return class_of_variable(file, entry.owner)
  elseif entry.name and line:find "^%s+[%w_]+%s*=" then
    return file.returned
  end
end

local function add_entry(file, lines, line, number)
  local entry = annotation.parse(lines)
  local name, arguments = definition(line)
  entry.path, entry.line, entry.arguments, entry.method = file.path, number, arguments, false
  if name then
    entry.owner, entry.name, entry.method = split_name(name)
  end
  if arguments and not entry.method and (arguments[1] == "self" or arguments[1] == "_") then
    table.remove(arguments, 1)
    entry.method = true
  end
  local class = entry.classes[#entry.classes]
  if class then
    entry.is_class = true
    if line:find "^return" then
      file.returned = class
    elseif name and not entry.owner then
      file.owners[name] = class
    end
  end
  entry.of = class_of(file, entry, line)
  table.insert(file.entries, entry)
end

local function head_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do
    local comment = line:match "^%-%-%-?%s?(.*)$"
    if not comment then
      break
    elseif not comment:find "^@" and not comment:find "^ ?luacheck" then
      lines[#lines + 1] = comment
    end
  end
  return (table.concat(lines, "\n"):gsub("%s+$", ""))
end

--- Reads the text of a file.
---@param path string
---@param text string
---@return strobe.reference.File
function source.parse(path, text)
  local file = { path = path, head = head_of(text), entries = {}, owners = {} }
  local block, number, in_head = {}, 0, true
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    in_head = in_head and line:find "^%-%-" ~= nil
    local comment = line:match "^%s*%-%-%-%s?(.*)$"
    if comment and not in_head then
      block[#block + 1] = comment
    elseif #block > 0 then
      add_entry(file, block, line, number)
      block = {}
    end
  end
  return file
end

local files

--- Lets others run, where that is possible: to read all files would be a long step.
---@async
function source.pause()
  if coroutine.isyieldable() then
    time.sleep(0)
  end
end

local function folder_of(path)
  return path:match "^modules/strobe/[%w_]+"
end

-- A method that is added to a class of another file, `function task.Task:get_stack()`, belongs to that class.
local function join_added_methods(found)
  local classes = {}
  for path, file in pairs(found) do
    for _, entry in ipairs(file.entries) do
      for _, class in ipairs(entry.classes) do
        classes[folder_of(path) .. "/" .. class.name:match "[%w_]+$"] = class
      end
    end
  end
  for path, file in pairs(found) do
    for _, entry in ipairs(file.entries) do
      local class = entry.owner and entry.owner:match "%.(%u[%w_]*)$"
      entry.of = entry.of or class and classes[folder_of(path) .. "/" .. class]
    end
  end
end

--- All files of modules/strobe, by path. The first time it lets others run in between.
---@async
---@return table<string, strobe.reference.File>
function source.files()
  if not files then
    local found = {}
    for _, path in ipairs(host.embedded()) do
      if path:find "^modules/strobe/.*%.lua$" then
        found[path] = source.parse(path, source.text(path))
        source.pause()
      end
    end
    join_added_methods(found)
    files = found
  end
  return files
end

return source
