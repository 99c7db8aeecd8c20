--- Streams in memory, with the other end in a test's hands. trio.testing.memory_stream_pair

local core_pipe = require "strobe.core.pipe"
local mistake = require "strobe.mistake"
local tasks = require "strobe.async.task"
local timeouts = require "strobe.async.timeout"

local memory = {}

-- Seconds until the other side of a stream gives up.
local PATIENCE = 10

---@class strobe.testing.MemoryOptions
---@field limit? integer bytes that fit between the two before writing waits; 1: the writer waits for the reader
---(64 KiB, and as many again in the writer)
---@field on_send? fun(bytes: string, peer: strobe.testing.Peer) told what the program sends, as it comes; may wait

---@class strobe.testing.Peer the other end of a stream in memory
---@field stream strobe.Connection the end itself
local Peer = {}
Peer.__index = Peer
Peer.__name = "peer"

--- Bytes which the program is to read.
---@param bytes string
---@return strobe.testing.Peer self
function Peer:send(bytes)
  local ok, message = self.stream:send(bytes)
  if not ok then
    error("peer:send: " .. message, 2)
  end
  return self
end

--- All that the program has sent so far and nobody has taken yet; does not wait. It is taken now.
---@return string
function Peer:received()
  local parts = {}
  while self.stream:buffered() > 0 do
    parts[#parts + 1] = self.stream:read((self.stream:buffered()))
  end
  return table.concat(parts)
end

local function read_within(seconds, stream, size)
  stream:set_timeout(seconds)
  local bytes, message, code, partial = stream:read_exactly(size)
  stream:set_timeout(nil)
  return bytes, message, code, partial
end

--- Waits until the program has sent these bytes next; anything else, or an end before, is an error, and so are 10 s
--- without them.
---@async
---@param bytes string
---@param timeout? number seconds (10)
---@return strobe.testing.Peer self
function Peer:expect(bytes, timeout)
  local came, message, code, partial = read_within(timeout or PATIENCE, self.stream, #bytes)
  if not came and code == "ETIMEDOUT" then
    partial = self:received()
  end
  if came ~= bytes then
    local got = ("%q"):format(came or partial or "")
    error(("peer:expect: %q was expected, and %s came%s"):format(bytes, got, came and "" or ": " .. message), 2)
  end
  return self
end

--- Waits for the end of what the program sends; bytes before it are an error, and so are 10 s without it.
---@async
---@param timeout? number seconds (10)
function Peer:expect_end(timeout)
  self.stream:set_timeout(timeout or PATIENCE)
  local bytes, message = self.stream:read()
  self.stream:set_timeout(nil)
  if bytes ~= "" then
    error(("peer:expect_end: %s"):format(bytes and ("%q came"):format(bytes) or message), 2)
  end
end

--- Says that no more will come: the program reads to the end.
function Peer:finish()
  self.stream:shutdown()
end

--- Fails, as a network would: the program reads and writes with this code from now on.
---@param code string e.g. "ECONNRESET", "ETIMEDOUT"
function Peer:fail(code)
  core_pipe.fail(self.stream, code)
end

--- Closes its end. Twice is harmless.
function Peer:close()
  self.stream:close()
end

--- Whether the program has closed its end.
---@return boolean
function Peer:is_closed()
  return core_pipe.is_gone(self.stream)
end

--- Waits until the program has closed its end.
---@async
---@param timeout? number seconds (10)
function Peer:wait_closed(timeout)
  if not timeouts.move_on_after(timeout or PATIENCE, core_pipe.wait_gone, self.stream) then
    error("peer:wait_closed: the stream is still open", 2)
  end
end

Peer.__close = Peer.close

local function tell_all(peer, on_send)
  repeat
    local bytes = peer.stream:read()
    if bytes and bytes ~= "" then
      on_send(bytes, peer)
    end
  until not bytes or bytes == ""
end

local function check(options)
  mistake.options("testing.memory_stream", options)
  local limit, on_send = options.limit, options.on_send
  if limit ~= nil and (math.type(limit) ~= "integer" or limit < 1) then
    error(("testing.memory_stream: limit: a number of bytes above 0 expected, got %s"):format(tostring(limit)), 3)
  elseif on_send ~= nil and type(on_send) ~= "function" then
    error(("testing.memory_stream: on_send: a function expected, got %s"):format(type(on_send)), 3)
  end
end

--- A stream in memory and the peer at its other end, by which a test sends and looks at what came. For code with
--- asyncio's faces: `async.StreamReader(stream)`, `async.StreamWriter(stream)`.
---
--- `local stream, peer = testing.memory_stream()`, then `peer:send "PING\r\n":expect "PONG\r\n"`
---@param options? strobe.testing.MemoryOptions
---@return strobe.Connection stream the program's
---@return strobe.testing.Peer peer a `<close>` value
function memory.memory_stream(options)
  options = options or {}
  check(options)
  local stream, far = core_pipe.new(options.limit, options.limit and 0)
  local peer = setmetatable({ stream = far }, Peer)
  if options.on_send then
    tasks.create_task(tell_all, peer, options.on_send):set_name "memory stream"
  end
  return stream, peer
end

return memory
