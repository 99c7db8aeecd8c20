--- This process, as those who attach to it see it: its live units, its log, its figures. The socket and the console of
--- the process itself share one.

local core_task = require "strobe.core.task"
local host = require "strobe.core.host"
local Journal = require "strobe.attach.journal"
local Lag = require "strobe.attach.lag"
local tasks = require "strobe.async.task"
local contexts = require "strobe.async.context"
local time = require "strobe.core.time"

---@class strobe.attach.ProcessOptions
---@field runtime? strobe.live.Runtime by default the one that the process has made its current one
---@field command? string the process's command line

---@class strobe.attach.Process a `<close>` value
---@field journal strobe.attach.Journal
---@field private options strobe.attach.ProcessOptions
---@field private consoles integer those there were
---@field private watched? strobe.live.Runtime whose log the journal hears
local Process = {}
Process.__index = Process
Process.__name = "attach process"

--- Makes one. Under a live clock a task measures how late the loop is.
---@param options? strobe.attach.ProcessOptions
---@return strobe.attach.Process
function Process.new(options)
  local process = setmetatable({
    options = options or {}, journal = Journal.new(), lag = Lag.new(), began = time.real(), consoles = 0,
  }, Process)
  process:runtime()
  if time.mode() == "live" then
    process.measuring = contexts.Context():run(tasks.create_task, process.lag.run, process.lag)
    process.measuring:set_name "attach lag"
  end
  return process
end

-- The one that live.set_runtime was given, if there is one.
local function current_runtime()
  local live = package.loaded["strobe.live"]
  local ok, runtime = pcall(live and live.runtime or error)
  return ok and runtime or nil
end

-- All lines of the runtime's log are kept, not only ours.
local function watch_log(process, runtime)
  if process.unwatch then
    process.unwatch()
    process.unwatch = nil
  end
  process.watched = runtime
  if runtime then
    process.unwatch = runtime:watch {
      log = function(level, text, facts)
        process.journal:add(level, text, facts)
      end,
    }
  end
end

--- The live units' runtime; nil when there is none now.
---@return strobe.live.Runtime?
function Process:runtime()
  local runtime = self.options.runtime or current_runtime()
  if runtime ~= self.watched and not self.closed then
    watch_log(self, runtime)
  end
  return runtime
end

--- Writes a line to the log.
---@param level "debug"|"info"|"warning"|"error"
---@param text string
function Process:log(level, text)
  local runtime = self:runtime()
  if runtime then
    runtime:log(level, text, {}) -- which the journal hears
  else
    self.journal:add(level, text)
  end
end

--- The number of a console that begins.
---@return integer
function Process:new_console()
  self.consoles = self.consoles + 1
  return self.consoles
end

local function command_line()
  local file <close> = io.open "/proc/self/cmdline"
  local text = file and file:read "a" or host.program
  return (text:gsub("%z$", ""):gsub("%z", " "))
end

--- What there is to tell: seconds since it began, tasks, how late the loop is, the command line.
---@return {uptime: number, tasks: integer, lag_p99?: number, command: string}
function Process:figures()
  return {
    uptime = time.real() - self.began, tasks = #core_task.all(), lag_p99 = self.lag:p99(),
    command = self.options.command or command_line(),
  }
end

--- Ends what it measures. Closing twice is harmless.
---@async
function Process:close()
  self.closed = true
  watch_log(self, nil)
  if self.measuring and not self.measuring:done() then
    tasks.cancel_and_wait { self.measuring }
  end
end

Process.__close = Process.close

return Process
