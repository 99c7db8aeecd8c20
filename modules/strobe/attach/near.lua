--- The near peer: the process's own console asks as one from afar does (strobe.attach.client), and gets the same
--- answers, but without a socket: tables go straight to the operations and back.
--
--   local peer <close> = near.connect { on_event = show }
--   local answer, message, code = peer:call("eval", { code = "6 * 7" })
--
-- It may do everything, code of its runs as long as it likes, and what it does is not written to the log.

local contexts = require "strobe.async.context"
local core_future = require "strobe.core.future"
local Event = require("strobe.async.event").Event
local host = require "strobe.core.host"
local Process = require "strobe.attach.process"
local protocol = require "strobe.attach.protocol"
local Session = require "strobe.attach.session"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"
local uv = require "luv"

---@class strobe.attach.NearOptions
---@field server? strobe.attach.Server the process's socket, if it has one: log and figures are the same
---@field runtime? strobe.live.Runtime without a server: whose units are looked at, by default the current one's
---@field name? string of the console
---@field on_event? fun(event: table) gets what comes unasked: out, job, tail, dropped; it may not wait

---@class strobe.attach.Near a `<close>` value
---@field pid integer of this process
---@field near true
---@field hello table as a client gets it
---@field session strobe.attach.Session
---@field ended? string why no more comes
---@field private work table<strobe.Task, true> what waits
local Near = {}
Near.__index = Near
Near.__name = "near peer"

local nears = {}

local function new_session(peer, process, options)
  local session = Session.new {
    near = true, ceiling = "rw", number = process:new_console(), name = options.name, uid = uv.getuid(),
    pid = peer.pid, journal = process.journal,
    find_runtime = function()
      return process:runtime()
    end,
    process = function()
      local figures = process:figures()
      local server = options.server
      figures.connections, figures.refused = server and server.count or 0, server and server.refused or 0
      return figures
    end,
    log = function(level, text)
      process:log(level, text)
    end,
    push = function(event)
      if options.on_event and not peer.ended then
        options.on_event(event)
      end
    end,
  }
  session.rights = "rw"
  return session
end

--- Makes a peer for the console of this process.
---@param options? strobe.attach.NearOptions
---@return strobe.attach.Near peer a `<close>` value
function nears.connect(options)
  options = options or {}
  local process = options.server and options.server.process or Process.new { runtime = options.runtime }
  local peer = setmetatable({
    near = true, pid = math.tointeger(uv.os_getpid()), last = 0, work = {}, over = Event(),
    context = contexts.Context(), own = not options.server and process or nil,
  }, Near)
  peer.session = new_session(peer, process, options)
  peer.hello = {
    ev = "hello", protocol = protocol.VERSION, strobe = host.version, pid = peer.pid, ceiling = "rw",
    units = peer.session:unit_names(),
  }
  return peer
end

-- In a task of its own. Its future gets the answer, or false when the peer was closed.
local function perform(peer, op, request, future)
  local ok, answer = pcall(peer.session.perform, peer.session, op, request)
  if not ok then -- it was cancelled
    answer = not peer.ended and { ok = false, code = "interrupted", error = tostring(answer) }
  end
  if answer then
    answer.id = request.id
  end
  if not future:done() then -- else who asked was cancelled
    future:set_result(answer)
  end
end

local function begin(peer, op, request, future)
  local task = peer.context:run(tasks.create_task, perform, peer, op, request, future)
  task:set_name(("console %d %s"):format(peer.session.number, op))
  peer.work[task] = true
  task:add_done_callback(function()
    peer.work[task] = nil
    if not future:done() then -- cancelled before it began
      future:set_result(false)
    end
  end)
end

--- Asks for an operation. One that waits for something goes on by itself; all others are done when this returns. The
--- future's result is the answer, or false when none will come. A cancellation of who asks does not end what goes on.
---@async
---@param op string
---@param fields? table
---@return strobe.Future
---@return integer id
function Near:send(op, fields)
  self.last = self.last + 1
  local request = { op = op }
  for key, value in pairs(fields or {}) do
    request[key] = value
  end
  request.id = self.last
  local future = core_future.new()
  if self.ended then
    future:set_result(false)
  elseif self.session:waits(op) then
    begin(self, op, request, future)
  else
    local answer = self.session:perform(op, request)
    answer.id = request.id
    future:set_result(answer)
  end
  return future, request.id
end

--- Asks for an operation, and waits for its answer.
---@async
---@param op string
---@param fields? table
---@param timeout? number seconds
---@return table? answer
---@return string? message
---@return string? code "ETIMEDOUT", "ECONNRESET" when the peer was closed, else one of the protocol's
---@return table? refused the whole answer
function Near:call(op, fields, timeout)
  local future = self:send(op, fields)
  if timeout and not timeouts.move_on_after(timeout, future.await, future) then
    return nil, ("no answer within %g s"):format(timeout), "ETIMEDOUT"
  end
  local answer = future:await()
  if not answer then
    return nil, self.ended, "ECONNRESET"
  end
  return protocol.results(answer)
end

--- Interrupts an eval, as a client does.
---@async
---@param id integer of the request
---@return table? answer
---@return string? message
---@return string? code "not_found" when that eval has ended
function Near:interrupt(id)
  return self:call("interrupt", { target = id })
end

--- Waits until it is closed.
---@async
---@return string why
function Near:wait_end()
  self.over:wait()
  return self.ended
end

--- Ends it: what it has asked for and still waits is cancelled. Closing twice is harmless.
---@async
function Near:close()
  if self.ended then
    return
  end
  self.ended = "the console was closed"
  local list = {}
  for task in pairs(self.work) do
    list[#list + 1] = task
  end
  if #list > 0 then
    tasks.cancel_and_wait(list)
  end
  self.session:close()
  if self.own then
    self.own:close()
  end
  self.over:set()
end

Near.__close = Near.close

return nears
