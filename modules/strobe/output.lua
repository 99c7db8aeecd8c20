--- What print and io.write do in a script.
--
-- They stay in order with async.stdout and async.stderr. And when nobody reads standard output any
-- more, as in `strobe script.lua | head`, they end the script: SIGPIPE would, but a runtime with sockets
-- ignores that, and Lua's print does not look.

local errors = require "strobe.async.error"
local inherited = require "strobe.core.inherited"
local report = require "strobe.report"

local output = {}

-- As the system numbers them.
local EBADF, EPIPE = 9, 32
local words = { [EBADF] = "EBADF", [EPIPE] = "EPIPE" }

-- What a shell tells of a program that SIGPIPE has ended.
local BROKEN_STATUS = 128 + 13
local BROKEN = "stdout: broken pipe (whoever read it has gone)"

local stdout, stderr = io.stdout, io.stderr
local methods = getmetatable(stdout).__index
local write, flush, default_output = methods.write, methods.flush, io.output

-- The streams of async.stdout and async.stderr, by file, once they are open.
local streams = {}

-- Called when standard output is found broken.
local on_broken

-- The first failure of print, which tells nobody.
local failure

-- Whether it was said that nobody reads.
local said

-- Gets what is printed, see output.divert.
local take

-- Is asked first whose it is, see output.claim.
local claim

--- Says, once, that nobody reads standard output any more.
function output.say_broken()
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

local function all_broken(list)
  for _, e in ipairs(list) do
    if not output.is_broken(e) then
      return false
    end
  end
  return #list > 0
end

--- Whether an error says that nobody reads standard output any more.
---@param e any
---@return boolean
function output.is_broken(e)
  if errors.is(e, errors.ExceptionGroup) then
    return all_broken(e.exceptions or {})
  end
  return errors.is(e, errors.ConnectionError) and e.code == "EPIPE" and e.stream == "stdout"
end

--- Hands on what print, io.write and async.stdout write to standard output or error, instead of writing it; nil: no
--- more. A console does, whose prompt is there.
---@param f? fun(text: string) may not wait
function output.divert(f)
  take = f
end

--- Asks whose text for standard output is before anything else is done with it: that of who types from afar is his;
--- nil: no more. Standard error stays the process's, as the log is written there.
---@param f? fun(text: string): boolean taken may not wait
function output.claim(f)
  claim = f
end

--- Hands text on, if that was asked for.
---@param file file*
---@param text string
---@return boolean taken
function output.take(file, text)
  if claim and file == stdout and claim(text) then
    return true
  end
  local taken = take ~= nil and (file == stdout or file == stderr)
  if taken then
    take(text)
  end
  return taken
end

local function concatenated(...)
  local ok, text = pcall(table.concat, { ... })
  return ok and text
end

-- Whether what write got was handed on; mistakes are the system's to find.
local function is_taken(file, ...)
  local text = (take or claim) and concatenated(...)
  return text and output.take(file, text)
end

-- What a stream has queued goes before what is written to its file.
local function settle(file)
  local stream = streams[file]
  if stream then
    inherited.flush(stream)
  end
end

--- From now on what is written to a file comes behind what the stream has queued.
---@param file file* io.stdout or io.stderr
---@param stream strobe.Stream
function output.share(file, stream)
  streams[file] = stream
end

-- The mistake of who calls write, with his file and line, as it is without us.
local function raise_mistake(message, ...)
  for i = 1, select("#", ...) do
    local kind = type((select(i, ...)))
    if kind ~= "string" and kind ~= "number" then
      error(("bad argument #%d to 'write' (string expected, got %s)"):format(i, kind), 3)
    end
  end
  error((message:gsub("'%?'", "'write'")), 3) -- called by pcall, it does not know its name
end

-- Passes on what a method of a file returned.
local function checked(file, result, message, code)
  if not result and code == EPIPE and file == stdout then
    raise_broken()
  end
  return result, message, code
end

local function write_to_file(file, ...)
  if is_taken(file, ...) then
    return file
  end
  settle(file)
  local ok, result, message, code = pcall(write, file, ...)
  if not ok then
    raise_mistake(result, ...)
  end
  return checked(file, result, message, code)
end

local function write_to_default(...)
  local file = default_output()
  if is_taken(file, ...) then
    return file
  end
  settle(file)
  local ok, result, message, code = pcall(write, file, ...)
  if not ok then
    raise_mistake(result, ...)
  end
  return checked(file, result, message, code)
end

local function joined(...)
  if select("#", ...) == 1 then
    return tostring((...))
  end
  local texts = table.pack(...)
  for i = 1, texts.n do
    texts[i] = tostring(texts[i])
  end
  return table.concat(texts, "\t")
end

local function print_line(...)
  local text = joined(...)
  if output.take(stdout, text .. "\n") then
    return
  end
  settle(stdout)
  local ok, message, code = checked(stdout, write(stdout, text .. "\n")) -- at once: other threads print, too
  if ok then
    ok, message, code = checked(stdout, flush(stdout))
  end
  if not ok and code ~= EBADF then -- who gave us none wants to hear nothing
    failure = failure or message
  end
end

--- Writes all that is left at once: the process is about to exit.
function output.flush()
  flush(stdout)
  settle(stdout)
  settle(stderr)
end

-- Waits until all that a stream has queued has gone.
local function finish_stream(file)
  local stream = streams[file]
  if not stream then
    return true
  end
  stream:close()
  stream:wait_closed()
  return stream:drain() -- which tells whether it has
end

local function finish_all()
  local ok, message, code = flush(stdout)
  if not ok then
    return nil, message, words[code]
  end
  finish_stream(stderr)
  return finish_stream(stdout)
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
    output.say_broken()
    return BROKEN_STATUS
  end
  local lost = failure or not ok and code ~= "EBADF" and code ~= "ECANCELED" and message
  if lost then
    stderr:write("strobe: stdout: ", lost, " (output was lost)\n")
    return 1
  end
end

--- Gives up what async.stdout and async.stderr have queued.
function output.abandon()
  for _, stream in pairs(streams) do
    stream:abort()
  end
end

-- An error that nobody took care of, and that says that nobody reads, is no news.
local function keep_back(context)
  local is_broken = context.failure and output.is_broken(context.failure.error)
  if is_broken then
    on_broken()
    output.say_broken()
  end
  return is_broken
end

--- Lets print and io.write work like that.
---@param broken fun() called when standard output is found broken; may not wait
function output.install(broken)
  on_broken = broken
  report.set_filter(keep_back)
  methods.write, io.write = write_to_file, write_to_default -- luacheck: ignore
  function methods.flush(file)
    return checked(file, flush(file))
  end
  function io.flush() -- luacheck: ignore
    return methods.flush(default_output())
  end
  print = print_line -- luacheck: ignore
end

return output
