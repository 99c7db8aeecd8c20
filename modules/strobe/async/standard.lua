--- Standard input, output and error as async streams; and other descriptors.
--
-- They are opened at their first use, whatever they are: a terminal, a pipe, a socket, a file. What we
-- share with the shell that started us stays as it was: it blocks, as before. Nothing is read that nobody has
-- asked for, so that a child may read the rest.
--
-- Under the virtual clock, time stands still while a task waits for one of the three.

local errors = require "strobe.async.error"
local inherited = require "strobe.core.inherited"
local mistake = require "strobe.mistake"
local output = require "strobe.output"
local streams = require "strobe.async.streams"

local StreamReader, StreamWriter = streams.reader_class, streams.writer_class

local standard = {}

-- What to do about a failure.
local hints = {
  EBADF = "it is closed, or not open for that",
  EISDIR = "it is a folder",
  EPIPE = "whoever read it has gone",
}

-- Raises a failure with the name of the stream in the place of the verb or number.
local function raise(name, message, code)
  local hint = hints[code]
  local text = ("%s: %s%s"):format(name, message:match ": (.*)$" or message, hint and (" (%s)"):format(hint) or "")
  local e = errors.ConnectionError(text)
  e.code, e.stream = code, name
  error(e, 0)
end

local function open(name, file, mode)
  local stream, message, code = inherited.open(file, mode)
  if not stream then
    raise(name, message, code)
  end
  return stream
end

-- An object of a class whose stream is opened when it is first asked for.
local function lazy(class, name, file, mode)
  local function index(self, key)
    if key ~= "stream" then
      return class[key]
    end
    local stream = open(name, file, mode)
    setmetatable(self, class)
    self.stream = stream
    if mode == "w" then
      output.share(file, stream)
    end
    return stream
  end
  return setmetatable({ name = name, file = file, limit = mode == "r" and streams.LIMIT or nil }, {
    __index = index,
    __name = class.__name,
    __close = class.__close,
    __tostring = class.__tostring,
  })
end

---@class strobe.StandardReader : strobe.StreamReader
local Reader = setmetatable({}, { __index = StreamReader })
Reader.__index = Reader
Reader.__name = "StreamReader"

---@class strobe.StandardWriter : strobe.StreamWriter
---@field private name string
---@field private file file*
local Writer = setmetatable({}, { __index = StreamWriter })
Writer.__index = Writer
Writer.__name = "StreamWriter"

local function describe(self)
  return ("<%s %s>"):format(self.__name, self.name)
end
Reader.__tostring, Writer.__tostring = describe, describe

--- Closes it. Who writes to it finds nobody there.
function Reader:close()
  self.stream:close()
  inherited.leave(self.file)
end

Reader.__close = Reader.close

--- Sends or queues bytes, behind what print and io.write have written; does not wait, see
--- drain. Raises ConnectionError when it cannot be written to: "EPIPE" when nobody reads.
---@param data string
function Writer:write(data)
  if output.take(self.file, data) then
    return
  end
  local stream = self.stream
  if stream:is_closing() then
    raise(self.name, "it was closed by this script", "ECANCELED")
  end
  self.file:flush()
  local ok, message, code = stream:send(data)
  if not ok then
    raise(self.name, message, code)
  end
end

--- Waits until few enough bytes are queued. Raises as write does.
---@async
function Writer:drain()
  local ok, message, code = self.stream:drain()
  if not ok then
    raise(self.name, message, code)
  end
end

--- Closes it after what is queued has gone; then who reads it sees the end, and print
--- writes into the void.
function Writer:close()
  self.file:flush()
  self.stream:close()
  inherited.leave(self.file)
end

--- The same: there is no other way to say that no more will come.
Writer.write_eof = Writer.close
Writer.__close = Writer.close

local stdin = lazy(Reader, "stdin", io.stdin, "r")
local stdout = lazy(Writer, "stdout", io.stdout, "w")
local stderr = lazy(Writer, "stderr", io.stderr, "w")

--- Standard input, as asyncio's StreamReader: `for line in async.stdin:lines() do`.
---@type strobe.StreamReader
standard.stdin = stdin

--- Standard output, as asyncio's StreamWriter: `async.stdout:write "…"; async.stdout:drain()`.
---@type strobe.StreamWriter
standard.stdout = stdout

--- Standard error, likewise.
---@type strobe.StreamWriter
standard.stderr = stderr

local function open_pipe(pipe, mode, where)
  local is_descriptor = math.type(pipe) == "integer" and pipe >= 0 and pipe <= 0x7fffffff
  if not is_descriptor and io.type(pipe) ~= "file" then
    mistake.raise("%s: pipe: a descriptor or an open file expected, got %s", where, io.type(pipe) or tostring(pipe))
  end
  local stream, message, code = inherited.open(pipe, mode)
  if not stream then
    streams.raise(message, code)
  end
  return stream
end

--- A reader of a pipe, terminal, socket or file that is open: a descriptor, which is the reader's from
--- now on, or a file of Lua's as `io.popen "…"` gives, which stays its owner's. Raises ConnectionError.
--- asyncio's loop.connect_read_pipe
---@param pipe integer|file*
---@param options? {limit?: integer} most bytes of a line (64 KiB)
---@return strobe.StreamReader reader to be closed, by `reader:close()` or `<close>`
function standard.connect_read_pipe(pipe, options)
  local limit = mistake.options("connect_read_pipe", options).limit
  return streams.StreamReader(open_pipe(pipe, "r", "connect_read_pipe"), limit)
end

--- A writer, likewise. asyncio's loop.connect_write_pipe
---@param pipe integer|file*
---@return strobe.StreamWriter
function standard.connect_write_pipe(pipe)
  return streams.StreamWriter(open_pipe(pipe, "w", "connect_write_pipe"))
end

return standard
