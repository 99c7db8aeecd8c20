--- Files of traces, in blocks: the one place where they are opened, read and written.
--
-- A task waits while a thread of libuv's does the work. Who cannot wait, a handler or the collector, is blocked as
-- long: what is forgotten unclosed must be whole all the same.

local lot = require "strobe.core.lot"
local request = require "strobe.async.request"
local task = require "strobe.core.task"
local uv = require "luv"

local file = {}

local BLOCK = 64 * 1024

local MODE = tonumber("644", 8)

-- A descriptor, which is not closed while a thread is at work with it: another file might get its number.
local Descriptor = {}
Descriptor.__index = Descriptor

local function close_in_background(self)
  local fd = self.fd
  self.fd = nil
  request.detach(function(done)
    return uv.fs_close(fd, done)
  end)
end

-- Calls luv's `call(fd, …)`; waits for it where the caller may.
local function perform(self, verb, call, ...)
  local what, arguments = verb .. " " .. self.path, table.pack(...)
  if self.blocking or not task.current() then
    local result, message, code = call(self.fd, table.unpack(arguments, 1, arguments.n))
    if not result then
      return request.failed(what, (request.parse(message)), code)
    end
    return result
  end
  local function settled()
    self.in_flight = self.in_flight - 1
    if self.closing and self.in_flight == 0 and self.fd and self.fd > 0 then
      close_in_background(self)
    end
  end
  return request.run(what, function(done)
    arguments[arguments.n + 1] = done
    local handle, message, code = call(self.fd, table.unpack(arguments, 1, arguments.n + 1))
    self.in_flight = self.in_flight + (handle and 1 or 0)
    return handle, message, code
  end, { settled = settled })
end

local function open(path, flags)
  local fd, message, code
  if task.current() then
    fd, message, code = request.run("open " .. path, function(done)
      return uv.fs_open(path, flags, MODE, done)
    end, {
      dispose = function(late)
        uv.fs_close(late)
      end,
    })
  else
    fd, message, code = uv.fs_open(path, flags, MODE)
    if not fd then
      return request.failed("open " .. path, (request.parse(message)), code)
    end
  end
  if not fd then
    return nil, message, code
  end
  return setmetatable({ fd = fd, path = path, in_flight = 0 }, Descriptor)
end

-- Closes as soon as nothing is at work; does not wait.
function Descriptor:abandon()
  if self.fd and not self.closing then
    self.closing = true
    if self.in_flight == 0 then
      uv.fs_close(self.fd)
      self.fd = nil
    end
  end
end

-- Closes; tells what a write before it may have failed of.
local function close(self)
  if not self.fd or self.closing then
    return true
  elseif self.in_flight > 0 then
    self.closing = true
    return true
  end
  local good, message, code = perform(self, "close", function(fd, ...)
    self.fd = nil
    return uv.fs_close(fd, ...)
  end)
  if not good then
    return nil, message, code
  end
  return true
end

-- --- Writing ------------------------------------------------------------------------------------

---@class strobe.vcd.Sink
---@field private descriptor table
---@field private queue string[] what is to be written, in order
---@field private busy boolean somebody writes
---@field private failure? table message, code
local Sink = {}
Sink.__index = Sink

local function write_all(self, bytes)
  while #bytes > 0 do
    local written, message, code = perform(self.descriptor, "write", uv.fs_write, bytes, -1)
    if not written then
      return nil, message, code
    end
    bytes = bytes:sub(written + 1)
  end
  return true
end

-- Writes the queue; what comes meanwhile too.
local function drain(self)
  self.busy = true
  local turn <close> = setmetatable({}, { -- luacheck: ignore
    __close = function(_, e)
      self.busy = false
      if e then -- how much was written, nobody knows
        self.failure = { ("write %s: it was cancelled"):format(self.descriptor.path), "ECANCELED" }
      end
      self.idle:wake()
    end,
  })
  while #self.queue > 0 and not self.failure do
    local bytes = table.concat(self.queue)
    self.queue = {}
    local good, message, code = write_all(self, bytes)
    if not good then
      self.failure = { message, code }
    end
  end
end

--- Writes behind all else. Where another task writes already, waits for that, which takes these bytes too.
---@async
---@param bytes string
---@return true?
---@return string? message
---@return string? code
function Sink:write(bytes)
  self.queue[#self.queue + 1] = bytes
  local may_wait = task.current() and not self.descriptor.blocking
  if not self.busy then
    drain(self)
  end
  while self.busy and may_wait do
    self.idle:park()
  end
  if self.failure then
    return nil, table.unpack(self.failure)
  end
  return true
end

--- Closes.
---@async
---@return true?
---@return string? message
---@return string? code
function Sink:close()
  return close(self.descriptor)
end

--- From now on nothing waits: for the collector.
function Sink:block()
  self.descriptor.blocking = true
end

Sink.__gc = function(self)
  self.descriptor:abandon()
end

--- A new file, or an old one made empty.
---@async
---@param path string
---@return strobe.vcd.Sink?
---@return string? message
---@return string? code
function file.create(path)
  local descriptor, message, code = open(path, "w")
  if not descriptor then
    return nil, message, code
  end
  return setmetatable({ descriptor = descriptor, queue = {}, busy = false, idle = lot.new("file " .. path) }, Sink)
end

-- --- Reading ------------------------------------------------------------------------------------

--- A file's blocks: `.next()` is a block, nothing at its end, or nil, message, code. It may wait.
---@async
---@param path string "-" is the standard input
---@return {name: string, next: function, close: function}?
---@return string? message
---@return string? code
function file.open(path)
  local descriptor, message, code
  if path == "-" then
    descriptor = setmetatable({ fd = 0, path = "stdin", in_flight = 0, closing = true }, Descriptor) -- never closed
  else
    descriptor, message, code = open(path, "r")
  end
  if not descriptor then
    return nil, message, code
  end
  local source = { name = descriptor.path }
  function source.next()
    if not descriptor.fd or source.left then
      return nil
    end
    local block, why, word = perform(descriptor, "read", uv.fs_read, BLOCK, -1)
    if not block then
      return nil, why, word
    end
    return #block > 0 and block or nil
  end
  function source.close()
    source.left = true
    descriptor:abandon()
  end
  return setmetatable(source, { __gc = source.close })
end

return file
