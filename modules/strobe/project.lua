--- `strobe init`: makes a folder ready for work: settings for editors and luacheck, and a first script.
--
-- Editors know strobe by its stubs, see strobe.reference.stubs. Those of an installed strobe are beside it, in
-- share/strobe/library; a strobe that stands alone writes them into the user's folder for data, where one copy serves
-- all projects.

local arguments = require "strobe.arguments"
local fs = require "strobe.async.fs"
local host = require "strobe.core.host"
local json = require "strobe.json"
local uv = require "luv"

local project = {}

project.usage = [[
usage: strobe init [DIR] [--force]
  makes a folder (this one) ready for work:
    .luarc.json   settings of lua-language-server: completion, help and checks for all of strobe
    .luacheckrc   settings of luacheck
    main.lua      a first script: strobe main.lua
  A file that is there is left alone; what it lacks is printed.
options:
  --force   such files are written anew
exit status: 0 all is written, 1 a file was there or could not be written, 2 usage]]

local known = { force = false, help = false }

-- The first script is one of the examples.
local SCRIPT, EXAMPLE = "main.lua", "examples/first.lua"

local LUACHECK = [[
-- What luacheck asks of this folder's Lua.
std = "lua54"

-- Specs for `strobe test`.
files["**/*_spec.lua"] = { std = "+busted" }
]]

-- --- The stubs --------------------------------------------------------------------------------

-- Those that were installed with this program.
local function installed_library()
  local prefix = host.program:match "^(.*)/[^/]+/[^/]+$"
  local folder = prefix and prefix .. "/share/strobe/library"
  return folder and fs.exists(folder .. "/strobe/async.lua") and folder or nil
end

local function data_folder()
  local folder = os.getenv "XDG_DATA_HOME"
  if folder and folder:find "^/" then
    return folder
  end
  return uv.os_homedir() .. "/.local/share"
end

-- As settings name it: "~" is the home of whoever reads them.
local function portable(path)
  local home = uv.os_homedir()
  return path:sub(1, #home + 1) == home .. "/" and "~" .. path:sub(#home + 1) or path
end

-- The folder of the stubs; when there is none, it is written.
local function library()
  local folder = installed_library()
  if folder then
    return folder
  end
  folder = data_folder() .. "/strobe/library"
  local count, message = require("strobe.reference.stubs").write(folder)
  if not count then
    return nil, message
  end
  return portable(folder)
end

-- --- Settings ---------------------------------------------------------------------------------

-- Those of lua-language-server, in their order.
local function settings(folder)
  return {
    { "runtime.version", "Lua 5.4" },
    { "runtime.path", { "?.lua", "?/init.lua" } },
    { "workspace.library", { folder } },
    { "workspace.checkThirdParty", false },
    { "diagnostics.disable", { "await-in-sync" } }, -- any function may wait
  }
end

local function line_of(setting)
  return ('  "%s": %s'):format(setting[1], (json.encode(setting[2]):gsub("\\/", "/")))
end

local function luarc(wanted)
  local lines = {}
  for i, setting in ipairs(wanted) do
    lines[i] = line_of(setting)
  end
  return "{\n" .. table.concat(lines, ",\n") .. "\n}\n"
end

-- A setting may be written in one word, with "Lua." before it, or as a table in tables.
local function find(given, name)
  for _, key in ipairs { name, "Lua." .. name } do
    if given[key] ~= nil then
      return given[key]
    end
  end
  local outer, inner = name:match "^(.-)%.(.*)$"
  for _, t in ipairs { given, given.Lua } do
    local group = type(t) == "table" and t[outer]
    if type(group) == "table" and group[inner] ~= nil then
      return group[inner]
    end
  end
end

-- A list has to have what is wanted in it; any other value is the user's choice.
local function is_missing(value, wanted)
  if type(value) ~= "table" or type(wanted) ~= "table" then
    return value == nil
  end
  for _, each in pairs(value) do
    if each == wanted[1] then
      return false
    end
  end
  return value[wanted[1]] == nil
end

local function missing_settings(text, wanted)
  local given = json.decode(text)
  local lines = {}
  for _, setting in ipairs(wanted) do
    local value = type(given) == "table" and find(given, setting[1]) or nil
    if type(given) == "table" and find(given, setting[1]) == false then
      value = false
    end
    if is_missing(value, setting[2]) then
      lines[#lines + 1] = line_of(setting)
    end
  end
  return lines
end

-- --- The files --------------------------------------------------------------------------------

-- What is written: name, text, and the lines that a file which is there lacks.
local function files(folder)
  local wanted = settings(folder)
  return {
    { ".luarc.json", luarc(wanted), function(text)
      return missing_settings(text, wanted)
    end },
    { ".luacheckrc", LUACHECK, function(text)
      return ("\n" .. text):find "\n%s*std%s*=" and {} or { '  std = "lua54"' }
    end },
    { SCRIPT, require("strobe.reference.source").text(EXAMPLE), function()
      return {}
    end },
  }
end

local function fail(message)
  io.stderr:write("strobe: init: ", message, "\n")
  return false
end

-- Says what a file lacks that is there.
local function tell_missing(path, lacks)
  local text, message = fs.read_file(path)
  if not text then
    return fail(message)
  end
  local lines = lacks(text)
  print(("%s: is there, left alone%s"):format(path, #lines > 0 and "; it lacks" or ""))
  for _, line in ipairs(lines) do
    print(line)
  end
  return false
end

-- Writes one file; false when it is left alone, or cannot be written.
local function put(path, text, lacks, is_forced)
  if not is_forced and fs.exists(path) then
    return tell_missing(path, lacks)
  end
  local ok, message = fs.write_file(path, text)
  if not ok then
    return fail(message)
  end
  print(path .. ": written")
  return true
end

local function make(directory, is_forced)
  local ok, message = fs.mkdir(directory, { parents = true })
  local folder
  if ok then
    folder, message = library()
  end
  if not folder then
    fail(message)
    return 1
  end
  local prefix, status = directory == "." and "" or directory:gsub("/*$", "/"), 0
  for _, file in ipairs(files(folder)) do
    status = put(prefix .. file[1], file[2], file[3], is_forced) and status or 1
  end
  print(("editors read about strobe in %s"):format(folder))
  return status
end

--- `strobe init [DIR] [--force]`
---@async
---@param words string[]
---@return integer status
function project.main(words)
  local read, message = arguments.read(known, words)
  if not read or #read > 1 then
    io.stderr:write("strobe: init: ", message or "one folder expected", "; see 'strobe init --help'\n")
    return 2
  elseif read.help then
    print(project.usage)
    return 0
  end
  host.slow_step(math.huge) -- nothing runs beside it
  return make(read[1] or ".", read.force)
end

return project
