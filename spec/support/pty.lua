--- A terminal with strobe in it, and who sits there: keys, window, shell. Made by spec/support/pty.c, which is built
-- beside strobe.
--
--   local pty <close> = Pty.open { "repl" }
--   pty:expect "> "
--   pty:type "1+1\r"
--   pty:expect "\n2\n"

local Screen = require "spec.support.screen"
local async = require "strobe.async"
local child = require "spec.support.child"
local delays = require "spec.support.delays"
local peer = require "spec.support.peer"
local program = require("strobe.core.host").program

-- Seconds that a check may take.
local PATIENCE = 60

local signals = require("luv").constants

---@class spec.Pty a `<close>` value
---@field screen spec.Screen as of the last look
local Pty = {}
Pty.__index = Pty
Pty.__name = "pty"

local HELPER = program:gsub("[^/]*$", "") .. "pty"

-- Why there can be none here: the helper was not built, or the system gives no pseudo-terminals.
local function missing()
  local helper <close> = io.open(HELPER)
  if not helper then
    return ("%s is not there: build it as strobe was (ninja pty)"):format(HELPER)
  end
  local master <close>, message = io.open("/dev/ptmx", "r+")
  return not master and ("no pseudo-terminals: %s (is devpts mounted?)"):format(message) or nil
end

--- Stories that need one, as peer.stories.
---@param suite table the spec's _ENV
---@return fun(name: string, f: fun())
function Pty.stories(suite)
  local reason = missing()
  return peer.stories(suite, not reason, reason)
end

--- Starts strobe in a new one. Its folders for settings and state are those of `home`, or lead nowhere.
---@param arguments string[]
---@param options? {rows?: integer, columns?: integer, environment?: string[], program?: string, home?: string}
---@return spec.Pty
function Pty.open(arguments, options)
  options = options or {}
  local rows, columns, home = options.rows or 24, options.columns or 80, options.home or "/nonexistent"
  local words = { tostring(rows), tostring(columns), "env", "-u", "NO_COLOR", "-u", "XDG_CONFIG_HOME",
    "-u", "XDG_STATE_HOME", "HOME=" .. home, "TERM=xterm" }
  table.move(options.environment or {}, 1, #(options.environment or {}), #words + 1, words)
  words[#words + 1] = options.program or program
  table.move(arguments, 1, #arguments, #words + 1, words)
  return setmetatable({
    screen = Screen.new(rows, columns), seen = 1,
    relay = child.spawn(HELPER, words, { input = false }),
  }, Pty)
end

local function command(self, text)
  self.relay.pipes.stdin:write(text)
end

--- All that the program has sent to it.
---@return string
function Pty:output()
  return self.relay.output.stdout
end

--- What its screen shows, as spec.Screen.text, but for warnings of delays.
---@return string
function Pty:text()
  self.screen:follow(self:output())
  return delays.left_out(self.screen:text())
end

local function wait_until(self, what, condition)
  local deadline = async.time() + PATIENCE
  while not condition() do
    local left = deadline - async.time()
    if left <= 0 or not async.move_on_after(left, self.relay.wait_change, self.relay) then
      error(("no %s within %d s; news: %s; the screen:\n%s"):format(what, PATIENCE, self.relay.output.stderr,
        self:text()), 0)
    end
  end
end

--- Waits until its screen shows a pattern.
---@async
---@param pattern string
---@return string ... its captures
function Pty:expect(pattern)
  wait_until(self, pattern, function()
    return self:text():find(pattern)
  end)
  return self:text():match(pattern)
end

--- Waits until its screen shows a text, as it is.
---@async
---@param text string
function Pty:shows(text)
  wait_until(self, text, function()
    return self:text():find(text, 1, true)
  end)
end

--- Types a line, and waits for what comes of it and the prompt behind.
---@async
---@param line string
---@param expected string as it is
function Pty:enter(line, expected)
  self:type(line .. "\r")
  self:shows(expected .. "\n>")
end

--- Waits for a pattern in the bytes that came since the last one that was waited for so.
---@async
---@param pattern string
---@return string ... its captures
function Pty:sends(pattern)
  wait_until(self, pattern, function()
    return self:output():find(pattern, self.seen)
  end)
  local first, last = self:output():find(pattern, self.seen)
  self.seen = last + 1
  return self:output():match(pattern, first)
end

-- Waits for a line of news, of which each is told once.
local function news(self, pattern)
  local from = self.told or 1
  wait_until(self, pattern, function()
    return self.relay.output.stderr:find(pattern, from)
  end)
  local _, last = self.relay.output.stderr:find(pattern, from)
  self.told = last + 1
  return self.relay.output.stderr:match(pattern, from)
end

--- Has somebody type.
---@param keys string
function Pty:type(keys)
  command(self, ("type %d\n%s"):format(#keys, keys))
end

--- Gives the window another size.
---@param rows integer
---@param columns integer
function Pty:resize(rows, columns)
  self:text()
  self.screen:resize(rows, columns)
  command(self, ("size %d %d\n"):format(rows, columns))
end

--- Sends the program a signal.
---@param name string e.g. "SIGTERM"
function Pty:signal(name)
  command(self, ("signal %d\n"):format(signals[name]))
end

--- Its settings, and whether a descriptor that is shared with the shell blocks.
---@async
---@return string
function Pty:settings()
  command(self, "settings\n")
  return news(self, "settings ([^\n]*)\n")
end

--- The terminal takes no more output.
function Pty:stop()
  command(self, "stop\n")
end

--- It takes output again.
function Pty:go()
  command(self, "go\n")
end

--- Closes the window.
function Pty:hang_up()
  command(self, "hangup\n")
end

--- Brings the program to the foreground, as `fg` does.
function Pty:foreground()
  command(self, "foreground\n")
end

--- Waits until the program stops.
---@async
---@return integer signal
function Pty:wait_stop()
  return math.tointeger(tonumber(news(self, "stopped (%d+)\n")))
end

--- Waits for the end of the program.
---@async
---@return integer status 128 and the number of the signal that ended it
function Pty:wait()
  local how, number = news(self, "([ek][xi][il][tl]l?ed) (%d+)\n")
  return math.tointeger(tonumber(number)) + (how == "killed" and 128 or 0)
end

--- Its process.
---@async
---@return integer
function Pty:pid()
  wait_until(self, "pid", function()
    return self.relay.output.stderr:find "pid %d+\n"
  end)
  return math.tointeger(tonumber(self.relay.output.stderr:match "pid (%d+)\n"))
end

function Pty:__close()
  if not self.relay.pipes.stdin:is_closing() then
    self.relay.pipes.stdin:close()
  end
  self.relay:wait()
  self.relay:__close()
end

return Pty
