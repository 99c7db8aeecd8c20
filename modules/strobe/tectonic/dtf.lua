-- DTF, the dense tick format: the batches a binary GET answers with, and the header of a .dtf file.
--
--   header, 80 bytes   "DTF" 90 01, symbol padded to 20, u64 rows, u64 largest ms, 39 zero bytes
--   batch, 15 bytes    01, u64 reference ms, u32 reference seq, u16 rows
--   row, 12 bytes      u16 ms - reference, u8 seq - reference, flags, f32 price, f32 size
--
-- All big-endian. The references are those of the batch's first row. A file is the header and batches to
-- its end; a GET body is batches only.
--
-- Source: facts read in tectonicdb c4fcb1c and c0c6819 (dtf/file_format.rs).

local tick = require "strobe.tectonic.tick"

local pack, unpack = string.pack, string.unpack

local MAGIC = "DTF\x90\x01"
local SYMBOL_SIZE = 20
local HEADER = ">c5c20I8I8"
local HEADER_SIZE = 80
local HEADER_USED = 41
local MARK = 1
local BATCH = ">BI8I4I2"
local BATCH_SIZE = 15
local ROW = ">I2BBff"
local ROW_SIZE = 12
local TS_SPAN = 0xFFFF -- a row this many ms behind its reference starts a new batch,
local SEQ_SPAN = 15 -- or this many numbers; a byte would reach 255, the original stops here
local MAX_ROWS = 0xFFFF
local IS_BID, IS_TRADE = 1, 2

local dtf = {}

---@class strobe.tectonic.DtfHeader
---@field symbol string at most 20 bytes
---@field count integer rows in the file
---@field max_ts number largest ts, seconds

local function starts_batch(batch, ms, seq)
  return not batch
    or ms >= batch.ms + TS_SPAN or seq >= batch.seq + SEQ_SPAN
    or ms < batch.ms or seq < batch.seq
    or #batch.rows == MAX_ROWS
end

local function write_batch(parts, batch)
  parts[#parts + 1] = pack(BATCH, MARK, batch.ms, batch.seq, #batch.rows)
  parts[#parts + 1] = table.concat(batch.rows)
end

---Writes ticks as batches, in the order given. No ticks are no bytes.
---Raises when an element is not a tick, naming its position.
---@param ticks strobe.tectonic.Tick[]
---@return string bytes
function dtf.encode_batches(ticks)
  local parts, batch = {}, nil
  for i, value in ipairs(ticks) do
    local ok, message = tick.check(value)
    if not ok then
      error(("ticks[%d].%s"):format(i, message), 2)
    end
    local ms, seq = tick.milliseconds(value.ts), value.seq
    if starts_batch(batch, ms, seq) then
      if batch then
        write_batch(parts, batch)
      end
      batch = { ms = ms, seq = seq, rows = {} }
    end
    local flags = (value.is_bid and IS_BID or 0) | (value.is_trade and IS_TRADE or 0)
    batch.rows[#batch.rows + 1] = pack(ROW, ms - batch.ms, seq - batch.seq, flags, value.price, value.size)
  end
  if batch then
    write_batch(parts, batch)
  end
  return table.concat(parts)
end

local function read_row(bytes, position, ms, seq)
  local later, further, flags, price, size = unpack(ROW, bytes, position)
  local value = { ts = (ms + later) / 1000, seq = seq + further, is_trade = flags & IS_TRADE ~= 0,
    is_bid = flags & IS_BID ~= 0, price = price, size = size }
  if flags > (IS_BID | IS_TRADE) then
    return nil, ("flags: %d"):format(flags)
  end
  local ok, message = tick.check(value)
  return ok and value, message
end

local function damage(position, what)
  return nil, ("damaged batches at byte %d: %s"):format(position - 1, what), "EPROTO"
end

local function read_batch(bytes, position, ticks)
  if #bytes - position + 1 < BATCH_SIZE then
    return damage(position, "a cut batch header")
  end
  local mark, ms, seq, rows, from = unpack(BATCH, bytes, position)
  if mark ~= MARK then
    return damage(position, ("a batch starts with 1, not %d"):format(mark))
  elseif #bytes - from + 1 < rows * ROW_SIZE then
    return damage(from, ("%d rows announced, only %d there"):format(rows, (#bytes - from + 1) // ROW_SIZE))
  end
  for _ = 1, rows do
    local value, message = read_row(bytes, from, ms, seq)
    if not value then
      return damage(from, message)
    end
    ticks[#ticks + 1] = value
    from = from + ROW_SIZE
  end
  return from
end

---Reads batches up to the end of the bytes; damage anywhere refuses them all.
---@param bytes string
---@return strobe.tectonic.Tick[]|nil ticks
---@return string? message with the byte offset, from 0
---@return string? code "EPROTO"
function dtf.decode_batches(bytes)
  local ticks, position = {}, 1
  while position <= #bytes do
    local after, message, code = read_batch(bytes, position, ticks)
    if not after then
      return nil, message, code
    end
    position = after
  end
  return ticks
end

---Writes the 80 bytes at the start of a file.
---@param header strobe.tectonic.DtfHeader
---@return string|nil bytes
---@return string? message
---@return string? code "ENAMETOOLONG" for a symbol over 20 bytes
function dtf.encode_header(header)
  if #header.symbol > SYMBOL_SIZE then
    return nil, ("symbol: %d bytes, the limit is %d"):format(#header.symbol, SYMBOL_SIZE), "ENAMETOOLONG"
  end
  local symbol = header.symbol .. (" "):rep(SYMBOL_SIZE - #header.symbol)
  local used = pack(HEADER, MAGIC, symbol, header.count, tick.milliseconds(header.max_ts))
  return used .. ("\0"):rep(HEADER_SIZE - #used)
end

---Reads the start of a file; 41 bytes are enough, the other 39 mean nothing.
---@param bytes string
---@return strobe.tectonic.DtfHeader|nil header symbol without its padding
---@return string? message
---@return string? code "EPROTO"
function dtf.decode_header(bytes)
  if bytes:sub(1, #MAGIC) ~= MAGIC:sub(1, #bytes) then
    return nil, "not a DTF file", "EPROTO"
  elseif #bytes < HEADER_USED then
    return nil, ("a DTF header has %d bytes, only %d there"):format(HEADER_SIZE, #bytes), "EPROTO"
  end
  local _, symbol, count, ms = unpack(HEADER, bytes)
  if count < 0 or ms < 0 then
    return nil, "impossible DTF header: more than 2^63 rows or milliseconds", "EPROTO"
  end
  return { symbol = (symbol:gsub(" +$", "")), count = count, max_ts = ms / 1000 }
end

return dtf
