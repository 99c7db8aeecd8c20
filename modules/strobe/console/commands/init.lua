--- The commands of the console: `:name arguments`. Each is a thin face on an operation (strobe.attach.ops), and knows
-- not whether the process is this one or another.
--
--   local text, message = commands.run(console, ":ps mm")      -- the text to print, or nil and why not
--
-- A command is a table {name, arguments, help, rights, run}: `run(console, text)` gets what stands behind its name and
-- returns what is to be printed, or nothing. It may wait; what it cannot do it raises (refusal.lua). A console has:
--
--   peer      asks for operations: call, send          write(text)   prints (text with its newlines)
--   near      the process is this one                  above(text)   prints above the prompt
--   settings  depth, items, width, trace, color        pin(key, text or nil)  a line that stays above the prompt
--   inputs    {text, ok} of what was typed             run(text)     evaluates as if typed; waits
--   jobs      the background inputs, by number         set_input(text), clear(), quit(), key(timeout), lend_terminal(f)
--                                                      pass_time()  lets virtual time pass until that is closed

local errors = require "strobe.async.error"
local refusal = require "strobe.console.commands.refusal"

---@class strobe.console.Command
---@field name string
---@field arguments string "TASK [WHY]"
---@field help string its first line tells what it does, the others all there is to know
---@field rights "-"|"ro"|"rw" which it needs
---@field run fun(console: table, text: string): string?
---@field aliases? string[]
---@field user? boolean it is of repl.lua or the like

local GROUPS = {
  "help", "input", "tasks", "units", "events", "evaluation", "measuring", "process", "pry", "settings",
}

local commands = {}

-- By name, aliases too; and by that of the command alone.
local known, list

--- Adds a command; its name must be free.
---@param command strobe.console.Command
local function add(command)
  for _, name in ipairs { command.name, table.unpack(command.aliases or {}) } do
    known[name] = command
  end
  list[#list + 1] = command
end

-- The groups are loaded when the first command is used.
local function load_all()
  if known then
    return
  end
  known, list = {}, {}
  for _, group in ipairs(GROUPS) do
    for _, command in ipairs(require("strobe.console.commands." .. group)) do
      add(command)
    end
  end
end

--- The commands, in the order of their groups.
---@return strobe.console.Command[]
function commands.list()
  load_all()
  return table.move(list, 1, #list, 1, {})
end

--- The names of all, sorted, without the colon; for completion.
---@return string[]
function commands.names()
  load_all()
  local names = {}
  for name in pairs(known) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The commands whose names begin so, each once.
local function beginning(prefix)
  local found, seen, names = {}, {}, {}
  for _, name in ipairs(commands.names()) do
    if name:sub(1, #prefix) == prefix then
      names[#names + 1] = ":" .. name
      if not seen[known[name]] then
        seen[known[name]] = true
        found[#found + 1] = known[name]
      end
    end
  end
  return found, names
end

--- The command of that name, or of which it is the beginning.
---@param name string
---@return strobe.console.Command?
---@return string? message why there is none
function commands.find(name)
  load_all()
  if known[name] then
    return known[name]
  end
  local found, names = beginning(name)
  if #found == 1 then
    return found[1]
  elseif #found > 1 then
    return nil, (":%s may be %s"):format(name, table.concat(names, ", "))
  end
  return nil, "no such command; :help"
end

local function check_new(name, f, help)
  if type(name) ~= "string" or not name:find "^%a[%w_]*$" then
    error(("repl.command: name: letters, digits and _ expected, got %s"):format(tostring(name)), 4)
  elseif type(f) ~= "function" then
    error(("repl.command: a function expected, got %s"):format(type(f)), 4)
  elseif help ~= nil and type(help) ~= "string" then
    error(("repl.command: help: a string expected, got %s"):format(type(help)), 4)
  elseif known[name] and not known[name].user then
    error(("repl.command: there is a command :%s already"):format(name), 4)
  end
end

--- Adds a command, or replaces one that was added so: see repl.command.
---@param name string
---@param f fun(text: string, console: table): string?
---@param help? string
function commands.add_user(name, f, help)
  load_all()
  check_new(name, f, help)
  for i, command in ipairs(list) do
    if command.name == name then
      table.remove(list, i)
      break
    end
  end
  add {
    name = name, arguments = "", help = help or "a command of your own", rights = "-", user = true,
    run = function(console, text)
      return f(text, console)
    end,
  }
end

--- The name and the arguments of a line; nil if it is no command.
---@param line string
---@return string? name
---@return string? arguments
function commands.parse(line)
  local name, text = line:match "^%s*:(%a[%w_]*!?)(.*)$"
  if not name then
    return nil
  end
  return name, (text:match "^%s*(.-)%s*$")
end

local function failure_text(command, e)
  if refusal.is(e) then
    return e.message
  end
  return (":%s failed: %s"):format(command.name, tostring(e))
end

--- Carries out a line. To cancel the task cancels the command.
---@async
---@param console table see the head of this file
---@param line string ":ps mm"
---@return string? text to print, without a newline at its end; "" when there is nothing to say
---@return string? message why it was not done
function commands.run(console, line)
  local name, text = commands.parse(line)
  if not name then
    return nil, "a command begins with : and a letter; :help"
  end
  local command, problem = commands.find(name)
  if not command then
    return nil, problem
  end
  local passing <close> = console.pass_time and console:pass_time() -- luacheck: ignore
  local ok, result = pcall(command.run, console, text, name)
  if ok then
    return result and tostring(result) or ""
  elseif errors.is(result, errors.CancelledError) then
    error(result, 0)
  end
  return nil, failure_text(command, result)
end

--- Shows what the process says unasked, if it belongs to a command (:tail, :watch). The console hands every event on.
---@param console table
---@param event table
---@return boolean taken false: it is the console's
function commands.take(console, event)
  return require("strobe.console.commands.events").take(console, event)
end

return commands
