--- `strobe help`: the usage, and the reference that stands in the sources themselves.
--
-- A public function's text is the block of `---` lines above its definition.

local host = require "strobe.core.host"

local help = {}

local function source_of(path)
  local folder = os.getenv "STROBE_MODULES"
  local file = folder and io.open(folder .. "/../" .. path, "rb")
  if not file then
    return host.embedded(path)
  end
  local text = file:read "a"
  file:close()
  return text
end

-- "strobe.async.task" for modules/strobe/async/task.lua
local function module_name(path)
  local name = path:match "^modules/(.+)%.lua$"
  return name and (name:gsub("/init$", ""):gsub("/", "."))
end

-- The name that a line of code defines, as `function tasks.gather(…)` does.
local function defined_name(line)
  return line:match "^%s*function%s+([%w_.:]+)" or line:match "^%s*([%w_.]+)%s*=%s*[%w_.]+,?$"
end

local function add_entry(entries, path, block, line)
  local name = defined_name(line)
  if name and #block > 0 then
    entries[#entries + 1] = {
      name = name:match "[%w_]+$",
      full = name,
      module = module_name(path),
      signature = (line:gsub("^%s*function%s+", ""):gsub("%s*$", "")),
      text = table.concat(block, "\n"),
    }
  end
end

local function entries_of(path, entries)
  local block = {}
  for line in source_of(path):gmatch "([^\n]*)\n" do
    local text = line:match "^%s*%-%-%-%s?(.*)$"
    if text then
      block[#block + 1] = text
    else
      add_entry(entries, path, block, line)
      block = {}
    end
  end
end

--- Every documented definition: name, full name, module, signature and text.
---@return {name: string, full: string, module: string, signature: string, text: string}[]
function help.entries()
  local entries = {}
  for _, path in ipairs(host.embedded()) do
    if module_name(path) then
      entries_of(path, entries)
    end
  end
  return entries
end

local tags = {
  param = "  %s",
  ["return"] = "  returns %s",
  async = "  may wait",
}

-- LuaCATS tags as words.
local function readable(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    local tag, rest = line:match "^@(%w+)%s*(.*)$"
    if not tag then
      lines[#lines + 1] = "  " .. line
    elseif tags[tag] then
      lines[#lines + 1] = tags[tag]:format(rest)
    end
  end
  return table.concat(lines, "\n")
end

local function head_comment(path)
  local lines = {}
  for line in source_of(path):gmatch "([^\n]*)\n" do
    local text = line:match "^%-%-%-?%s?(.*)$"
    if not text then
      break
    end
    lines[#lines + 1] = text
  end
  return table.concat(lines, "\n")
end

-- A module: its head comment and the names in it.
local function print_module(name)
  for _, path in ipairs(host.embedded()) do
    if module_name(path) == name or module_name(path) == "strobe." .. name then
      print(module_name(path) .. "\n\n" .. head_comment(path))
      for _, entry in ipairs(help.entries()) do
        if entry.module == module_name(path) then
          print("  " .. entry.signature)
        end
      end
      return true
    end
  end
  return false
end

local function print_entries(name)
  local short = name:match "[%w_]+$"
  local found = false
  for _, entry in ipairs(help.entries()) do
    if entry.name == short and (short == name or (entry.module .. "." .. entry.full):find(name:match "^[%w_]+", 1)) then
      print(("%s   (%s)\n%s\n"):format(entry.signature, entry.module, readable(entry.text)))
      found = true
    end
  end
  return found
end

local function distance(a, b)
  local row = {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

local function nearest(name)
  local names, seen = {}, {}
  for _, entry in ipairs(help.entries()) do
    if not seen[entry.name] then
      seen[entry.name] = distance(entry.name, name:match "[%w_]*$")
      names[#names + 1] = entry.name
    end
  end
  table.sort(names, function(a, b)
    if seen[a] ~= seen[b] then
      return seen[a] < seen[b]
    end
    return a < b
  end)
  return table.concat(names, ", ", 1, math.min(3, #names))
end

--- `strobe help [NAME]`
---@param usage string
---@param arguments string[]
---@return integer status
function help.main(usage, arguments)
  local name = arguments[1]
  if not name then
    io.stdout:write(usage)
    return 0
  end
  if print_module(name) or print_entries(name) then
    return 0
  end
  io.stderr:write(("strobe: nothing is called '%s'; near: %s\n"):format(name, nearest(name)))
  return 1
end

return help
