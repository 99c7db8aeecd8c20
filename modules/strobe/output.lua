--- What print and io.write do in a script.
--
-- They stay in order with async.stdout and async.stderr. And when nobody reads standard output any
-- more, as in `strobe script.lua | head`, they end the script: SIGPIPE would, but a runtime with sockets
-- ignores that, and Lua's print does not look.

local errors = require "strobe.async.error"
local report = require "strobe.report"

local output = {}

-- As the system numbers them.
local EBADF, EPIPE = 9, 32

-- What a shell tells of a program that SIGPIPE has ended.
output.BROKEN_STATUS = 128 + 13

local stdout, stderr = io.stdout, io.stderr
local methods = getmetatable(stdout).__index
local write, flush = methods.write, methods.flush

local BROKEN = "stdout: broken pipe (whoever read it has gone)"

-- Called when standard output is found broken.
local on_broken

-- The first failure of print, which tells nobody.
local failure

-- Whether it was said that nobody reads.
local said

local function say_broken()
  if not said then
    said = true
    stderr:write("strobe: ", BROKEN, "\n")
  end
end

local function raise_broken()
  local e = errors.ConnectionError(BROKEN)
  e.code, e.stream = "EPIPE", "stdout"
  on_broken()
  error(e, 0)
end

--- Whether an error says that nobody reads standard output any more.
---@param e any
---@return boolean
function output.is_broken(e)
  if errors.is(e, errors.ExceptionGroup) and e.exceptions then
    for _, inner in ipairs(e.exceptions) do
      if not output.is_broken(inner) then
        return false
      end
    end
    return #e.exceptions > 0
  end
  return errors.is(e, errors.ConnectionError) and e.code == "EPIPE" and e.stream == "stdout"
end

-- The mistake of who calls write, by his file and line, as it is without us.
local function check_arguments(...)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) ~= "string" and type(value) ~= "number" then
      error(("bad argument #%d to 'write' (string expected, got %s)"):format(i, type(value)), 3)
    end
  end
end

-- Passes on what a method of a file returned.
local function checked(file, result, message, code)
  if not result and code == EPIPE and file == stdout then
    raise_broken()
  end
  return result, message, code
end

-- What async.stdout or async.stderr has queued goes before.
local function settle(file)
  local standard = package.loaded["strobe.async.standard"]
  if standard and (file == stdout or file == stderr) then
    standard.flush(file)
  end
end

--- Writes all that is left at once: the process is about to exit.
function output.flush()
  flush(stdout)
  settle(stdout)
  settle(stderr)
end

local function print_line(...)
  local words = table.pack(...)
  for i = 1, words.n do
    words[i] = tostring(words[i])
  end
  settle(stdout)
  local ok, message, code = checked(stdout, write(stdout, table.concat(words, "\t"), "\n"))
  if ok then
    ok, message, code = checked(stdout, flush(stdout))
  end
  if not ok and code ~= EBADF then -- who gave us none wants to hear nothing
    failure = failure or message
  end
end

-- Writes what print has left, then the queues of async.stdout and async.stderr.
local function finish_all()
  local standard = package.loaded["strobe.async.standard"]
  local ok, message, code = flush(stdout)
  if not ok then
    return nil, message, code == EPIPE and "EPIPE" or code == EBADF and "EBADF" or "EIO"
  elseif standard then
    return standard.finish()
  end
  return true
end

--- The end of a script: writes what is left, unless a signal comes, and says when output was lost.
---@async
---@param broken boolean whether the script ended because nobody read its output
---@return integer? status nil when all is well
function output.finish(broken)
  local ok, message, code
  if not broken then
    ok, message, code = finish_all()
  end
  if broken or code == "EPIPE" then
    say_broken()
    return output.BROKEN_STATUS
  end
  local lost = failure or not ok and code ~= "EBADF" and code ~= "ECANCELED" and message
  if lost then
    stderr:write("strobe: stdout: ", lost, " (output was lost)\n")
    return 1
  end
end

--- Gives up what async.stdout and async.stderr have queued.
function output.abandon()
  local standard = package.loaded["strobe.async.standard"]
  if standard then
    standard.abandon()
  end
end

--- Lets print and io.write work like that.
---@param broken fun() called when standard output is found broken; may not wait
function output.install(broken)
  on_broken = broken
  report.set_filter(function(context)
    local is_broken = context.failure and output.is_broken(context.failure.error)
    if is_broken then
      broken()
      say_broken()
    end
    return is_broken
  end)
  function methods.write(file, ...)
    check_arguments(...)
    settle(file)
    return checked(file, write(file, ...))
  end
  function methods.flush(file)
    return checked(file, flush(file))
  end
  function io.write(...) -- luacheck: ignore
    check_arguments(...)
    return methods.write(io.output(), ...)
  end
  function io.flush() -- luacheck: ignore
    return methods.flush(io.output())
  end
  print = print_line -- luacheck: ignore
end

return output
