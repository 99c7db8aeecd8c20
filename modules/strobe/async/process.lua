--- Child processes: what create_subprocess_exec returns. asyncio.subprocess.Process
--
-- A process is a `<close>` value. Leaving its block ends it: SIGTERM, and SIGKILL after a
-- grace period; its pipes are closed, and it is reaped. One that is dropped while it runs
-- is left alone, reported, and reaped when it ends, so there is never a zombie.
--
-- Under the virtual clock time passes no faster than it really does while a child runs: it
-- is not over before the child could answer.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local lot = require "strobe.core.lot"
local signals = require "strobe.async.signal"
local taskgroup = require "strobe.async.taskgroup"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

-- Bytes that are read or written at once, and those that communicate collects.
local CHUNK, MAX_SIZE = 64 * 1024, 256 * 1024 * 1024

---@class strobe.Process
---@field pid integer
---@field returncode? integer       nil while it runs; below 0 the signal that ended it
---@field stdin? strobe.StreamWriter  with stdin = PIPE
---@field stdout? strobe.StreamReader with stdout = PIPE
---@field stderr? strobe.StreamReader with stderr = PIPE
---@field private child table
local Process = {}
Process.__name = "Process"

-- Asks only while the child is ours: later somebody else may have its pid.
local function send(child, number)
  if child.returncode then
    return true
  end
  local ok, message, code = uv.kill(child.pid, number)
  if ok or code == "ESRCH" then
    return true
  end
  return nil, message, code
end

-- To its whole group, if it is the head of one.
local function send_to_all(child, number)
  if child.leads and not child.returncode then
    uv.kill(-child.pid, number)
  end
  return send(child, number)
end

local function wait_for_end(child)
  while not child.returncode do
    child.ended:park()
  end
  return child.returncode
end

-- It must not hold the process, or that would never be collected.
local function on_exit(child)
  return function(status, signal)
    child.returncode = signal ~= 0 and -signal or status
    child.handle:close()
    time.end_pace()
    child.ended:wake()
  end
end

local new

--- Starts a program by luv's options.
---@param program string
---@param options table as luv's spawn
---@param settings {grace: number}
---@return strobe.Process? process without its pipes
---@return string? message
---@return string? code
function Process.start(program, options, settings)
  local child = {
    program = program, leads = options.detached, grace = settings.grace, ended = lot.new("process " .. program),
  }
  local handle, pid, code = uv.spawn(program, options, on_exit(child))
  if not handle then
    return nil, pid, code
  end
  child.handle, child.pid = handle, pid
  time.keep_pace()
  return new(child)
end

--- Waits until it has ended, whatever becomes of its pipes. A child that fills a pipe which
--- nobody reads never ends: use communicate. asyncio.subprocess.Process.wait
---@async
---@return integer returncode below 0: the signal that ended it
function Process:wait()
  local returncode = wait_for_end(self.child)
  return returncode -- no tail call: the process is not dropped as long as somebody waits
end

-- Collects all until the end.
local function collect(reader, limit)
  local parts, size = {}, 0
  repeat
    local part = reader:read(CHUNK)
    parts[#parts + 1], size = part, size + #part
    if size > limit then
      error(errors.LimitOverrunError(("communicate: more than %d bytes (give a higher limit)"):format(limit)), 0)
    end
  until part == ""
  return table.concat(parts)
end

-- A child need not read all that it is given.
local function feed(writer, input)
  local ok, e = pcall(function()
    for at = 1, #input, CHUNK do
      writer:write(input:sub(at, at + CHUNK - 1))
      writer:drain()
    end
  end)
  writer:close()
  if not ok and not errors.is(e, errors.ConnectionError) then
    error(e, 0)
  end
end

-- Real time's pace is kept to the end of a block, also for grandchildren, whom nobody waits for.
local Pace = { __close = time.end_pace }

local function talk(process, input, limit)
  time.keep_pace()
  local pace <close> = setmetatable({}, Pace) -- luacheck: ignore
  local group <close> = taskgroup.TaskGroup()
  if process.stdin then
    group:create_task(feed, process.stdin, input)
  end
  local said = process.stderr and group:create_task(collect, process.stderr, limit)
  local output = process.stdout and collect(process.stdout, limit)
  return output, said and said:await()
end

local function check_communicate(process, input, options)
  if input ~= nil and type(input) ~= "string" then
    error(("communicate: input: a string expected, got %s"):format(type(input)), 3)
  elseif input and not process.stdin then
    error("communicate: input: the process has no pipe for it: give stdin = async.subprocess.PIPE", 3)
  end
  local limit = options and options.limit or MAX_SIZE
  if type(limit) ~= "number" or limit < 0 then
    error(("communicate: limit: a number of bytes expected, got %s"):format(tostring(limit)), 3)
  end
  return limit
end

--- Writes `input` to its stdin and closes that, reads stdout and stderr to their end, all at
--- once, and waits for its end. When a grandchild keeps a pipe open it waits for that as well.
--- Cancelled, what was read is lost. asyncio.subprocess.Process.communicate
---@async
---@param input? string
---@param options? {limit?: integer} bytes of each output (256 MiB); more raise LimitOverrunError
---@return string? stdout nil without a pipe
---@return string? stderr nil without a pipe
function Process:communicate(input, options)
  local limit = check_communicate(self, input, options)
  local results = table.pack(pcall(talk, self, input or "", limit))
  if not results[1] then
    local e = results[2]
    error(errors.is(e, errors.ExceptionGroup) and e.exceptions[1] or e, 0)
  end
  self:wait()
  return results[2], results[3]
end

--- Sends a signal. One to a process that has ended goes nowhere, not to whom its pid belongs
--- now; Python raises ProcessLookupError. asyncio.subprocess.Process.send_signal
---@param signal string|integer "SIGINT", or its number
---@return boolean sent false when it had ended
function Process:send_signal(signal)
  local number = signals.number("send_signal", signal)
  if self.child.returncode then
    return false
  end
  local ok, message, code = send(self.child, number)
  if not ok then
    local e = errors.Error(("send %s to process %d (%s): %s"):format(signals.name(number), self.child.pid,
      self.child.program, message))
    e.code = code
    error(e, 0)
  end
  return true
end

--- Asks it to end: SIGTERM. asyncio.subprocess.Process.terminate
---@return boolean sent false when it had ended
function Process:terminate()
  return self:send_signal "SIGTERM"
end

--- Ends it: SIGKILL. asyncio.subprocess.Process.kill
---@return boolean sent false when it had ended
function Process:kill()
  return self:send_signal "SIGKILL"
end

-- Waits for the end, however often the task is cancelled; returns the last CancelledError.
local function wait_anyway(child)
  local cancelled
  while not child.returncode do
    local ok, e = pcall(wait_for_end, child)
    cancelled = not ok and e or cancelled
  end
  return cancelled
end

local function report_survivor(child, message)
  core_error.report {
    message = ("process %d (%s) cannot be ended: %s; it runs on"):format(child.pid, child.program, message),
    warning = true,
  }
end

-- Ends the child by SIGTERM, or by SIGKILL when its grace is over or the task is cancelled.
-- Returns that CancelledError.
local function finish(child)
  local ok, message = send_to_all(child, signals.number("close", "SIGTERM"))
  local cancelled, e
  if ok and child.grace > 0 then
    ok, e = pcall(timeouts.move_on_after, child.grace, wait_for_end, child)
    cancelled, ok = not ok and e or nil, true
  end
  if ok then
    ok, message = send_to_all(child, signals.number("close", "SIGKILL"))
  end
  if ok then
    cancelled = wait_anyway(child) or cancelled
  else
    report_survivor(child, message) -- it has become another user's
  end
  return cancelled
end

local function close_pipes(process)
  for _, name in ipairs { "stdin", "stdout", "stderr" } do
    local pipe = rawget(process, name)
    if pipe then
      pipe.stream:abort()
    end
  end
end

--- Ends it as leaving its block does: closes its stdin, sends SIGTERM, and SIGKILL after the
--- grace period; with start_new_session to its whole group. Waits for its end, and closes its
--- pipes. Cancelled meanwhile, it does not wait any longer with SIGKILL. Closing twice is
--- harmless.
---@async
function Process:close()
  local child = self.child
  child.closed = true
  if self.stdin then
    self.stdin:close()
  end
  local cancelled = not child.returncode and finish(child)
  close_pipes(self)
  if cancelled then
    error(cancelled, 0)
  end
end

Process.__close = Process.close

function Process:__index(name)
  if name == "returncode" then
    return self.child.returncode
  end
  return Process[name]
end

function Process:__tostring()
  local child = self.child
  local state = child.returncode and ("returncode %d"):format(child.returncode) or "running"
  return ("<Process %d %s, %s>"):format(child.pid, child.program, state)
end

-- One in a session of its own is meant to live on.
function Process:__gc()
  local child = self.child
  if not child.returncode and not child.closed and not child.leads then
    core_error.report {
      message = ("process %d (%s) was dropped and runs on: close it, or wait for it"):format(child.pid, child.program),
      warning = true,
    }
  end
end

function new(child)
  return setmetatable({ child = child, pid = child.pid }, Process)
end

return Process
