--- Starting programs. asyncio.subprocess
--
-- As all of strobe.async, these raise: a program that cannot be started is an Error whose
-- `code` is the system's word, "ENOENT", "EACCES", "E2BIG", …

local Process = require "strobe.async.process"
local core = require "strobe.core.process"
local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local socket = require "strobe.core.socket"
local streams = require "strobe.async.streams"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

local subprocess = {}

local function word(name)
  return setmetatable({}, {
    __tostring = function()
      return "async.subprocess." .. name
    end,
  })
end

--- A pipe between us and the child.
subprocess.PIPE = word "PIPE"

--- Nothing: the child reads the end at once, and what it writes is dropped.
subprocess.DEVNULL = word "DEVNULL"

--- For stderr: where stdout goes.
subprocess.STDOUT = word "STDOUT"

-- Seconds between SIGTERM and SIGKILL for a child whose block is left.
local GRACE = 5

-- Descriptors a child may be given.
local MOST_DESCRIPTORS = 65536

local names = { "stdin", "stdout", "stderr" }

---@class strobe.SubprocessOptions
---@field stdin? any  async.subprocess.PIPE, DEVNULL, a file, a descriptor's number; nil: ours
---@field stdout? any the same
---@field stderr? any the same, or async.subprocess.STDOUT
---@field cwd? string the folder it starts in; a program named by a relative path is looked for from there
---@field env? table<string, string|number> all of its environment, PATH included; nil: ours
---@field limit? integer most bytes of a line or of readuntil of its pipes (64 KiB)
---@field grace? number seconds between SIGTERM and SIGKILL when its block is left (5)
---@field start_new_session? boolean setsid: no terminal, no Ctrl-C; closing it ends its whole group
---@field pass_fds? integer[] further descriptors it gets, under the same numbers
---@field uid? integer the user it runs as; needs the right to
---@field gid? integer

-- --- Checking what the caller gave ---------------------------------------------------------

local function mistake(where, text, ...)
  error(("%s: " .. text):format(where, ...), 0)
end

-- A caller's mistake names the line that made it.
local function checked(level, check, ...)
  local ok, message = pcall(check, ...)
  if not ok then
    error(message, level + 1)
  end
  return message
end

local function check_text(where, what, text)
  local kind = math.type(text) and "string" or type(text)
  if kind ~= "string" then
    mistake(where, "%s: a string expected, got %s", what, type(text))
  end
  text = tostring(text)
  if text:find("\0", 1, true) then
    mistake(where, "%s: it has no NUL byte, as %q has", what, text)
  end
  return text
end

-- The program and its arguments.
local function check_words(where, words)
  local checked_words = {}
  for i = 1, math.max(words.n or #words, 1) do
    checked_words[i] = check_text(where, i == 1 and "program" or "argument " .. i - 1, words[i])
  end
  if checked_words[1] == "" then
    mistake(where, "program: a name expected, got an empty string")
  end
  return checked_words
end

local function check_environment(where, env)
  if env == nil then
    return nil
  elseif type(env) ~= "table" then
    mistake(where, "env: a table expected, got %s", type(env))
  end
  local list = {}
  for name, value in pairs(env) do
    if type(name) ~= "string" or name == "" or name:find "[=\0]" then
      mistake(where, "env: %q cannot be a variable's name", tostring(name))
    end
    list[#list + 1] = name .. "=" .. check_text(where, "env: " .. name, value)
  end
  table.sort(list)
  return list
end

local function check_number(where, name, value, least, kind)
  local fits = type(value) == "number" and value >= least and (not kind or math.type(value) == kind)
  if value ~= nil and not fits then
    mistake(where, "%s: a number of %d or more expected, got %s", name, least, tostring(value))
  end
  return value
end

local function check_descriptors(where, list)
  for _, fd in ipairs(list or {}) do
    if math.type(fd) ~= "integer" or fd < #names or fd > MOST_DESCRIPTORS then
      mistake(where, "pass_fds: descriptors from %d on expected, got %s", #names, tostring(fd))
    end
  end
  return list or {}
end

-- The number of what has a descriptor, nil for anything else.
local function descriptor_of(value)
  local kind = io.type(value)
  if kind then
    value = kind == "file" and value or nil
    return value and value:flush() and core.fileno(value)
  elseif math.type(value) == "integer" then
    return value >= 0 and value or nil
  elseif (type(value) == "table" or type(value) == "userdata") and getmetatable(value) then
    local ok, fd = pcall(function()
      return value:fileno()
    end)
    return ok and math.type(fd) == "integer" and fd or nil
  end
end

local function check_target(where, name, value)
  local is_word = value == subprocess.PIPE or value == subprocess.DEVNULL
  if value == nil or is_word or name == "stderr" and value == subprocess.STDOUT then
    return value
  end
  local fd = descriptor_of(value)
  if not fd then
    mistake(where, "%s: PIPE, DEVNULL, an open file or a descriptor expected, got %s", name, tostring(value))
  elseif not uv.fs_fstat(fd) then
    mistake(where, "%s: descriptor %d is not open", name, fd)
  end
  return fd
end

local known = {
  stdin = true, stdout = true, stderr = true, cwd = true, env = true, limit = true, grace = true,
  start_new_session = true, pass_fds = true, uid = true, gid = true,
}

-- All of the options, as they are needed. A misspelt one would do nothing, and nobody would know.
local function check_options(where, options)
  options = options or {}
  for name in pairs(options) do
    if not known[name] then
      mistake(where, "there is no option %s", tostring(name))
    end
  end
  local targets = {}
  for _, name in ipairs(names) do
    targets[name] = check_target(where, name, options[name])
  end
  return {
    targets = targets,
    cwd = options.cwd and check_text(where, "cwd", options.cwd),
    env = check_environment(where, options.env),
    limit = check_number(where, "limit", options.limit, 1, "integer"),
    grace = check_number(where, "grace", options.grace, 0) or GRACE,
    uid = check_number(where, "uid", options.uid, 0, "integer"),
    gid = check_number(where, "gid", options.gid, 0, "integer"),
    pass_fds = check_descriptors(where, options.pass_fds),
    detached = options.start_new_session and true or nil,
  }
end

-- --- Starting -------------------------------------------------------------------------------

-- The pipes of a start: the child's ends are closed with the block, ours when it failed.
local Pipes = {
  __close = function(pipes)
    for _, fd in ipairs(pipes.theirs) do
      uv.fs_close(fd)
    end
    for _, stream in pairs(not pipes.started and pipes.ours or {}) do
      stream:abort()
    end
  end,
}

-- Makes one; returns the descriptor of the child's end, or nil, message, code.
local function open_pipe(pipes, name)
  local ends, message, code = uv.pipe({}, {})
  if not ends then
    return nil, message, code
  end
  local their_end = name == "stdin" and "read" or "write"
  local our_fd = ends[their_end == "read" and "write" or "read"]
  table.insert(pipes.theirs, ends[their_end])
  local stream
  stream, message, code = socket.open_fd(our_fd)
  if not stream then
    uv.fs_close(our_fd)
    return nil, message, code
  end
  pipes.ours[name] = stream
  return ends[their_end]
end

-- The descriptors of the child; or nil, message, code. DEVNULL is none.
local function open_targets(pipes, settings)
  local stdio = {}
  for i, name in ipairs(names) do
    local target = settings.targets[name]
    if target == subprocess.PIPE then
      local fd, message, code = open_pipe(pipes, name)
      if not fd then
        return nil, message, code
      end
      stdio[i] = fd
    elseif target == subprocess.STDOUT then
      stdio[i] = stdio[2]
    elseif target ~= subprocess.DEVNULL then
      stdio[i] = target or i - 1
    end
  end
  for _, fd in ipairs(settings.pass_fds) do
    stdio[fd + 1] = fd
  end
  return stdio
end

local hints = {
  E2BIG = "pass less on the command line and in the environment: use stdin or a file",
  EACCES = "look at its permissions: is it a program?",
  EAGAIN = "too many processes: wait for some, or raise `ulimit -u`",
  EMFILE = "close files, run fewer programs at once, or raise `ulimit -n`",
  ENFILE = "too many files are open on this machine",
  ENOMEM = "free some memory",
  EPERM = "only root may start programs as somebody else",
}

-- What the system's word does not tell: whether the folder, the program or its interpreter.
local function why_not_there(program, cwd)
  local folder = cwd and uv.fs_stat(cwd)
  if cwd and not (folder and folder.type == "directory") then
    return ("there is no folder %s (check cwd)"):format(cwd)
  elseif not program:find("/", 1, true) then
    return "no such program in PATH (check the name, or give its path)"
  end
  local path = program:sub(1, 1) ~= "/" and cwd and cwd .. "/" .. program or program
  if uv.fs_stat(path) then
    return "the interpreter in its first line is not there"
  end
  return "no such file (check the path)"
end

local function raise(program, cwd, message, code)
  local reason = (code == "ENOENT" or code == "ENOTDIR") and why_not_there(program, cwd)
  if not reason then
    reason = tostring(message):gsub("^%u[%w_]*: ", "")
    reason = hints[code] and ("%s (%s)"):format(reason, hints[code]) or reason
  end
  local place = cwd and (" in %s"):format(cwd) or ""
  local e = errors.Error(("cannot start %s%s: %s"):format(program, place, reason))
  e.code = code
  error(e, 0)
end

local function give_streams(process, pipes, limit)
  pipes.started = true
  for name, stream in pairs(pipes.ours) do
    local wrap = name == "stdin" and streams.StreamWriter or streams.StreamReader
    local pipe = wrap(stream, limit)
    pipe.process = process -- who holds a pipe holds the process
    process[name] = pipe
  end
  return process
end

-- What we have printed comes before what the child prints.
local function flush()
  io.stdout:flush()
  io.stderr:flush()
end

local function start(words, settings)
  local pipes <close> = setmetatable({ theirs = {}, ours = {} }, Pipes)
  local program = table.remove(words, 1)
  local stdio, message, code = open_targets(pipes, settings)
  if not stdio then
    return raise(program, settings.cwd, message, code)
  end
  flush()
  core.seal()
  local process
  process, message, code = Process.start(program, {
    args = words, stdio = stdio, env = settings.env, cwd = settings.cwd, detached = settings.detached,
    uid = settings.uid, gid = settings.gid,
  }, settings)
  if not process then
    return raise(program, settings.cwd, message, code)
  end
  return give_streams(process, pipes, settings.limit)
end

-- The words that have a line of the shell read.
local function shell_words(where, line)
  return { "/bin/sh", "-c", checked(3, check_text, where, "command", line) }
end

-- `words` are a program and its arguments. Mistakes are those of the caller's caller.
local function launch(where, words, options)
  words = checked(3, check_words, where, words)
  return start(words, checked(3, check_options, where, options))
end

--- Starts a program, looked for in PATH, with arguments as they are: no shell reads them.
---
--- `local ls <close> = async.create_subprocess_exec("ls", "-l", { stdout = async.subprocess.PIPE })`
---
--- Raises an Error with `code` when it cannot be started; does not wait.
--- asyncio.create_subprocess_exec
---@param program string
---@param ... string|number|strobe.SubprocessOptions arguments, then the options
---@return strobe.Process
function subprocess.create_subprocess_exec(program, ...)
  local words = table.pack(program, ...)
  local options
  if words.n > 1 and type(words[words.n]) == "table" then
    words.n, options = words.n - 1, words[words.n]
  end
  local process = launch("create_subprocess_exec", words, options)
  return process
end

--- Starts a line of the shell, /bin/sh. What comes from outside must be quoted in it.
--- asyncio.create_subprocess_shell
---@param command string
---@param options? strobe.SubprocessOptions
---@return strobe.Process
function subprocess.create_subprocess_shell(command, options)
  local process = launch("create_subprocess_shell", shell_words("create_subprocess_shell", command), options)
  return process
end

-- --- run --------------------------------------------------------------------------------------

--- Raised by run with `check`, and by check_returncode. It has `returncode`, `args`, `stdout` and
--- `stderr`. subprocess.CalledProcessError
subprocess.CalledProcessError = core_error.class("CalledProcessError", errors.Error)

---@class strobe.CompletedProcess
---@field args string|string[]
---@field returncode integer below 0: the signal that ended it
---@field stdout? string
---@field stderr? string
local CompletedProcess = {}
CompletedProcess.__index = CompletedProcess
CompletedProcess.__name = "CompletedProcess"

local function command_text(args)
  return type(args) == "table" and table.concat(args, " ") or args
end

--- Raises CalledProcessError unless the returncode is 0.
function CompletedProcess:check_returncode()
  if self.returncode ~= 0 then
    local how = self.returncode < 0 and "was ended by signal" or "returned"
    local text = ("%s %s %d"):format(command_text(self.args), how, math.abs(self.returncode))
    local last = (self.stderr or ""):match "([^\n]+)\n*$"
    local e = subprocess.CalledProcessError(last and ("%s: %s"):format(text, last) or text)
    e.returncode, e.args, e.stdout, e.stderr = self.returncode, self.args, self.stdout, self.stderr
    error(e, 0)
  end
end

---@class strobe.RunOptions : strobe.SubprocessOptions
---@field input? string what it reads from stdin
---@field capture_output? boolean stdout and stderr come with the result
---@field check? boolean raises CalledProcessError when it fails
---@field timeout? number seconds; then it is killed, and TimeoutError raised
---@field text? boolean changes nothing: strings are bytes

local own = { input = true, capture_output = true, check = true, timeout = true, text = true }

-- Those of the process.
local function run_options(options)
  local rest = {}
  for name, value in pairs(options) do
    rest[name] = not own[name] and value or nil
  end
  if options.input ~= nil then
    rest.stdin = subprocess.PIPE
  end
  if options.capture_output then
    rest.stdout, rest.stderr = subprocess.PIPE, subprocess.PIPE
  end
  return rest
end

-- Killed at once when the time is over.
local function communicate(process, options)
  if not options.timeout then
    return process:communicate(options.input)
  end
  local ok, output, said = pcall(timeouts.wait_for, process.communicate, options.timeout, process, options.input)
  if not ok then
    process:kill()
    error(output, 0)
  end
  return output, said
end

--- Runs a program to its end: `subprocess.run({ "git", "status" }, { capture_output = true, check = true }).stdout`.
--- A list is a program and its arguments, a string a line of the shell. subprocess.run
---@async
---@param command string[]|string
---@param options? strobe.RunOptions
---@return strobe.CompletedProcess
function subprocess.run(command, options)
  options = options or {}
  local words = type(command) == "table" and command or shell_words("subprocess.run", command)
  local process <close> = launch("subprocess.run", words, run_options(options))
  local output, said = communicate(process, options)
  local completed = setmetatable({
    args = command, returncode = process.returncode, stdout = output, stderr = said,
  }, CompletedProcess)
  if options.check then
    completed:check_returncode()
  end
  return completed
end

return subprocess
