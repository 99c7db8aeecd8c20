--- A console without a terminal, for specs of commands: what is written, pinned and typed is kept. Its process is this
-- one, near or by the socket.

local attach = require "strobe.attach"
local commands = require "strobe.console.commands"
local uv = require "luv"

local PID = math.tointeger(uv.os_getpid())

---@class spec.Console a `<close>` value
---@field written string all that was written
---@field lines string[] above the prompt
---@field pins table<string, string>
---@field ran string[] inputs that were run
---@field input? string what stands at the prompt
local Console = {}
Console.__index = Console

local function new(peer, near)
  return setmetatable({
    peer = peer, near = near, settings = { width = 100 }, inputs = {}, jobs = {}, written = "", lines = {}, pins = {},
    ran = {}, cleared = 0, has_quit = false,
  }, Console)
end

-- Hands events to the commands, as a console does.
local function listener()
  local console
  return function(event)
    if console then
      commands.take(console, event)
    end
  end, function(made)
    console = made
    return made
  end
end

--- One beside the process: a client of its socket. attached: spec.Attached.
---@param rights? "ro"|"rw"
---@return spec.Console
function Console.far(rights)
  local on_event, adopt = listener()
  local client = assert(attach.connect(PID, { on_event = on_event }))
  client:call("open", { rights = rights or "rw", name = "spec" })
  return adopt(new(client, false))
end

--- One in the process.
---@param options? table of near.connect
---@return spec.Console
function Console.near(options)
  local on_event, adopt = listener()
  local given = { on_event = on_event }
  for key, value in pairs(options or {}) do
    given[key] = value
  end
  return adopt(new(require("strobe.attach.near").connect(given), true))
end

--- Calls f(console) for one in the process of an Attached, then for one that came by its socket.
---@param attached spec.Attached
---@param f fun(console: spec.Console)
function Console.both(attached, f)
  for _, kind in ipairs { "near", "far" } do
    local console <close> = kind == "near" and Console.near { server = attached.server } or Console.far()
    f(console)
  end
end

--- Carries out a command: its text; raises when it is refused.
---@param line string
---@return string
function Console:command(line)
  local text, message = commands.run(self, line)
  if not text then
    error(message, 2)
  end
  return text
end

--- Carries out a command that is refused: why.
---@param line string
---@return string
function Console:refused(line)
  local text, message = commands.run(self, line)
  if text then
    error("it was done: " .. text, 2)
  end
  return message
end

function Console:write(text)
  self.written = self.written .. text
end

function Console:above(text)
  table.insert(self.lines, text)
end

function Console:pin(key, text)
  self.pins[key] = text
end

function Console:run(text)
  table.insert(self.ran, text)
end

function Console:set_input(text)
  self.input = text
end

function Console:clear()
  self.cleared = self.cleared + 1
end

function Console:quit()
  self.has_quit = true
end

function Console.lend_terminal(_, f)
  f()
end

Console.__close = function(console)
  console.peer:close()
end

return Console
