--- `strobe dump`: a process prints the stacks of its tasks, on its own standard error. Also one whose loop is stuck: it
--- is asked by a signal, which the host takes itself.

local arguments = require "strobe.arguments"
local directory = require "strobe.attach.directory"
local net = require "strobe.net"
local target = require "strobe.attach.target"
local time = require "strobe.core.time"
local uv = require "luv"

-- Seconds to be let in by the kernel, for which the process need do nothing; until a process has written all, which
-- takes it a second when it is in a C function; and between two looks at it.
local PATIENCE, MOST, LOOK = 1, 3, 0.1
-- Looks without a word more after which it is taken to be all.
local QUIET = 4

local dump = {}

dump.usage = [[
usage: strobe dump PID
  lets a process print the stacks of all its tasks, and goes on running: also when its loop is stuck and it answers
  nothing else. They go to the standard error of the process; when that is a file, they are shown here too.
exit status: 0 the process was asked, 1 no such process, 2 usage]]

local function fail(status, message)
  io.stderr:write("strobe: dump: ", message, "\n")
  return status
end

-- Only to who listens at the socket of that number a signal is sent: another program would be killed by it.
local function signal(pid)
  local stream <close>, path = directory.reach(pid, PATIENCE) -- luacheck: ignore
  if not stream then
    return nil, path
  end
  local peer, uid = net.credentials(stream)
  if peer ~= pid then
    return nil, ("%s: process %s listens there: nothing is sent to %d"):format(path, tostring(peer or uid), pid)
  end
  local sent, why = uv.kill(pid, "sigusr2")
  if not sent then
    return nil, ("process %d: %s"):format(pid, why)
  end
  return true
end

-- Where its standard error goes, and where that ends now when it is a file that we may read.
local function stderr_of(pid)
  local link = ("/proc/%d/fd/2"):format(pid)
  local name = uv.fs_readlink(link)
  local stat = name and uv.fs_stat(link)
  local file = stat and stat.type == "file" and io.open(link, "rb")
  return name, file or nil, file and file:seek "end"
end

-- What is written to a file from a place on, until no more comes.
local function copy(file, from)
  local quiet, ends = 0, time.real() + MOST
  while quiet < QUIET and time.real() < ends do
    time.sleep(LOOK)
    file:seek("set", from)
    local text = file:read "a"
    from = from + #text
    quiet = (#text > 0 or quiet > 0) and #text == 0 and quiet + 1 or 0
    io.stdout:write(text)
  end
  io.stdout:flush()
end

--- `strobe dump PID`
---@async
---@param words string[]
---@return integer status
function dump.main(words)
  local options, message = arguments.read({ help = false }, words)
  if options and options.help then
    print(dump.usage)
    return 0
  end
  local pid
  if options then
    pid, message = target.read(options)
  end
  if not pid then
    return fail(2, (message or "of which process? its PID is missing") .. "\n" .. dump.usage)
  end
  local name, file <close>, from = stderr_of(pid) -- luacheck: ignore
  local done
  done, message = signal(pid)
  if not done then
    return fail(1, message)
  end
  io.stderr:write(("strobe: process %d prints the stacks of its tasks on its standard error%s\n"):format(pid,
    name and ": " .. name or ""))
  if file then
    copy(file, from)
  end
  return 0
end

return dump
