--- Open files: what `fs.open` returns.
--
-- One request at a time is at work for a file; further tasks wait for their turn. A
-- file that is closed meanwhile keeps its descriptor until the request has ended:
-- otherwise a thread could write into whatever gets the same number next.

local Lookahead = require "strobe.async.lookahead"
local describe_stat = require("strobe.async.stat").describe
local errors = require "strobe.async.error"
local lot = require "strobe.core.lot"
local request = require "strobe.async.request"
local uv = require "luv"

-- Bytes asked for at once.
local CHUNK = 256 * 1024

-- Bytes of a piece that `chunks` gives.
local PIECE = 64 * 1024

-- Bytes that read_all takes, and bytes in a line, unless told otherwise.
local MAX_SIZE, MAX_LINE = 256 * 1024 * 1024, 1024 * 1024

---@class strobe.File an open file; a `<close>` value
---@field path string
---@field private fd? integer       nil when it is closed
---@field private position? integer where the next byte is; nil for what has no positions
---@field private ahead strobe.Lookahead what was read from there on
---@field private append boolean    writes go to the end
---@field private busy boolean      a task has its turn
---@field private in_flight integer requests at work
---@field private closing boolean
---@field private closed boolean
---@field private close_failure? string
---@field private waiting strobe.Lot
local File = {}
File.__index = File
File.__name = "file"

File.MAX_SIZE = MAX_SIZE

local function new(fd, path, append)
  return setmetatable({
    path = path, fd = fd, append = append, busy = false, in_flight = 0, closing = false, closed = false,
    waiting = lot.new("file " .. path), ahead = Lookahead.new(),
  }, File)
end

local function close_descriptor(file)
  local fd = file.fd
  file.fd = nil
  request.detach(function(done)
    return uv.fs_close(fd, done)
  end, function(failure)
    file.closed, file.close_failure = true, failure
    file.waiting:wake()
  end)
end

local function begin_close(file)
  if not file.closing then
    file.closing = true
    if file.in_flight == 0 then
      close_descriptor(file)
    end
  end
end

-- One request on the descriptor.
local function perform(file, verb, start)
  local function settled()
    file.in_flight = file.in_flight - 1
    if file.closing then
      close_descriptor(file)
    else
      file.waiting:wake()
    end
  end
  return request.run(verb .. " " .. file.path, function(done)
    local handle, message, code = start(done, file.fd)
    file.in_flight = file.in_flight + (handle and 1 or 0)
    return handle, message, code
  end, { settled = settled })
end

local Turn = {
  __close = function(turn)
    local file = turn.file
    file.busy = false
    file.waiting:wake()
  end,
}

-- A file's turn, which ends with its block; or the triple of a failure.
local function take_turn(file, verb)
  while not file.closing and (file.busy or file.in_flight > 0) do
    file.waiting:park()
  end
  if file.closing then
    return request.failed(verb .. " " .. file.path, "the file is closed", "EBADF")
  end
  file.busy = true
  return setmetatable({ file = file }, Turn)
end

local function closed_meanwhile(file, verb)
  return request.failed(verb .. " " .. file.path, "the file was closed meanwhile", "EBADF")
end

-- What cannot be read as a file is, and why.
local refused = {
  directory = { "it is a directory", "EISDIR" },
  fifo = { "it is a pipe, not a file", "ENOTSUP" },
  socket = { "it is a socket, not a file", "ENOTSUP" },
}

-- Closes a file that its caller never got.
local Unfinished = {
  __close = function(unfinished)
    if unfinished.file then
      begin_close(unfinished.file)
    end
  end,
}

--- Opens. Pipes are refused: a thread would wait for the other end, and nobody could
--- stop it.
---@package
---@async
---@param path string
---@param flags integer as luv's constants
---@param permissions integer
---@param on_late? fun() called when it was opened after the task had gone
---@return strobe.File?
---@return strobe.Stat|string stat, or message
---@return string? code
function File.open(path, flags, permissions, on_late)
  local what = "open " .. path
  local fd, message, code = request.run(what, function(done)
    return uv.fs_open(path, flags | uv.constants.O_NONBLOCK, permissions, done)
  end, {
    dispose = function(descriptor)
      if on_late then
        on_late()
      end
      request.detach(function(done)
        return uv.fs_close(descriptor, done)
      end)
    end,
  })
  if not fd then
    return nil, message, code
  end
  local file = new(fd, path, flags & uv.constants.O_APPEND ~= 0)
  local unfinished <close> = setmetatable({ file = file }, Unfinished)
  local stat
  stat, message, code = file:stat()
  if not stat then
    return nil, message, code
  elseif refused[stat.type] then
    return request.failed(what, table.unpack(refused[stat.type]))
  end
  file.position = (stat.type == "file" or stat.type == "block") and 0 or nil
  unfinished.file = nil
  return file, stat
end

-- Reads up to n bytes more ahead; how many, 0 at the end. Nothing is lost when it is cancelled.
local function fill(file, n)
  if file.closing then
    return closed_meanwhile(file, "read")
  end
  local at = file.position and file.position + file.ahead:size() or -1
  local data, message, code = perform(file, "read", function(done, fd)
    return uv.fs_read(fd, math.min(n, CHUNK), at, done)
  end)
  if not data then
    return nil, message, code
  end
  file.ahead:feed(data)
  return #data
end

-- Takes n bytes of what was read ahead.
local function take(file, n)
  local data = file.ahead:take(n)
  if file.position then
    file.position = file.position + #data
  end
  return data
end

-- What was read ahead counts no more: the position changes, or the bytes do.
local function forget_ahead(file)
  if file.position then
    file.ahead:clear()
  end
end

-- Up to n bytes, fewer only at the end.
local function read_up_to(file, n)
  while file.ahead:size() < n do
    local count, message, code = fill(file, n - file.ahead:size())
    if not count then
      return nil, message, code
    elseif count == 0 then
      break
    end
  end
  return take(file, n)
end

--- The triple for a file that has more than may be read.
---@package
---@param path string
---@param limit integer bytes
---@return nil
---@return string message
---@return string code
function File.too_large(path, limit)
  local reason = ("more than %d bytes (read it in pieces, or give a higher limit)"):format(limit)
  return request.failed("read " .. path, reason, "EFBIG")
end

local function check_count(where, value, default)
  if value == nil then
    return default
  elseif math.type(value) ~= "integer" or value < 0 then
    error(("%s: a whole number of 0 or more expected, got %s"):format(where, tostring(value)), 3)
  end
  return value
end

--- Reads n bytes, fewer only at the end of the file, where it is "". Without n all of
--- the rest, as read_all.
---@async
---@param n? integer bytes
---@return string? data
---@return string? message
---@return string? code
function File:read(n)
  n = check_count("file:read: n", n, nil)
  if not n then
    return self:read_all()
  end
  local turn <close>, message, code = take_turn(self, "read")
  if not turn then
    return nil, message, code
  end
  return read_up_to(self, n)
end

--- Reads the rest of the file. One with more than `limit` bytes left fails with
--- "EFBIG": read that in pieces, or by lines.
---@async
---@param limit? integer bytes (256 MiB)
---@return string? data
---@return string? message
---@return string? code
function File:read_all(limit)
  limit = check_count("file:read_all: limit", limit, MAX_SIZE)
  local turn <close>, message, code = take_turn(self, "read")
  if not turn then
    return nil, message, code
  end
  local data
  data, message, code = read_up_to(self, math.min(limit, math.maxinteger - 1) + 1)
  if data and #data > limit then
    return File.too_large(self.path, limit)
  end
  return data, message, code
end

--- Reads n bytes. With "EOF" when there are fewer; these are then the fourth result.
---@async
---@param n integer bytes
---@return string? data
---@return string? message
---@return string? code
---@return string? partial
function File:readexactly(n)
  check_count("file:readexactly: n", n, nil)
  local data, message, code = self:read(n)
  if data and #data < n then
    local text = ("read %s: it ended after %d of %d bytes"):format(self.path, #data, n)
    return nil, text, "EOF", data
  end
  return data, message, code
end

-- The bytes with the separator, when they have been read; nothing when more is needed.
local function take_until(file, separator, limit)
  local size, clear = file.ahead:find(separator)
  if clear > limit then
    local text = ("read %s: no separator within %d bytes"):format(file.path, limit)
    return nil, text, "EMSGSIZE", clear
  end
  return size and take(file, size + #separator)
end

local function read_until(file, separator, limit)
  file.ahead:rewind()
  while true do
    local data, message, code, clear = take_until(file, separator, limit)
    if data or message then
      return data, message, code, clear
    end
    local count
    count, message, code = fill(file, CHUNK)
    if not count then
      return nil, message, code
    elseif count == 0 then
      local rest = take(file, file.ahead:size())
      return nil, ("read %s: it ended before the separator"):format(file.path), "EOF", rest
    end
  end
end

-- The same when it is the task's turn.
local function take_turn_until(file, separator, limit)
  local turn <close>, message, code = take_turn(file, "read")
  if not turn then
    return nil, message, code
  end
  return read_until(file, separator, limit)
end

--- Reads up to and with the separator. Fails with "EOF" when the file ends before it, and with
--- "EMSGSIZE" when it is not within `limit` bytes; the fourth result is then what there was, or how
--- many bytes before it are known, which stay to be read.
---@async
---@param separator? string ("\n")
---@param limit? integer bytes before the separator (1 MiB)
---@return string? data
---@return string? message
---@return string? code
---@return string|integer|nil partial or how many
function File:readuntil(separator, limit)
  separator = separator or "\n"
  if type(separator) ~= "string" or separator == "" then
    error("file:readuntil: separator: a string of 1 byte or more expected", 2)
  end
  return take_turn_until(self, separator, check_count("file:readuntil: limit", limit, MAX_LINE))
end

--- Reads a line with its "\n"; the last may lack it; "" at the end. One of more than `limit` bytes
--- fails with "EMSGSIZE", and stays to be read.
---@async
---@param limit? integer bytes (1 MiB)
---@return string? line
---@return string? message
---@return string? code
function File:readline(limit)
  local line, message, code, rest = take_turn_until(self, "\n", check_count("file:readline: limit", limit, MAX_LINE))
  if code == "EOF" then
    return rest
  end
  return line, message, code
end

local function raise(message, code)
  local e = (code == "EMSGSIZE" and errors.LimitOverrunError or errors.Error)(message)
  e.code = code
  error(e, 0)
end

-- A line that has been read already, when it is nobody else's turn.
local function take_line(file, limit)
  if file.busy or file.closing or file.in_flight > 0 then
    return nil
  end
  local line, size = file.ahead:take_line(limit)
  if line and file.position then
    file.position = file.position + size
  end
  return line
end

-- A line that needs more to be read, or has no end.
local function next_line(file, limit)
  local line, message, code = file:readline(limit + 1)
  if not line then
    raise(message, code)
  end
  local text = line:gsub("\r?\n$", "")
  if #text > limit then
    raise(("read %s: a line is longer than %d bytes"):format(file.path, limit), "EMSGSIZE")
  end
  return line ~= "" and text or nil
end

--- Iterates over the lines from here on, without their LF or CR LF. A failure raises an error with
--- `code`; so does a line of more than `limit` bytes, LimitOverrunError.
---@async
---@param limit? integer bytes (1 MiB)
---@return fun(): string?
function File:lines(limit)
  limit = check_count("file:lines: limit", limit, MAX_LINE)
  return function()
    return take_line(self, limit) or next_line(self, limit)
  end
end

--- Iterates over pieces of n bytes from here on, cut anywhere; the last may be shorter. A failure raises an
--- error with `code`.
---@async
---@param n? integer bytes (64 KiB)
---@return fun(): string?
function File:chunks(n)
  n = check_count("file:chunks: n", n, PIECE)
  return function()
    local data, message, code = self:read(n)
    if not data then
      raise(message, code)
    end
    return data ~= "" and data or nil
  end
end

local function write_all(file, data)
  local written = 0
  forget_ahead(file)
  while written < #data do
    if file.closing then
      return closed_meanwhile(file, "write")
    end
    local at = not file.append and file.position or -1
    local rest = written == 0 and data or data:sub(written + 1)
    local count, message, code = perform(file, "write", function(done, fd)
      return uv.fs_write(fd, rest, at, done)
    end)
    if not count then
      return nil, message, code
    elseif count == 0 then
      return request.failed("write " .. file.path, "no bytes were taken", "EIO")
    end
    written = written + count
    if at >= 0 then
      file.position = at + count
    end
  end
  return true
end

--- Writes all of the bytes. After a failure, or when cancelled, a part of them may
--- have been written.
---@async
---@param data string
---@return true? done
---@return string? message
---@return string? code
function File:write(data)
  if type(data) ~= "string" then
    error(("file:write: data: a string expected, got %s"):format(type(data)), 2)
  end
  local turn <close>, message, code = take_turn(self, "write")
  if not turn then
    return nil, message, code
  end
  return write_all(self, data)
end

-- A request that neither reads nor writes.
local function inquire(file, verb, start)
  local turn <close>, message, code = take_turn(file, verb)
  if not turn then
    return nil, message, code
  end
  return perform(file, verb, start)
end

--- What there is to know of the file; see `fs.stat`.
---@async
---@return strobe.Stat?
---@return string? message
---@return string? code
function File:stat()
  local stat, message, code = inquire(self, "stat", function(done, fd)
    return uv.fs_fstat(fd, done)
  end)
  if not stat then
    return nil, message, code
  end
  return describe_stat(stat)
end

--- Waits until what was written is on the disk. os.fsync
---@async
---@return true? done
---@return string? message
---@return string? code
function File:sync()
  return inquire(self, "sync", function(done, fd)
    return uv.fs_fsync(fd, done)
  end)
end

--- The number of its descriptor, which stays the file's; nil when it is closed. io.IOBase.fileno
---@return integer?
function File:fileno()
  return not self.closing and self.fd or nil
end

--- Sets the permission bits. os.fchmod
---@async
---@param mode integer
---@return true? done
---@return string? message
---@return string? code
function File:chmod(mode)
  return inquire(self, "chmod", function(done, fd)
    return uv.fs_fchmod(fd, mode, done)
  end)
end

-- Where an offset of seek counts from.
local function base_of(file, whence)
  if whence == "set" then
    return 0
  elseif whence == "cur" then
    return file.position
  end
  local stat, message, code = file:stat()
  return stat and stat.size, message, code
end

--- Sets the position for reading and writing, as Lua's own file:seek; only "end" waits.
---@async
---@param whence? "set"|"cur"|"end" ("cur")
---@param offset? integer bytes (0)
---@return integer? position
---@return string? message
---@return string? code
function File:seek(whence, offset)
  whence, offset = whence or "cur", offset or 0
  if whence ~= "set" and whence ~= "cur" and whence ~= "end" then
    error(("file:seek: whence: \"set\", \"cur\" or \"end\" expected, got %s"):format(tostring(whence)), 2)
  elseif math.type(offset) ~= "integer" then
    error(("file:seek: offset: a whole number expected, got %s"):format(tostring(offset)), 2)
  elseif not self.position then
    return request.failed("seek " .. self.path, "it has no positions", "ESPIPE")
  end
  local base, message, code = base_of(self, whence)
  if not base then
    return nil, message, code
  elseif base + offset < 0 then
    return request.failed("seek " .. self.path, "a position before the beginning", "EINVAL")
  end
  forget_ahead(self)
  self.position = base + offset
  return self.position
end

--- Closes; waits until that is done, for it may be what tells that a write has failed.
--- Closing twice is harmless.
---@async
---@return true? done
---@return string? message
---@return string? code
function File:close()
  begin_close(self)
  while not self.closed do
    self.waiting:park()
  end
  local failure = self.close_failure
  self.close_failure = nil -- it is told once
  if failure then
    return request.failed("close " .. self.path, request.parse(failure))
  end
  return true
end

--- Begins to close and does not wait.
---@package
function File:abandon()
  begin_close(self)
end

function File:__close(e)
  local ok, message = self:close()
  if not ok and e == nil then
    error(message, 0)
  end
end

-- Nobody can use it any more, and no request is at work, for that would hold the file.
function File:__gc()
  if self.fd then
    uv.fs_close(self.fd)
    self.fd = nil
  end
end

function File:__tostring()
  return ("<file %s%s>"):format(self.path, self.closing and ", closed" or "")
end

return File
