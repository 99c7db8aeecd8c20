-- The date, told by another process; three programs at once; and one that is given up.
-- In Python: asyncio's documentation, "Subprocesses": get_date with create_subprocess_exec, run with _shell.
-- Here: the same, and a process is a <close> value: leaving its block ends it, and no zombie stays.

local async = require "strobe.async"

local examples = {}

local PIPE = async.subprocess.PIPE

--- What `date` prints.
---@async
---@param format? string as `date` takes it
---@return string
function examples.get_date(format)
  local process <close> = async.create_subprocess_exec("date", "-u", "+" .. (format or "%c"), { stdout = PIPE })
  local line = process.stdout:readline()
  process:wait()
  return (line:gsub("%s+$", ""))
end

--- Runs a line of the shell and tells how it went.
---@async
---@param command string
---@return string
function examples.run(command)
  local process <close> = async.create_subprocess_shell(command, { stdout = PIPE, stderr = PIPE })
  local output, problems = process:communicate()
  local text = ("%s: exited with %d\n"):format(command, process.returncode)
  if output ~= "" then
    text = text .. "  [stdout] " .. output
  end
  if problems ~= "" then
    text = text .. "  [stderr] " .. problems
  end
  return text
end

--- The same, but not for ever.
---@async
---@param command string
---@param seconds number
---@return string
function examples.run_within(command, seconds)
  local in_time, text = async.move_on_after(seconds, examples.run, command)
  return in_time and text or ("%s: given up after %g s\n"):format(command, seconds)
end

if ... == "examples.subprocess" then -- required, by its spec
  return examples
end

print("Current date: " .. examples.get_date())
for _, text in ipairs { async.gather(
  async.create_task(examples.run, "echo hello"),
  async.create_task(examples.run, "ls /zzz"),
  async.create_task(examples.run_within, "sleep 10", 0.2)
) } do
  io.write(text)
end
