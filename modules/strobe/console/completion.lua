--- What helps while somebody types: candidates when Tab is pressed, and the signature of the call around the cursor.
--
-- The peer is asked for most of it, and may take its time: what was typed meanwhile makes its answer useless.

local Alarm = require "strobe.alarm"
local argument = require "strobe.console.commands.argument"
local candidates = require "strobe.repl.candidates"
local commands = require "strobe.console.commands"
local contexts = require "strobe.async.context"
local tasks = require "strobe.async.task"

-- Seconds without a key after which a signature is asked for.
local REST = 0.15

---@class strobe.console.Completion
---@field private console strobe.Console
---@field private alarm strobe.Alarm
---@field private last? table the event of the last edit
local Completion = {}
Completion.__index = Completion
Completion.__name = "console completion"

-- A task of ours, which has no part in what the user's tasks have set.
local function spawn(name, f, ...)
  local task = contexts.Context():run(tasks.create_task, f, ...)
  task:set_name(name)
end

local function begin_to_sign(self)
  spawn("console signature", self.sign, self)
end

--- Makes one for a console.
---@param console strobe.Console
---@return strobe.console.Completion
function Completion.new(console)
  local self = setmetatable({ console = console }, Completion)
  self.alarm = Alarm.new(function()
    begin_to_sign(self)
  end):unref()
  return self
end

-- --- Candidates ----------------------------------------------------------------------------------

local function command_names(prefix)
  local list = {}
  for _, name in ipairs(commands.names()) do
    if name:sub(1, #prefix) == prefix then
      list[#list + 1] = { text = name, kind = "command" }
    end
  end
  return { first = 1, last = #prefix, list = list }
end

-- Files are where the console is; all else the peer knows.
local function ask(console, kind, part)
  if kind == "COMMAND" then
    return command_names(part)
  elseif kind == "FILE" then
    return candidates.of(kind, part, {})
  end
  return console.peer:call("complete", { text = part, cursor = #part, of = kind ~= "LUA" and kind or nil })
end

local function complete(console, event)
  local before = event.text:sub(1, event.cursor)
  local kind, part = "LUA", before
  if before:find "^%s*:%a" or before:find "^%s*:$" then
    kind, part = argument.at(before)
  end
  local found = kind and ask(console, kind, part) or { list = {} }
  if found.first then
    local shift = #before - #part
    found.first, found.last = found.first + shift, found.last + shift
  end
  if not console.closed then
    console.front:answer(event.token, found)
  end
end

--- Answers a request of the editor.
---@param event table
function Completion:complete(event)
  spawn("console completion", complete, self.console, event)
end

-- --- Signatures ----------------------------------------------------------------------------------

local function text_of(signature)
  return signature and signature.text and signature.text .. (signature.waits and "  waits" or "")
end

-- Shows the signature that fits what is typed, or none.
function Completion:sign()
  local event, console = self.last, self.console
  local answer = event.text:find("(", 1, true) and not console.job
    and console.peer:call("signature", { text = event.text, cursor = event.cursor })
  if self.last == event and not console.closed then
    console.front:hint(answer and text_of(answer.signature) or nil)
  end
end

--- What is typed has changed.
---@param event table
function Completion:edited(event)
  self.last = event
  self.alarm:set(REST)
end

--- For good. Twice is harmless.
function Completion:close()
  self.alarm:close()
end

return Completion
