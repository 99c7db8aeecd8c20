--- Requests to libuv's threads, which do what would block the loop.
--
-- The task that asks is parked until the answer comes; the callback records it and
-- wakes the task. A task which is cancelled leaves at once: a request that no thread
-- has begun with is cancelled, the answer of any other is disposed of when it comes.
-- Virtual time stands still while a thread is at work.

local lot = require "strobe.core.lot"
local task = require "strobe.core.task"
local time = require "strobe.core.time"
local uv = require "luv"

---@class strobe.Request
---@field private lot strobe.Lot       where the task waits
---@field private handle? userdata     luv's, until the answer
---@field private answered boolean
---@field private failure? string      "ENOENT: …", as luv says it
---@field private result any
---@field private taken boolean        the task has got the answer
---@field private left boolean         the task has gone
---@field private dispose? fun(result: any)
local Request = {}
Request.__index = Request
Request.__name = "request"

local request = {}

local function dispose(self)
  if self.dispose and not self.failure then
    self.dispose(self.result)
  end
end

-- The task leaves.
function Request:__close()
  if self.taken then
    return
  end
  self.left = true
  if self.answered then
    dispose(self)
  elseif self.handle then
    uv.cancel(self.handle)
  end
end

local function on_answer(self, settled)
  return function(failure, result)
    time.release()
    self.answered, self.failure, self.result, self.handle = true, failure, result, nil
    if settled then
      settled()
    end
    if self.left then
      dispose(self)
    else
      self.lot:wake()
    end
  end
end

-- Something to do first in words for what a system call says.
local hints = {
  EACCES = "look at the permissions of the file and of its folders",
  EBUSY = "something else is using it",
  EDQUOT = "free some of your space, or write elsewhere",
  EEXIST = "remove it, or choose another name",
  EISDIR = "name a file in it",
  ELOOP = "its symbolic links go round in a circle",
  EMFILE = "close files, or raise `ulimit -n`",
  ENAMETOOLONG = "choose a shorter name",
  ENFILE = "too many files are open on this machine",
  ENOENT = "check the path",
  ENOSPC = "free some space, or write elsewhere",
  ENOTDIR = "a part of the path is a file, not a folder",
  ENOTEMPTY = "remove what is in it first",
  EPERM = "look at who owns it",
  EROFS = "write elsewhere",
  EXDEV = "copy it instead: the two are on different file systems",
}

--- The triple of a failure.
---@param what string what was done, and to what: "open /etc/x"
---@param reason string
---@param code string
---@return nil
---@return string message
---@return string code
function request.failed(what, reason, code)
  local hint = hints[code]
  return nil, ("%s: %s%s"):format(what, reason, hint and (" (%s)"):format(hint) or ""), code
end

-- "ENOENT: no such file or directory: /x" without what stands in our own message.
local function parse(failure)
  local code, reason = failure:match "^(%u[%w_]*): ([^:]+)"
  return reason or failure, code or "UNKNOWN"
end

---@class strobe.RequestOptions
---@field dispose? fun(result: any) for an answer that came when the task had gone; must not wait
---@field settled? fun() called when the answer is there, in any case; must not wait

--- Asks, and waits for the answer.
---@async
---@param what string what is done, and to what; begins a message of failure
---@param start fun(done: function): userdata?, string?, string? calls luv with the callback `done`
---@param options? strobe.RequestOptions
---@return any result
---@return string? message
---@return string? code
function request.run(what, start, options)
  if not task.current() then
    error(("%s: cannot wait here: no task is running (in a callback, use create_task)"):format(what), 0)
  end
  local self <close> = setmetatable({
    lot = lot.new(what),
    answered = false,
    taken = true, -- there is nothing to leave behind yet
    dispose = options and options.dispose,
  }, Request)
  local handle, message, code = start(on_answer(self, options and options.settled))
  if not handle then
    return request.failed(what, (parse(message)), code or "UNKNOWN")
  end
  time.hold()
  self.handle, self.taken = handle, false
  while not self.answered do
    self.lot:park()
  end
  self.taken = true
  if self.failure then
    return request.failed(what, parse(self.failure))
  end
  return self.result
end

--- Asks without waiting: it is done however the task goes on.
---@param start fun(done: function): userdata?, string?
---@param on_done? fun(failure?: string) must not wait
function request.detach(start, on_done)
  local handle, message = start(function(failure)
    time.release()
    if on_done then
      on_done(failure)
    end
  end)
  if handle then
    time.hold()
  elseif on_done then
    on_done(message)
  end
end

request.parse = parse

return request
