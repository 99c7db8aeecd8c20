--- `strobe debug FILE`, and `strobe attach --dap PID`: a debug adapter for editors.
--
-- The program runs in a process of its own, so that what it prints does not get between the messages, and so that one
-- that spins can be ended. The adapter talks to its attach socket.

local arguments = require "strobe.arguments"
local codecs = require "strobe.codecs"
local door = require "strobe.attach.door"
local Event = require("strobe.async.event").Event
local host = require "strobe.core.host"
local net = require "strobe.net"
local ports = require "strobe.debug.port"
local program = require "strobe.debug.program"
local protocol = require "strobe.debug.protocol"
local Relay = require "strobe.debug.relay"
local sessions = require "strobe.debug.session"
local streams = require "strobe.async.standard"
local subprocess = require "strobe.async.subprocess"
local target = require "strobe.attach.target"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

local command = {}

command.usage = [==[
usage: strobe debug [--port N] [FILE [args]]     a script in an editor's debugger
       strobe attach --dap [--port N] [PID]      a process that runs already
  speaks the Debug Adapter Protocol on standard input and output, or with --port on 127.0.0.1. A breakpoint stops the
  task that comes to it; all others go on. FILE may be left out: the editor then names the `program`.
options:
  --port N   listens on that port for one editor, of our own user or root (0: a free one, which is told)
launch and attach take:
  program, args, cwd   what to run (launch)
  env                  variables of its environment, which it has besides ours
  processId            of the process (attach)
  stopAll              true: what stops one task stops all of its unit, or of the script
  stopOnEntry          true: stops at the first line
nvim-dap:
  dap.adapters.strobe = { type = "executable", command = "strobe", args = { "debug" } }
  dap.configurations.lua = {
    { type = "strobe", request = "launch", name = "strobe", program = "${file}" },
  }
VS Code, in launch.json, with `strobe debug --port 4711`:
  { "type": "lua", "request": "launch", "name": "strobe", "program": "${file}", "debugServer": 4711 }]==]

-- Seconds for a program to open its socket; for it to answer disconnect, or to end.
local PATIENCE, LAST_WORDS = 30, 3

local function say(message)
  io.stderr:write("strobe: debug: ", message, "\n")
end

local function fail(message)
  say(message)
  return 2
end

-- --- The editor's end --------------------------------------------------------------------------------

local function standard_streams()
  return {
    read = function()
      return streams.stdin:read(64 * 1024)
    end,
    write = function(bytes)
      streams.stdout:write(bytes)
      streams.stdout:drain()
      return true
    end,
  }
end

--- A connection as an editor's end.
---@param connection strobe.Connection
---@return strobe.debug.Editor
function command.editor_of(connection)
  return {
    read = function()
      return (connection:read())
    end,
    write = function(bytes)
      return (connection:write(bytes))
    end,
  }
end

-- --- The program's end -------------------------------------------------------------------------------

---@class strobe.debug.Adapter
---@field relay strobe.debug.Relay
---@field options table
---@field process? strobe.Process that was started
local Adapter = {}
Adapter.__index = Adapter

local function pass_output(adapter, stream, category)
  local decoder = codecs.getincrementaldecoder "utf-8" "replace" -- a chunk may end within a character
  local function tell(text)
    if text ~= "" then
      adapter.relay:event("output", { category = category, output = text })
    end
  end
  return tasks.create_task(function()
    for bytes in stream:chunks() do
      tell(decoder:decode(bytes))
      if adapter.options.mirror then
        io[category]:write(bytes):flush()
      end
    end
    tell(decoder:decode("", true))
  end)
end

local function command_line(adapter, how)
  local words = {}
  table.move(adapter.options.flags or {}, 1, #(adapter.options.flags or {}), 1, words)
  words[#words + 1], words[#words + 2] = "debug", "--target"
  words[#words + 1] = adapter.options.program or how.program
  for _, word in ipairs(adapter.options.program and adapter.options.args or how.args or {}) do
    words[#words + 1] = tostring(math.tointeger(word) or word) -- JSON's numbers are floats
  end
  return words
end

-- The end of the program is the end of all.
local function watch_process(adapter)
  local status = adapter.process:wait()
  tasks.wait(adapter.outputs)
  adapter.status = status < 0 and 128 - status or status
  adapter.relay:event("exited", { exitCode = adapter.status })
  adapter.over:set()
end

local function watch_connection(adapter)
  adapter.relay.client:wait_end()
  adapter.over:set()
end

-- Our environment, with what launch says.
local function environment(how)
  local all = uv.os_environ()
  for name, value in pairs(type(how.env) == "table" and how.env or {}) do
    all[name] = value
  end
  return all
end

local function start(adapter, how)
  local words = command_line(adapter, how)
  words[#words + 1] = {
    stdin = adapter.options.mirror and nil or subprocess.DEVNULL, stdout = subprocess.PIPE, stderr = subprocess.PIPE,
    cwd = how.cwd, env = environment(how),
  }
  local ok, process = pcall(subprocess.create_subprocess_exec, host.program, table.unpack(words))
  if not ok then
    return nil, tostring(process)
  end
  adapter.process = process
  adapter.outputs = { pass_output(adapter, process.stdout, "stdout"), pass_output(adapter, process.stderr, "stderr") }
  adapter.watcher = tasks.create_task(watch_process, adapter)
  return process.pid
end

-- What the process says to our initialize is not for the editor, who has got an answer already.
local function take_answer(adapter, text)
  local command_name = text:find '"type":"response"' and text:match '^{.-"command":"(%a+)"'
  if command_name ~= "initialize" then
    adapter.relay:send(text)
  end
  if command_name == "terminate" and adapter.insisting_on == "terminate" then
    adapter.last:cancel() -- it has heard, and may take its time to clean up
    adapter.last, adapter.insisting_on = nil, nil
  elseif command_name == "disconnect" then
    adapter.farewell:set()
    if not adapter.process then
      adapter.over:set()
    end
  end
end

-- A program that has just been started needs a moment.
local function connect_once(adapter, pid)
  while true do
    local done, message, code = adapter.relay:connect(pid, function(text)
      take_answer(adapter, text)
    end)
    local status = adapter.process and adapter.process.returncode
    if status and not done then
      return nil, ("the program has ended before it could be debugged, with status %d: see what it has printed"):format(
        status)
    elseif code ~= "ESRCH" or not adapter.process then
      return done, message
    end
    time.sleep(0.01)
  end
end

local function connect(adapter, pid)
  local in_time, done, message = timeouts.move_on_after(PATIENCE, connect_once, adapter, pid)
  if not in_time then
    return nil, ("process %d does not open its socket"):format(pid)
  elseif done and not adapter.watcher then
    adapter.watcher = tasks.create_task(watch_connection, adapter)
  end
  return done, message
end

-- The process that launch or attach means.
local function process_of(adapter, request)
  local how = type(request.arguments) == "table" and request.arguments or {}
  if adapter.options.pid then
    return adapter.options.pid
  elseif request.command == "attach" then
    local pid = math.tointeger(tonumber(how.processId) or 0)
    return pid ~= 0 and pid or nil, "processId: the number of a process expected"
  elseif not (adapter.options.program or how.program) then
    return nil, "program: the file to run is missing"
  end
  return start(adapter, how)
end

local function begin(adapter, request)
  local pid, message = process_of(adapter, request)
  if not pid then
    return nil, message
  end
  return connect(adapter, pid)
end

-- --- Messages ----------------------------------------------------------------------------------------

local first = {}

function first.initialize(adapter, request, text)
  adapter.greeting = text
  if adapter.options.on_greeting then
    adapter.options.on_greeting()
  end
  adapter.relay:answer(request, sessions.capabilities())
end

local function first_how(adapter, request, text)
  if not adapter.greeting then
    return adapter.relay:refuse(request, "initialize comes first")
  end
  local done, message = begin(adapter, request)
  if not done then
    return adapter.relay:refuse(request, message)
  end
  adapter.relay:pass_on(adapter.greeting)
  adapter.relay:pass_on(text)
end

first.launch, first.attach = first_how, first_how

function first.disconnect(adapter, request)
  adapter.relay:answer(request)
  adapter.farewell:set()
  adapter.over:set()
end

-- A program that does not answer is ended; one that is asked to end may take longer than its answer.
local function insist(adapter, command_name)
  adapter.insisting_on = command_name
  adapter.last = adapter.last or tasks.create_task(function()
    time.sleep(adapter.options.last_words or LAST_WORDS)
    adapter.over:set()
  end)
end

local function take(adapter, text)
  local request, problem = protocol.decode(text)
  if not request then
    adapter.relay:event("output", { category = "stderr", output = problem .. "\n" })
  elseif adapter.ended then
    first.disconnect(adapter, request)
  elseif adapter.relay.client then
    adapter.relay:pass_on(text)
    if request.command == "disconnect" or request.command == "terminate" then
      insist(adapter, request.command)
    end
  elseif first[request.command] then
    first[request.command](adapter, request, text)
  else
    adapter.relay:refuse(request, "launch or attach comes first")
  end
end

local function stop(list)
  for _, task in ipairs(list) do
    task:cancel()
  end
  if #list > 0 then
    tasks.wait(list)
  end
end

-- A program that was started ends with its debugger.
function Adapter:__close()
  stop { self.last }
  if self.process and not self.process.returncode then
    self.process:terminate()
    tasks.wait({ self.watcher }, { timeout = LAST_WORDS })
    self.process:close()
  end
  stop { self.watcher }
  stop(self.outputs or {})
  self.relay:event "terminated"
  self.ended = true
  timeouts.move_on_after(LAST_WORDS, self.farewell.wait, self.farewell)
  self.relay:close()
end

--- Serves one editor until it, or the program, has gone.
---@async
---@param editor strobe.debug.Editor
---@param options {program?: string, args?: string[], pid?: integer, flags?: string[], mirror?: boolean,
---last_words?: number, on_greeting?: fun()}
---@return integer status of the program
function command.serve(editor, options)
  local adapter = setmetatable({ relay = Relay.new(editor), options = options, over = Event(), farewell = Event() },
    Adapter)
  do
    local _ <close> = adapter -- luacheck: ignore
    local reader = adapter.relay:start(function(text)
      take(adapter, text)
    end)
    reader:add_done_callback(function()
      adapter.farewell:set()
      adapter.over:set()
    end)
    adapter.over:wait()
  end
  if adapter.relay.problem then
    say("what the editor sent is no message: " .. adapter.relay.problem)
  end
  return adapter.status or 0
end

-- --- The command line --------------------------------------------------------------------------------

-- Serves one editor on a port of this machine. Who goes without a greeting was none.
local function serve_port(number, options)
  local listener, message = net.listen("127.0.0.1", number)
  if not listener then
    return fail(message)
  end
  number = listener:port()
  say(("an editor may connect to 127.0.0.1:%d (VS Code: \"debugServer\": %d)"):format(number, number))
  local port, status = ports.new(), 0
  options.mirror = true
  function options.on_greeting()
    listener:close()
  end
  while not listener:is_closing() do
    local connection
    connection, message = port:accept(listener)
    if not connection then
      return fail(message)
    end
    status = command.serve(command.editor_of(connection), options)
    connection:close()
  end
  return status
end

local function serve(port, options)
  if port then
    return serve_port(port, options)
  end
  return command.serve(standard_streams(), options)
end

-- Options up to the first word; what is behind that is the program's.
local function read_options(words)
  local first_word = 1
  while words[first_word] and words[first_word]:find "^%-" do
    first_word = first_word + (words[first_word] == "--port" and 2 or 1)
  end
  local options, message = arguments.read({ port = arguments.integer, target = false, help = false, dap = false },
    table.move(words, 1, first_word - 1, 1, {}))
  return options, message, table.move(words, first_word, #words, 1, {})
end

-- Inside the process that is debugged: its socket opens, and the script begins when the editor has set all up.
local function run_target(words)
  program.expect()
  local server <close> = door.open { rights = "rw" } -- luacheck: ignore
  if not server then
    return 1 -- it has said why
  end
  local session = program.wait()
  if session.how.stopOnEntry then
    session.debugger:stop_on_entry(words[1])
  end
  return require("strobe.script").run_file(words)
end

--- `strobe debug [--port N] [FILE [args]]`
---@async
---@param words string[]
---@param flags? string[] options of strobe itself, which the program gets
---@return integer status
function command.main(words, flags)
  local options, message, rest = read_options(words)
  if not options then
    return fail(message .. "\n" .. command.usage)
  elseif options.help then
    print(command.usage)
    return 0
  elseif options.target then
    return run_target(rest)
  end
  return serve(options.port, {
    program = table.remove(rest, 1), args = rest, flags = flags,
  })
end

--- `strobe attach --dap [--port N] [PID]`
---@async
---@param words string[]
---@return integer status
function command.attach(words)
  local options, message, rest = read_options(words)
  local pid
  if options then
    pid, message = target.read(rest)
  end
  if not options or message then
    return fail(message .. "\n" .. command.usage)
  elseif not pid then
    pid, message = target.only()
  end
  return pid and serve(options.port, { pid = pid }) or fail(message)
end

return command
