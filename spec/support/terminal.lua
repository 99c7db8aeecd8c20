--- A terminal with strobe in it, made by `script` (of util-linux, which Debian always has): its screen, its keys, its
-- size.

local Screen = require "spec.support.screen"
local child = require "spec.support.child"
local peer = require "spec.support.peer"
local program = require("strobe.core.host").program

local MARK = "\2" -- between what the shell says and what the program does

---@class spec.Terminal a `<close>` value
---@field screen spec.Screen as of the last `expect` or `wait`
local Terminal = {}
Terminal.__index = Terminal

--- Stories that need one, as peer.stories.
---@param suite table the spec's _ENV
---@return fun(name: string, f: fun())
function Terminal.stories(suite)
  local can = peer.command "script" and os.execute "script -qec true /dev/null >/dev/null 2>&1"
  return peer.stories(suite, can, "`script` makes no terminal here (apt-get install bsdutils; it needs /dev/pts)")
end

local function quoted(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = "'" .. word:gsub("'", "'\\''") .. "'"
  end
  return table.concat(list, " ")
end

--- Starts strobe in a new one. What it says on stderr is not shown: a busy machine has it warn.
---@param arguments string[]
---@param options? {rows?: integer, columns?: integer, environment?: string[]} 24 and 80; "NO_COLOR=1" (TERM=xterm)
---@return spec.Terminal
function Terminal.open(arguments, options)
  options = options or {}
  local rows, columns = options.rows or 24, options.columns or 80
  local environment = { "env", "-u", "NO_COLOR", "TERM=xterm", table.unpack(options.environment or {}) }
  local line = ("stty rows %d cols %d; tty; printf '\\002'; exec %s %s 2>/dev/null"):format(rows, columns,
    quoted(environment), quoted { program, table.unpack(arguments) })
  return setmetatable({
    screen = Screen.new(rows, columns),
    process = child.spawn("script", { "-qefc", line, "/dev/null" }, { input = false }),
  }, Terminal)
end

--- All that the program has sent to it.
---@return string
function Terminal:output()
  return self.process.output.stdout:match(MARK .. "(.*)") or ""
end

--- What its screen shows, as spec.Screen.text.
---@return string
function Terminal:text()
  self.screen:follow(self:output())
  return self.screen:text()
end

--- Waits until its screen shows a pattern; fails when the program ends without.
---@async
---@param pattern string
function Terminal:expect(pattern)
  while not self:text():find(pattern) do
    if self.process.status then
      error(("no %s on the screen:\n%s"):format(pattern, self.screen:text()), 2)
    end
    self.process:wait_change()
  end
end

--- Has somebody type.
---@param keys string
function Terminal:press(keys)
  self.process.pipes.stdin:write(keys)
end

--- Gives it another size.
---@async
---@param rows integer
---@param columns integer
function Terminal:resize(rows, columns)
  local path = assert(self.process.output.stdout:match "(/dev/%S+)")
  self:text()
  self.screen:resize(rows, columns)
  assert(child.spawn("stty", { "-F", path, "rows", tostring(rows), "cols", tostring(columns) }):wait() == 0)
end

--- Waits for the end of the program.
---@async
---@return integer status
function Terminal:wait()
  local status = self.process:wait()
  self:text()
  return status
end

function Terminal:__close()
  self.process:__close()
end

return Terminal
