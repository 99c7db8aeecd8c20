--- A child process for specs: its output by lines, its end, and nothing left behind.
--
-- The virtual clock knows nothing of other processes, so spawning one switches the
-- spec to real time; `strobe test` switches back at the end of each `it`.

local async = require "strobe.async"
local delays = require "spec.support.delays"
local time = require "strobe.core.time"
local uv = require "luv"

---@class spec.Child
---@field pid integer
---@field status? integer exit status; nil while it runs
---@field output {stdout: string, stderr: string} all that it printed
local Child = {}
Child.__index = Child
Child.__name = "child process"

-- What it printed, joined when somebody looks: 20 MB come in hundreds of pieces.
local Output = {}

function Output:__index(name)
  local parts = self.parts[name]
  parts[1] = table.concat(parts)
  for i = #parts, 2, -1 do
    parts[i] = nil
  end
  return parts[1]
end

local function new_output()
  return setmetatable({ parts = { stdout = {}, stderr = {} } }, Output)
end

local function wake(child)
  child.changed:set()
end

local function collect(child, name)
  child.pipes[name]:read_start(function(_, data)
    if data then
      table.insert(child.output.parts[name], data)
    else
      child.pipes[name]:close()
      child.open = child.open - 1
    end
    wake(child)
  end)
end

local function on_exit(child)
  return function(status, signal)
    child.status = signal ~= 0 and 128 + signal or status
    child.process:close()
    wake(child)
  end
end

--- Starts a program.
---@param program string
---@param arguments string[]
---@param options? {cwd?: string, input?: string, descriptors?: integer[]} descriptors it inherits, as 3, 4, …
---@return spec.Child a `<close>` value, which ends it by its pid
local function spawn(program, arguments, options)
  options = options or {}
  if time.mode() == "virtual" then
    time.mode("scaled", 1)
  end
  local pipes = { stdin = uv.new_pipe(false), stdout = uv.new_pipe(false), stderr = uv.new_pipe(false) }
  local child = setmetatable({ pipes = pipes, output = new_output(), open = 2,
    changed = async.Event() }, Child)
  child.process, child.pid = assert(uv.spawn(program, {
    args = arguments,
    cwd = options.cwd,
    stdio = { pipes.stdin, pipes.stdout, pipes.stderr, table.unpack(options.descriptors or {}) },
  }, on_exit(child)))
  collect(child, "stdout")
  collect(child, "stderr")
  if options.input then
    pipes.stdin:write(options.input)
  end
  if options.input ~= false then
    pipes.stdin:shutdown(function()
      pipes.stdin:close()
    end)
  end
  return child
end

--- Waits until it prints something, or ends.
---@async
function Child:wait_change()
  self.changed:clear()
  self.changed:wait()
end

local function wait_until(child, condition)
  while not condition() do
    child:wait_change()
  end
end

--- Waits until a pattern is in its output; fails when it ends without.
---@async
---@param name "stdout"|"stderr"
---@param pattern string
---@return string ... the captures
function Child:expect(name, pattern)
  wait_until(self, function()
    return self.output[name]:find(pattern) or self.open == 0
  end)
  if not self.output[name]:find(pattern) then
    error(("no %s in what it printed:\n%s%s"):format(pattern, self.output.stdout, self.output.stderr), 2)
  end
  return self.output[name]:match(pattern)
end

--- Waits for its end.
---@async
---@return integer status
function Child:wait()
  wait_until(self, function()
    return self.status and self.open == 0
  end)
  return self.status
end

--- What it printed on stderr, but for warnings of delays, which a busy machine brings about.
---@return string
function Child:complaints()
  return delays.left_out(self.output.stderr)
end

--- Sends it a signal, by its pid.
---@param signal string e.g. "sigint"
function Child:kill(signal)
  if not self.status then
    uv.kill(self.pid, signal)
  end
end

function Child:__close()
  self:kill "sigkill"
  self:wait()
  if not self.pipes.stdin:is_closing() then
    self.pipes.stdin:close()
  end
end

return { spawn = spawn }
