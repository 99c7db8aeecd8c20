--- asyncio's streams: a reader and a writer for each connection. They raise, as
-- asyncio's do; strobe.net is the same without raising.

local core_error = require "strobe.core.error"
local errors = require "strobe.async.error"
local net = require "strobe.net"
local tasks = require "strobe.async.task"

local streams = {}

-- asyncio.streams._DEFAULT_LIMIT
local LIMIT = 64 * 1024

-- Raises a failure of the world; `code` tells them apart.
local function raise(message, code)
  local e = (code == "ETIMEDOUT" and errors.TimeoutError or errors.ConnectionError)(message)
  e.code = code
  error(e, 0)
end

---@class strobe.StreamReader what came by a connection; its methods raise
---@field private stream strobe.Stream
---@field private limit integer
---@field private feed? strobe.Stream where feed_data puts what it gets
local StreamReader = {}
StreamReader.__index = StreamReader
StreamReader.__name = "StreamReader"

local function incomplete(partial, expected)
  local text = ("%d bytes read on a total of %s expected bytes"):format(#partial, expected or "undefined")
  local e = errors.IncompleteReadError(text)
  e.partial, e.expected = partial, expected
  error(e, 0)
end

local function overrun(message, consumed)
  local e = errors.LimitOverrunError(message)
  e.consumed = consumed
  error(e, 0)
end

-- What was read so far goes back when the rest does not come: cancelled, out of time.
local Taken = {}

function Taken:__close(e)
  if e ~= nil and self[1] and not self.stream:is_closing() then
    self.stream:unread(table.concat(self))
  end
end

local function read_all(reader)
  local parts <close> = setmetatable({ stream = reader.stream }, Taken)
  repeat
    parts[#parts + 1] = reader:read(LIMIT)
  until parts[#parts] == ""
  return table.concat(parts)
end

--- Up to n bytes, as soon as there are some; "" at the end. Without n, or with -1,
--- all until the end.
---@async
---@param n? integer
---@return string
function StreamReader:read(n)
  if not n or n < 0 then
    return read_all(self)
  end
  local data, message, code = self.stream:read(n)
  if not data and code == "ECANCELED" then
    return "" -- our side closed it: asyncio feeds the end
  elseif not data then
    raise(message, code)
  end
  return data
end

--- Exactly n bytes; else IncompleteReadError with `partial` and `expected`.
---@async
---@param n integer
---@return string
function StreamReader:readexactly(n)
  if n < 0 then
    error("readexactly: a size of 0 or more expected", 2)
  end
  local data, message, code, partial = self.stream:read_exactly(n)
  if data then
    return data
  elseif code == "EOF" or code == "ECANCELED" then
    incomplete(partial, n)
  end
  raise(message, code)
end

--- The bytes up to and with the separator ("\n"). IncompleteReadError at the end
--- before it; LimitOverrunError (`consumed`) when it is beyond the limit.
---@async
---@param separator? string
---@return string
function StreamReader:readuntil(separator)
  separator = separator or "\n"
  local data, message, code, rest = self.stream:read_until(separator, self.limit + #separator)
  if data then
    return data
  elseif code == "EOF" or code == "ECANCELED" then
    incomplete(rest)
  elseif code == "EMSGSIZE" then
    overrun(message, rest)
  end
  raise(message, code)
end

--- A line with its "\n"; the last may lack it; "" at the end. A line beyond the limit
--- is an error, and is dropped.
---@async
---@return string
function StreamReader:readline()
  local data, message, code, rest = self.stream:read_until("\n", self.limit + 1)
  if data then
    return data
  elseif code == "EOF" or code == "ECANCELED" then
    return rest
  elseif code == "EMSGSIZE" then
    self.stream:read(rest)
    if self.stream:buffered() > 0 then
      self.stream:read(1) -- its end
    end
    error(errors.LimitOverrunError(("a line of more than %d bytes was dropped"):format(self.limit)), 0)
  end
  raise(message, code)
end

--- Iterates over the lines, without their LF or CR LF. What comes after the last LF is
--- the last line.
---@async
---@return fun(): string?
function StreamReader:lines()
  local stream, limit = self.stream, self.limit + 1
  return function()
    local line, message, code = stream:read_line(limit)
    if line or not message then
      return line
    elseif code == "EMSGSIZE" then
      self:readline() -- which drops it, and raises
    end
    raise(message, code)
  end
end

--- Iterates over what comes, as it comes: pieces of 1 to n bytes, cut anywhere.
--- `async.iter(reader:chunks()):decode "utf-8"` makes text of them.
---@async
---@param n? integer bytes (64 KiB)
---@return fun(): string?
function StreamReader:chunks(n)
  if n ~= nil and (math.type(n) ~= "integer" or n < 1) then
    error(("chunks: n: a whole number of 1 or more expected, got %s"):format(tostring(n)), 2)
  end
  return function()
    local chunk = self:read(n or LIMIT)
    return chunk ~= "" and chunk or nil
  end
end

--- Whether the end was reached and all is read.
---@return boolean
function StreamReader:at_eof()
  return self.stream:at_eof()
end

local function feed_of(reader, method)
  return reader.feed or error(method .. ": only for a reader made without a stream", 3)
end

--- Puts bytes behind all others; does not wait. For a reader made without a stream.
---@param data string
function StreamReader:feed_data(data)
  local ok, message, code = feed_of(self, "feed_data"):send(data)
  if not ok then
    raise(message, code)
  end
end

--- The end comes behind them.
function StreamReader:feed_eof()
  feed_of(self, "feed_eof"):shutdown()
end

--- Closes what it reads from: no more will come. A connection is closed by its writer as
--- well. Closing twice is harmless.
function StreamReader:close()
  self.stream:close()
end

StreamReader.__close = StreamReader.close

---@class strobe.StreamWriter what goes by a connection; its methods raise
---@field private stream strobe.Stream
local StreamWriter = {}
StreamWriter.__index = StreamWriter
StreamWriter.__name = "StreamWriter"

--- Sends or queues bytes; does not wait, see drain. After the connection was lost
--- it drops them, and drain raises.
---@param data string
function StreamWriter:write(data)
  local ok, message, code = self.stream:send(data)
  if not ok then
    self.lost = { message, code }
  end
end

--- Sends a list of strings.
---@param list string[]
function StreamWriter:writelines(list)
  self:write(table.concat(list))
end

--- Waits until few enough bytes are queued; raises ConnectionError when the
--- connection is lost.
---@async
function StreamWriter:drain()
  if self.lost then
    raise(table.unpack(self.lost))
  end
  local ok, message, code = self.stream:drain()
  if not ok then
    raise(message, code)
  end
end

--- Says that no more will be written.
function StreamWriter:write_eof()
  local ok, message, code = self.stream:shutdown()
  if not ok then
    raise(message, code)
  end
end

--- Whether write_eof works: always. asyncio.StreamWriter.can_write_eof
---@return boolean
function StreamWriter:can_write_eof()
  return true
end

--- Closes the connection after what is queued has gone.
function StreamWriter:close()
  self.stream:close()
end

--- Whether close was called, or the connection has failed. asyncio.StreamWriter.is_closing
---@return boolean
function StreamWriter:is_closing()
  return self.stream:is_closing()
end

--- Waits until the connection has closed.
---@async
function StreamWriter:wait_closed()
  self.stream:wait_closed()
end

--- "peername" and "sockname" as {address, port}, "stream" as the strobe.net stream.
---@param name string
---@param default? any
---@return any
function StreamWriter:get_extra_info(name, default)
  if name == "stream" then
    return self.stream
  end
  local ask = name == "peername" and net.peer or name == "sockname" and net.name
  local ok, address, port = pcall(ask or error, self.stream)
  if ok and address then
    return { address, port }
  end
  return default
end

StreamWriter.__close = StreamWriter.close

--- A reader on a strobe.net stream; without one, of what `feed_data` and `feed_eof` give it.
---@param stream? strobe.Stream
---@param limit? integer most bytes of a line or of readuntil (64 KiB)
---@return strobe.StreamReader
function streams.StreamReader(stream, limit)
  local feed
  if not stream then
    stream, feed = net.pipe()
  end
  return setmetatable({ stream = stream, feed = feed, limit = limit or LIMIT }, StreamReader)
end

--- A writer on a strobe.net stream.
---@param stream strobe.Stream
---@return strobe.StreamWriter
function streams.StreamWriter(stream)
  return setmetatable({ stream = stream }, StreamWriter)
end

-- For kinds of them, see strobe.async.standard.
streams.reader_class, streams.writer_class, streams.LIMIT, streams.raise = StreamReader, StreamWriter, LIMIT, raise

local function pair(stream, options)
  return streams.StreamReader(stream, options and options.limit), streams.StreamWriter(stream)
end

--- Connects by TCP. Raises ConnectionError or TimeoutError. asyncio.open_connection
---@async
---@param host string
---@param port integer
---@param options? {limit?: integer, timeout?: number} bytes of a line (65,536); seconds to connect. And those of
--- net.connect: tls, proxy
---@return strobe.StreamReader
---@return strobe.StreamWriter
function streams.open_connection(host, port, options)
  local stream, message, code = net.connect(host, port, options)
  if not stream then
    raise(message, code)
  end
  return pair(stream, options)
end

--- Connects to a unix socket. Raises ConnectionError or TimeoutError. asyncio.open_unix_connection
---@async
---@param path string
---@param options? {limit?: integer, timeout?: number} bytes of a line (65,536); seconds to connect
---@return strobe.StreamReader
---@return strobe.StreamWriter
function streams.open_unix_connection(path, options)
  local stream, message, code = net.connect_unix(path, options)
  if not stream then
    raise(message, code)
  end
  return pair(stream, options)
end

---@class strobe.StreamServer a server of start_server; a `<close>` value
---@field private server strobe.Server
local StreamServer = {}
StreamServer.__index = StreamServer
StreamServer.__name = "Server"

-- A handler that fails closes its own connection and no other.
local function handle(server, handler, stream)
  local reader, writer = pair(stream, server.options)
  local traceback
  local ok, e = xpcall(handler, function(e) -- the `<close>` values of the handler get the error itself
    traceback = debug.traceback(tostring(e), 2)
    return e
  end, reader, writer)
  if not ok and not errors.is(e, errors.CancelledError) then
    core_error.report { message = "error in a connection handler\n" .. (traceback or tostring(e)) }
  end
  stream:close()
end

local function accept_all(server, handler)
  for stream in server.server:accept() do
    local child = tasks.create_task(handle, server, handler, stream)
    server.handlers[child] = true
    child:add_done_callback(function()
      server.handlers[child] = nil
    end)
  end
end

local function start(server, message, code, handler, options)
  if not server then
    raise(message, code)
  end
  local self = setmetatable({ server = server, options = options, handlers = {} }, StreamServer)
  self.task = tasks.create_task(accept_all, self, handler)
  return self
end

--- The port; nil for a unix socket.
---@return integer?
function StreamServer:port()
  return self.server:port()
end

--- Whether it listens still. asyncio.Server.is_serving
---@return boolean
function StreamServer:is_serving()
  return not self.server:is_closing()
end

--- Stops listening; open connections go on.
function StreamServer:close()
  self.server:close()
end

--- Waits until it is closed and all handlers have ended.
---@async
function StreamServer:wait_closed()
  self.task:await()
  for child in next, self.handlers do
    tasks.wait { child }
    self.handlers[child] = nil -- its callback comes a turn later
  end
end

--- Waits until it is closed; cancelled, closes it.
---@async
function StreamServer:serve_forever()
  local guard <close> = self -- luacheck: ignore
  tasks.shield(self.task):await()
end

--- Closes it and its connections, and waits for the handlers.
---@async
function StreamServer:__close()
  self:close()
  for child in pairs(self.handlers) do
    child:cancel()
  end
  self:wait_closed()
end

--- Serves TCP: handler(reader, writer) runs in a task for each connection, which is
--- closed when it ends. Raises ConnectionError when it cannot listen. asyncio.start_server
---@async
---@param handler fun(reader: strobe.StreamReader, writer: strobe.StreamWriter)
---@param host? string 127.0.0.1 unless told otherwise
---@param port integer 0 takes a free one
---@param options? {limit?: integer, backlog?: integer} bytes of a line (65,536); connections that wait
---@return strobe.StreamServer
function streams.start_server(handler, host, port, options)
  local server, message, code = net.listen(host, port, options)
  return start(server, message, code, handler, options)
end

--- Serves a unix socket. asyncio.start_unix_server
---@async
---@param handler fun(reader: strobe.StreamReader, writer: strobe.StreamWriter)
---@param path string
---@param options? {limit?: integer, backlog?: integer}
---@return strobe.StreamServer
function streams.start_unix_server(handler, path, options)
  local server, message, code = net.listen_unix(path, options)
  return start(server, message, code, handler, options)
end

return streams
