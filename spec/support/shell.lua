--- Lines of the shell, to see strobe as who types them sees it.
--
-- The spec stands still meanwhile, its virtual clock as well; a line that is not over
-- in 100 s is ended, with status 124. Warnings that a busy machine alone may bring about are left out.

local program = require("strobe.core.host").program
local delays = require "spec.support.delays"

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function write_file(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

local shell = {}

--- Runs a line in which $S is strobe, and $F a file with that text.
---@param line string
---@param text? string
---@return string output of both kinds; the file's path is FILE in it
---@return integer status
function shell.run(line, text)
  local path = text and write_file(text)
  local script = ("S=%s F=%s; { %s; } 2>&1"):format(quoted(program), path or "", line)
  local pipe = assert(io.popen("timeout 100 sh -c " .. quoted(script)))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  if path then
    os.remove(path)
    output = output:gsub(path:gsub("%p", "%%%0"), "FILE")
  end
  return delays.unnamed_left_out(output), status
end

--- Runs lines of Lua in a strobe of its own; `async` is there.
---@param code string
---@param clock? string by default "virtual"
---@return string output of both kinds
---@return integer status
function shell.lua(code, clock)
  local prelude = 'local async = require "strobe.async" '
  return shell.run(("$S --clock=%s -e %s"):format(clock or "virtual", quoted(prelude .. code)))
end

return shell
