--- :help :h :src — what there is, and what it does.

local grid = require "strobe.grid"
local layout = require "strobe.console.commands.layout"
local refusal = require "strobe.console.commands.refusal"
local request = require "strobe.console.commands.request"

local RIGHTS = {
  ["-"] = "needs no rights: it is done where the console is",
  ro = "needs the rights ro", rw = "needs the rights rw",
}

local function usage(command)
  return command.arguments == "" and ":" .. command.name or (":%s %s"):format(command.name, command.arguments)
end

-- Broken between words where the screen is narrow.
local function wrapped(console, text)
  return table.concat(grid.wrap(text, layout.of(console).width), "\n")
end

local function overview(console)
  local commands = require "strobe.console.commands"
  local rows = {}
  for i, command in ipairs(commands.list()) do
    rows[i] = { usage(command), command.help:match "^[^\n]*" }
  end
  local columns = { { "COMMAND" }, { "WHAT IT DOES", flexible = true, wrap = true } }
  return grid.text(columns, rows, layout.of(console)) .. "\n" .. wrapped(console,
    ":help COMMAND tells all of one; any beginning that is clear will do. What does not begin with : is Lua.")
end

local function full_text(command)
  local also = command.aliases and #command.aliases > 0 and ("\nalso :%s"):format(table.concat(command.aliases, " :"))
  return ("%s\n%s\n%s%s"):format(usage(command), command.help, RIGHTS[command.rights], also or "")
end

local function help(console, text)
  if text == "" then
    return overview(console)
  end
  local commands = require "strobe.console.commands"
  local command, message = commands.find((text:gsub("^:", "")))
  if not command then
    refusal.raise("%s", message)
  end
  return wrapped(console, full_text(command))
end

local function name_of(text, command)
  if text == "" then
    refusal.raise("a name expected, as in :%s", command)
  end
  return text
end

local function reference(console, text)
  local answer = request.ask(console, "help", { name = name_of(text, "h ws.connect") })
  return wrapped(console, (answer.text:gsub("\n+$", "")))
end

local function source(console, text)
  local answer = request.ask(console, "src", { name = name_of(text, "src on_tick") })
  local place = answer.file and ("-- %s:%d\n"):format(answer.file, answer.line or 1) or ""
  return place .. (answer.text:gsub("\n+$", ""))
end

return {
  {
    name = "help", arguments = "[COMMAND]", rights = "-", run = help,
    help = "the commands, or all about one of them",
  },
  {
    name = "h", arguments = "NAME", rights = "ro", run = reference,
    help = "the reference of a name, as :h ws.connect\n"
      .. "Of a function, class or module: signature, parameters, results and errors; what may wait is marked. An\n"
      .. "unknown name gives the nearest ones.",
  },
  {
    name = "src", arguments = "NAME", rights = "ro", run = source,
    help = "the source of a function, with its place\n"
      .. "The text is the one it was loaded from, also when the file has changed since. C functions have none.",
  },
}
