--- The journal of a broker: a file to which each record is appended, and from which the broker comes back after a
--- crash.
--
-- * A record is acknowledged when it is on the disk (fsync). Records that come while the disk is at work are written
--   together and share the next fsync. Threads of libuv do it; the loop goes on.
-- * What cannot be written has not been: the file is cut back to its last good record, and the broker takes the
--   records back.
-- * At a start all records are read. A last record without its end, as a crash leaves it behind, is cut off, with a
--   note: nobody was told of it. Damage anywhere else is an error that names the byte: it would be wrong to guess.
-- * One process has it: a lock on the file `PATH.lock`, in which its process id stands. The system frees the lock when
--   that ends.
-- * A record has no wall time, no process id and nothing random: the same events make the same bytes.
-- * Each process that writes begins with a record of its session, so that the ids of units are not used twice.
--
-- The file grows by about 150 bytes an order; nothing is ever removed from it. In memory there is what rests, and the
-- last that has ended: see the option `history`.

local amount = require "strobe.broker.amount"
local contexts = require "strobe.async.context"
local core_error = require "strobe.core.error"
local fs = require "strobe.async.fs"
local records = require "strobe.broker.record"
local request = require "strobe.async.request"
local tasks = require "strobe.async.task"
local time = require "strobe.core.time"
local uv = require "luv"

-- Bytes read at once, and the most that a record may have. Records written at once, and the most that may wait for the
-- disk. Records read between two turns of the loop.
local CHUNK, LONGEST, BATCH, MOST, TURN = 256 * 1024, 16 * 1024 * 1024, 4096, 65536, 512

---@class strobe.broker.Journal
---@field path string
---@field private owner strobe.broker.Paper
---@field private disk table {write, sync, truncate}
---@field private number integer of the last record
---@field private size integer   bytes
---@field private queue table[]  entries to be written
local Journal = {}
Journal.__index = Journal
Journal.__name = "journal"

-- --- The disk ------------------------------------------------------------------------------------

local Disk = {}
Disk.__index = Disk

--- Writes at an offset.
function Disk:write(text, offset)
  local ok, message, code = self.file:seek("set", offset)
  if not ok then
    return nil, message, code
  end
  return self.file:write(text)
end

function Disk:sync()
  return self.file:sync()
end

function Disk:truncate(size)
  local ok, message, code = request.run("truncate " .. self.file.path, function(done)
    return uv.fs_ftruncate(self.file:fileno(), size, done)
  end)
  if ok == nil and code then
    return nil, message, code
  end
  return self.file:sync()
end

-- A new file's name is in its folder, and that is to be on the disk too.
local function sync_folder(path)
  local folder = path:match "^(.*)/[^/]*$" or "."
  local fd = request.run("open " .. folder, function(done)
    return uv.fs_open(folder == "" and "/" or folder, "r", 0, done)
  end)
  if fd then
    request.run("sync " .. folder, function(done)
      return uv.fs_fsync(fd, done)
    end)
    request.detach(function(done)
      return uv.fs_close(fd, done)
    end)
  end
end

local function open_file(path)
  local file, message, code = fs.open(path, "r+")
  if code ~= "ENOENT" then
    return file, message, code
  end
  file, message, code = fs.open(path, "x+")
  if file then
    sync_folder(path)
  end
  return file, message, code
end

-- --- The lock ------------------------------------------------------------------------------------

local function is_used(path, lock)
  local pid = (lock:read_all() or ""):match "%d+"
  lock:close()
  local who = pid and ("process %s uses it: end that"):format(pid) or "another process uses it: end it"
  if tonumber(pid) == uv.os_getpid() then
    who = "this process uses it already: close that broker"
  end
  return nil, ("journal %s: %s, or name another file"):format(path, who), "EBUSY"
end

-- The lock file, locked.
local function lock_file(path, core)
  local name = path .. ".lock"
  local lock, message, code = fs.open(name, "r+")
  if code == "ENOENT" then
    lock, message, code = fs.open(name, "a+")
  end
  if not lock then
    return nil, "journal: " .. message, code
  end
  local ok
  ok, message, code = core.lock(lock:fileno())
  if not ok and (code == "EAGAIN" or code == "EWOULDBLOCK") then
    return is_used(path, lock)
  elseif not ok then
    lock:close()
    return nil, ("journal %s: %s"):format(name, message), code
  end
  Disk.truncate({ file = lock }, 0)
  lock:seek "set"
  lock:write(("%d\n"):format(uv.os_getpid()))
  return lock
end

-- --- Reading -------------------------------------------------------------------------------------

local function damaged(journal, reason)
  local text = "journal %s: byte %d: record %d is damaged: %s. Restore the file from a copy; or give up this record "
    .. "and all behind it: truncate -s %d %s"
  local path = journal.path
  return nil, text:format(path, journal.size, journal.number + 1, reason, journal.size, path), "EBADMSG"
end

local function read_record(journal, line)
  local record, reason = records.decode(line, journal.number + 1, journal.crc32)
  local ledger = journal.owner.ledger
  reason = reason or ledger:misfit(record)
  if not reason and not ledger.opened and record.op ~= "open" then
    reason = "the journal does not begin with it"
  end
  if reason then
    return damaged(journal, reason)
  end
  local fills, order = ledger:apply(record)
  if order then
    ledger:settle(fills, order)
  end
  journal.number, journal.size = journal.number + 1, journal.size + #line + 1
  if journal.number % TURN == 0 then
    time.sleep(0)
  end
  return true
end

local function note(journal, text, ...)
  table.insert(journal.owner.notes, ("journal %s: "):format(journal.path) .. text:format(...))
end

-- What stands behind the last end of a line.
local function read_tail(journal, tail)
  if tail == "" then
    return true
  elseif records.decode(tail, journal.number + 1, journal.crc32) then
    note(journal, "the end of the last record was missing, and is there again")
    local end_at = journal.size + #tail
    local ok, message, code = read_record(journal, tail)
    if ok then
      ok, message, code = journal.disk:write("\n", end_at)
    end
    return ok, message, code
  elseif records.decode(tail:sub(1, -2), journal.number + 1, journal.crc32) then
    return damaged(journal, "something stands where its end should")
  end
  note(journal, "cut off %d bytes at byte %d: a record that was not finished when the process ended", #tail,
    journal.size)
  return journal.disk:truncate(journal.size)
end

local function read_lines(journal, text)
  local from = 1
  while true do
    local at = text:find("\n", from, true)
    if not at then
      return text:sub(from)
    end
    local ok, message, code = read_record(journal, text:sub(from, at - 1))
    if not ok then
      return nil, message, code
    end
    from = at + 1
  end
end

local function read_all(journal, file)
  local rest = ""
  while true do
    local chunk, message, code = file:read(CHUNK)
    if chunk == nil and code then
      return nil, message, code
    elseif chunk == nil or chunk == "" then
      return read_tail(journal, rest)
    end
    rest, message, code = read_lines(journal, rest .. chunk)
    if not rest then
      return nil, message, code
    elseif #rest > LONGEST then
      return damaged(journal, "it has no end")
    end
  end
end

-- --- Writing -------------------------------------------------------------------------------------

-- The text of a batch, and how many records it has.
local function encode_batch(journal, batch)
  local lines, number = {}, journal.number
  if not journal.opened then
    number = number + 1
    lines[1] = records.encode(number, journal.opening, journal.crc32)
  end
  for _, entry in ipairs(batch) do
    number = number + 1
    lines[#lines + 1] = records.encode(number, entry.record, journal.crc32)
  end
  return table.concat(lines), number
end

local function write_batch(journal, batch)
  local disk, ok, message, code = journal.disk, true, nil, nil
  if journal.torn then
    ok, message, code = disk:truncate(journal.size)
  end
  local text, number = encode_batch(journal, batch)
  if ok then
    journal.torn = true
    ok, message, code = disk:write(text, journal.size)
  end
  if ok then
    ok, message, code = disk:sync()
  end
  if not ok then
    journal.torn = not disk:truncate(journal.size)
    return nil, message, code
  end
  journal.torn, journal.opened, journal.number, journal.size = false, true, number, journal.size + #text
  return true
end

local function next_batch(journal)
  local queue = journal.queue
  if #queue <= BATCH then
    journal.queue = {}
    return queue
  end
  journal.queue = table.move(queue, BATCH + 1, #queue, 1, {})
  return table.move(queue, 1, BATCH, 1, {})
end

-- The records of a batch, and all behind them, have not been.
local function give_up(journal, batch, message, code)
  table.move(journal.queue, 1, #journal.queue, #batch + 1, batch)
  journal.queue = {}
  for i = #batch, 1, -1 do
    journal.owner:revert(batch[i])
  end
  core_error.report { warning = true, message = ("journal %s: %d records are refused: %s"):format(journal.path, #batch,
    message) }
  for _, entry in ipairs(batch) do
    journal.owner:refuse(entry, message, code)
  end
end

local Writing = {
  __close = function(writing)
    writing.journal.task = nil
  end,
}

local function write_queue(journal)
  local writing <close> = setmetatable({ journal = journal }, Writing) -- luacheck: ignore
  while #journal.queue > 0 do
    local batch = next_batch(journal)
    local ok, message, code = write_batch(journal, batch)
    if not ok then
      give_up(journal, batch, message, code or "EIO")
    else
      for _, entry in ipairs(batch) do
        journal.owner:settle(entry)
      end
    end
  end
end

--- Has the record of an entry written. Its owner is told in their order: `settle`, or `revert` and `refuse`.
---@param entry {record: table}
function Journal:append(entry)
  table.insert(self.queue, entry)
  if not self.task then
    self.task = contexts.Context():run(tasks.create_task, write_queue, self)
    self.task:set_name("journal " .. self.path)
  end
end

--- Whether no more records should come before the disk has caught up.
---@return boolean
function Journal:is_full()
  return #self.queue >= MOST
end

--- Waits until all is written, and frees the file. Twice is harmless.
---@async
function Journal:close()
  if self.task then
    tasks.wait { self.task }
  end
  if self.file then
    self.file:close()
    self.lock:close()
    self.file = nil
  end
end

-- --- Opening -------------------------------------------------------------------------------------

-- The broker is as the file says: what its first record to come must say.
local function begin(journal, options)
  local paper = journal.owner
  local ledger = paper.ledger
  if journal.number == 0 then
    journal.opening = { op = "open", version = ledger.VERSION, session = 1, cash = options.cash or 0 }
    ledger.opened = true
    return
  end
  if options.cash and amount.of(options.cash) ~= ledger.began then
    note(journal, "it began with %.10g in cash, so that counts, not %.10g", amount.number(ledger.began), options.cash)
  end
  paper.session = ledger.session + 1
  journal.opening = { op = "open", session = paper.session }
end

--- Opens the journal of a paper broker, and brings the broker to the state that it tells.
---@async
---@param paper strobe.broker.Paper
---@param options strobe.broker.PaperOptions
---@return true? done
---@return string? message
---@return string? code
function Journal.attach(paper, options)
  local core, path = require "strobe.core.journal", options.journal
  local lock, message, code = lock_file(path, core)
  if not lock then
    return nil, message, code
  end
  local file, ok
  file, message, code = open_file(path)
  if not file then
    lock:close()
    return nil, "journal: " .. message, code
  end
  local disk = setmetatable({ file = file }, Disk)
  local journal = setmetatable({
    path = path, owner = paper, lock = lock, file = file, disk = options.disk and options.disk(disk) or disk,
    crc32 = core.crc32, number = 0, size = 0, queue = {},
  }, Journal)
  ok, message, code = read_all(journal, file)
  if not ok then
    journal:close()
    return nil, message, code
  end
  begin(journal, options)
  paper.journal = journal
  return true
end

return Journal
