--- `strobe help`: the usage, and the reference that stands in the sources themselves.

local help = {}

local function print_usage(usage)
  local surface = require "strobe.reference.surface"
  local terminal = require "strobe.reference.terminal"
  io.stdout:write(usage, "\nmodules, each told by 'strobe help MODULE':\n", terminal.list(surface.model().modules))
  io.stdout:write "\nwhat stands for asyncio's names: 'strobe help asyncio', 'strobe help asyncio.NAME'\n"
  return 0
end

local function print_name(name)
  local text, message = require("strobe.reference.manual").text(name)
  if not text then
    io.stderr:write("strobe: ", message, "\n")
    return 1
  end
  io.stdout:write(text)
  return 0
end

-- What the reference can be made into; the folder it is written to by default.
local forms = { ["--markdown"] = { "markdown", "reference" }, ["--stubs"] = { "stubs", "library" } }

local function write_as(form, folder)
  folder = folder or form[2]
  local count, message = require("strobe.reference." .. form[1]).write(folder)
  if not count then
    io.stderr:write("strobe: help: ", message, "\n")
    return 1
  end
  print(("%d files in %s"):format(count, folder))
  return 0
end

-- A command's usage; what else has that name comes below it.
local function print_command(command)
  io.stdout:write(command.usage, "\n")
  if #require("strobe.reference.lookup").find(command.name) > 0 then
    io.stdout:write "\n"
    return print_name(command.name)
  end
  return 0
end

--- `strobe help [NAME]`
---@async
---@param usage string
---@param arguments string[]
---@param commands table<string, string> commands with an own usage, by name; the modules that have it
---@return integer status
function help.main(usage, arguments, commands)
  local name = arguments[1]
  require("strobe.core.host").slow_step(math.huge) -- nothing runs beside it
  require("strobe.reference.surface").model()
  if not name then
    return print_usage(usage)
  elseif forms[name] then
    return write_as(forms[name], arguments[2])
  elseif name == "asyncio" and arguments[2] then
    name = "asyncio." .. arguments[2]
  end
  if commands[name] then
    return print_command { name = name, usage = require(commands[name]).usage }
  end
  return print_name(name)
end

return help
