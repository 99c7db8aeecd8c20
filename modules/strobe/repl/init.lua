--- What scripts and ~/.config/strobe/repl.lua can say to the console: commands of their own, and places to stop at.
--
--   local repl = require "strobe.repl"
--   repl.command("best", function() return book:best() end, "the best prices")     -- `:best` at the prompt
--
--   if spread < 0 then repl.pry() end          -- `:pry TASK` at a console looks at the locals, `:pry go` goes on

local pries = require "strobe.repl.pries"

---@class strobe.repl
local repl = {}

--- Adds a command to this process's console, or replaces one that was added so. `f` gets what stands behind the name,
--- and the console; what it returns is printed. It may wait, and Ctrl-C cancels it; an error is shown at the prompt.
---
--- `repl.command("hi", function(text) return "hello " .. text end, "greets")`, then `:hi you`
---@param name string letters, digits and _
---@param f fun(text: string, console: table): string?
---@param help? string its first line is for the list of `:help`
function repl.command(name, f, help)
  require("strobe.console.commands").add_user(name, f, help)
end

--- Waits here until somebody at a console, or attached to this process, lets the task go on by `:pry go`. `:pry TASK`
--- has its local variables as names to be read and set. No other task waits; a warning tells the place.
---@async
---@param timeout? number seconds after which it goes on by itself (never)
---@return boolean released false after the time-out
function repl.pry(timeout)
  if timeout ~= nil and (type(timeout) ~= "number" or timeout ~= timeout or timeout < 0) then
    error(("repl.pry: timeout: a number of seconds expected, got %s"):format(tostring(timeout)), 2)
  end
  return pries.wait(timeout)
end

return repl
