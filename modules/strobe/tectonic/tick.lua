-- A tick: one update of an order book, a plain table with the six fields of the TectonicDB protocol.
-- Its forms are the row of ADD/INSERT, the JSON object and the CSV line; the binary forms are in
-- frame.lua and dtf.lua.
--
-- Model: `ts` is in seconds here and in JSON, and whole milliseconds on the wire. `price` and `size`
-- are f32 on the server, so every printed form has the shortest digits that give back that f32:
-- 7.65064249 goes in, 7.6506424 comes out. Printed numbers never have an exponent, because the row
-- parser would read 1e-07 as 107.
--
-- Source: facts read in tectonicdb at c4fcb1c (server/parser.rs, lib/dtf/update.rs).
--
-- Where we leave the original:
--   more than six separators      it panics                   "Too many separators in line"
--   price or size beyond f32      it stores inf               "Unable to parse line"
--   ts of 2^63 ms and more        it stores a u64             "Unable to parse line"

local json = require("cjson.safe").new()
local mistake = require "strobe.mistake"
json.decode_max_depth(4)
json.decode_invalid_numbers(false)

local abs, floor, huge, tointeger = math.abs, math.floor, math.huge, math.tointeger
local format, match, pack, unpack = string.format, string.match, string.pack, string.unpack

local UNPARSED = "Unable to parse line"
local CROWDED = "Too many separators in line"
local MAX_SEQ = 0xFFFFFFFF
local FULL_MS = 1000000000000 -- a row's ts is scaled up to at least this many "milliseconds"
local MAX_TS = 2.0 ^ 63 / 1000
local F32_WHOLE = 2.0 ^ 24 -- below it every whole number is an f32 of its own
local F32_NORMAL = 2.0 ^ -126
local F32_LIMIT = 2.0 ^ 128 - 2.0 ^ 103 -- from here on, nearest is infinity
local TIE_UP = 1 + 2.0 ^ -51 -- moves an f32 less than half a digit, but over a tie
local CACHED_DIGITS = 4096

---@class strobe.tectonic.Tick one update of an order book
---@field ts number seconds since 1970, with milliseconds
---@field seq integer 0 to 4294967295
---@field is_trade boolean a trade, otherwise a change of a level
---@field is_bid boolean the bid side, otherwise the ask side
---@field price number rounded to f32 by every peer
---@field size number rounded to f32 by every peer

local tick = {}

local FORMATS = {}
for precision = 1, 17 do
  FORMATS[precision] = "%." .. precision .. "g"
end

-- "1.5e-07" to "0.00000015"; digits without an exponent come back as they are. %g writes a positive
-- exponent only when it is larger than the number of digits, so there are zeros to add, never a point.
local function plain(digits)
  local sign, first, rest, exponent = match(digits, "^(-?)(%d)%.?(%d*)e([+-]%d+)$")
  if not exponent then
    return digits
  end
  exponent = tointeger(tonumber(exponent))
  if exponent < 0 then
    return sign .. "0." .. ("0"):rep(-exponent - 1) .. first .. rest
  end
  return sign .. first .. rest .. ("0"):rep(exponent - #rest)
end

local function refuse_infinite(x)
  if x ~= x or x == huge or x == -huge then
    mistake.raise("number: %s has no decimal digits", tostring(x))
  end
end

---Rounds to the nearest f32, as the server stores prices and sizes. Beyond the f32 range: ±inf.
---@param x number
---@return number
function tick.f32(x)
  return (unpack("f", pack("f", x)))
end
local f32 = tick.f32

-- From six digits on: every decimal of up to six digits survives f32 unchanged and %g drops trailing
-- zeros, so fewer digits can only be right for subnormal numbers. A tie goes away from zero, as in Rust:
-- 474062.625 is 474062.63. (2^-96, 2^87 and 2^90 get nine digits where eight would do: the best eight are
-- not the nearest ones.)
local function search_f32(x)
  local raised = x * TIE_UP
  if x >= 0.0001 and x < 1000000 then
    local digits = format("%.6g", raised) -- in this range %g never writes an exponent
    if f32(tonumber(digits)) == x then
      return digits
    end
  end
  refuse_infinite(x)
  for precision = abs(x) < F32_NORMAL and 1 or 6, 8 do
    local digits = format(FORMATS[precision], raised)
    if f32(tonumber(digits)) == x then
      return plain(digits)
    end
  end
  return plain(format("%.9g", raised))
end

-- Prices and sizes repeat, so the digits found by trial are kept, up to a bound.
local cache, cached = {}, 0

local function remember(x, digits)
  if cached >= CACHED_DIGITS then
    cache, cached = {}, 0
  end
  cache[x], cached = digits, cached + 1
  return digits
end

---The shortest plain decimal that gives back the f32 nearest to x; whole numbers have no ".0".
---Raises on infinity and not-a-number.
---@param x number
---@return string
function tick.f32_digits(x)
  local known = cache[x]
  if known then
    return known
  end
  local rounded = f32(x)
  if rounded == floor(rounded) and rounded < F32_WHOLE and rounded > -F32_WHOLE then
    return remember(x, format("%d", rounded))
  end
  return remember(x, search_f32(rounded))
end
local f32_digits = tick.f32_digits

---The shortest plain decimal that gives back the f64 x; whole numbers have no ".0". Meant for times and
---sums of sizes: the last digit may differ from Rust's on ties above 10^13.
---Raises on infinity and not-a-number.
---@param x number
---@return string
function tick.f64_digits(x)
  local digits = format("%.15g", x)
  if tonumber(digits) == x then
    return plain(digits)
  end
  refuse_infinite(x)
  digits = format("%.16g", x)
  return plain(tonumber(digits) == x and digits or format("%.17g", x))
end
local f64_digits = tick.f64_digits

-- False for anything but a number that stays finite as an f32; not-a-number fails both comparisons.
local function fits_f32(value)
  return type(value) == "number" and value > -F32_LIMIT and value < F32_LIMIT
end

---Tells whether a table is a tick every form can carry: ts from 0 to under 2^63 ms, seq a u32,
---flags booleans, price and size finite also as f32.
---@param value any
---@return true|nil ok
---@return string? message names the field
---@return string? code "EINVAL"
function tick.check(value)
  if type(value) ~= "table" then
    return nil, "tick: a table expected, got " .. type(value), "EINVAL"
  end
  local ts, seq = value.ts, value.seq
  if type(ts) ~= "number" or not (ts >= 0 and ts < MAX_TS) then
    return nil, "ts: seconds since 1970 expected", "EINVAL"
  elseif math.type(seq) ~= "integer" or seq < 0 or seq > MAX_SEQ then
    return nil, "seq: an integer from 0 to 4294967295 expected", "EINVAL"
  elseif type(value.is_trade) ~= "boolean" then
    return nil, "is_trade: a boolean expected", "EINVAL"
  elseif type(value.is_bid) ~= "boolean" then
    return nil, "is_bid: a boolean expected", "EINVAL"
  elseif not fits_f32(value.price) then
    return nil, "price: a finite number expected", "EINVAL"
  elseif not fits_f32(value.size) then
    return nil, "size: a finite number expected", "EINVAL"
  end
  return true
end

---A tick's time in whole milliseconds, the unit of the binary forms.
---@param ts number seconds
---@return integer
function tick.milliseconds(ts)
  return floor(ts * 1000 + 0.5)
end

-- The server's own scaling: times ten until there are thirteen digits; 0 stays 0.
local function row_ts(digits)
  local ms = tonumber(digits)
  if math.type(ms) ~= "integer" then
    return nil
  end
  while ms > 0 and ms < FULL_MS do
    ms = ms * 10
  end
  local ts = ms / 1000
  return ts < MAX_TS and ts or nil
end

-- Digits with at most one point and at least one digit, as Rust reads an f32.
local function row_decimal(digits)
  return (match(digits, "^%d+%.?%d*$") or match(digits, "^%.%d+$")) and tonumber(digits)
end

-- seq, price and size are numbers here, or nil or false where the field did not parse.
local function finish_row(ts, seq, is_trade, is_bid, price, size)
  ts, seq = row_ts(ts), tointeger(seq)
  if not (ts and seq and seq <= MAX_SEQ and fits_f32(price) and fits_f32(size)) then
    return nil, UNPARSED, "EPROTO"
  end
  return { ts = ts, seq = seq, is_trade = is_trade, is_bid = is_bid,
    price = unpack("f", pack("f", price)), size = unpack("f", pack("f", size)) }
end

local function finish_fields(fields, flags)
  local seq = match(fields[2], "^%d+$") and tonumber(fields[2])
  return finish_row(fields[1], seq, flags[3], flags[4], row_decimal(fields[5]), row_decimal(fields[6]))
end

-- The character filter: what is foreign is skipped, and the last t or f seen anywhere before a flag's
-- separator is the flag, even one from a field before it.
local function filter_row(text)
  local fields, flags, flag = {}, {}, false
  for field in text:gmatch("([^,;]*)[,;]") do
    if #fields == 6 then
      return nil, finish_fields(fields, flags) and CROWDED or UNPARSED, "EPROTO"
    end
    local letter = match(field, "([tf])[^tf]*$")
    if letter then
      flag = letter == "t"
    end
    flags[#fields + 1] = flag
    fields[#fields + 1] = field:gsub(#fields == 0 and "%D" or "[^%d.]", "")
  end
  if #fields < 6 then
    return nil, UNPARSED, "EPROTO"
  end
  return finish_fields(fields, flags)
end

local USUAL_ROW = "^(%d+)%.?(%d*), ?(%d+), ?([tf]), ?([tf]), ?(%d+%.?%d*), ?(%d+%.?%d*);$"

---Reads the row of ADD and INSERT, `ts, seq, is_trade, is_bid, price, size;`, with the quirks of the
---original's character filter: foreign characters are skipped (a minus sign and an exponent's "e" too),
---the point of ts is dropped and the digits scaled to milliseconds, price and size are rounded to f32,
---and text after the last separator is ignored.
---@param text string without command and book
---@return strobe.tectonic.Tick|nil tick
---@return string? message "Unable to parse line" or "Too many separators in line"
---@return string? code "EPROTO"
function tick.parse_row(text)
  local whole, decimals, seq, is_trade, is_bid, price, size = match(text, USUAL_ROW)
  if whole then
    return finish_row(whole .. decimals, tonumber(seq), is_trade == "t", is_bid == "t",
      tonumber(price), tonumber(size))
  end
  return filter_row(text)
end

---Writes the row of ADD and INSERT in plain decimals: `1505177459.685, 139010, t, f, 0.070362, 7.65;`.
---Refuses what the server's parser would silently read as something else: negative numbers, and a ts
---between 0 and 10^9 s, which it scales by tens.
---@param value strobe.tectonic.Tick
---@return string|nil row
---@return string? message
---@return string? code "EINVAL" for a bad field, "ERANGE" for what a row cannot carry
function tick.format_row(value)
  local ok, message, code = tick.check(value)
  if not ok then
    return nil, message, code
  end
  local ms = tick.milliseconds(value.ts)
  if ms > 0 and ms < FULL_MS then
    return nil, "ts: a row cannot carry times before 2001-09-09", "ERANGE"
  elseif value.price < 0 or value.size < 0 then
    return nil, "price, size: a row cannot carry negative numbers", "ERANGE"
  end
  return format("%d.%03d, %d, %s, %s, %s, %s;", ms // 1000, ms % 1000, value.seq,
    value.is_trade and "t" or "f", value.is_bid and "t" or "f",
    f32_digits(value.price), f32_digits(value.size))
end

-- Neighbouring ticks often share their ts.
local last_ts, last_digits = 0, "0"

local function ts_digits(ts)
  if ts ~= last_ts then
    last_digits = f64_digits(ts)
    last_ts = ts
  end
  return last_digits
end

---Writes the JSON object of a poll answer: keys in the protocol's order, no blanks, shortest digits,
---no exponent. Costs about two microseconds. Raises on infinite numbers.
---@param value strobe.tectonic.Tick
---@return string
function tick.to_json(value)
  return '{"ts":' .. ts_digits(value.ts) .. ',"seq":' .. value.seq
    .. (value.is_trade and ',"is_trade":true' or ',"is_trade":false')
    .. (value.is_bid and ',"is_bid":true,"price":' or ',"is_bid":false,"price":')
    .. f32_digits(value.price) .. ',"size":' .. f32_digits(value.size) .. "}"
end

---Writes one CSV line without its newline, fields in the order of the row.
---@param value strobe.tectonic.Tick
---@param letters? boolean write flags as t and f, as servers since 8a37af1 (2019-11-13) do; default true/false
---@return string
function tick.to_csv(value, letters)
  local yes, no = "true", "false"
  if letters then
    yes, no = "t", "f"
  end
  return ts_digits(value.ts) .. "," .. value.seq .. "," .. (value.is_trade and yes or no) .. ","
    .. (value.is_bid and yes or no) .. "," .. f32_digits(value.price) .. "," .. f32_digits(value.size)
end

---Reads one update as a poll answers it. Further keys are left in the table; price and size keep the digits they
---were sent with and are not rounded to f32.
---@param text string one JSON object
---@return strobe.tectonic.Tick|nil tick
---@return string? message names what is wrong
---@return string? code "EPROTO"
function tick.from_json(text)
  local value, message = json.decode(text)
  if value == nil then
    return nil, "Unable to parse update: " .. message, "EPROTO"
  elseif type(value) ~= "table" then
    return nil, "Unable to parse update: an object expected", "EPROTO"
  end
  local seq = value.seq
  value.seq = type(seq) == "number" and tointeger(seq) or seq
  local ok, why = tick.check(value)
  if not ok then
    return nil, "Unable to parse update: " .. why, "EPROTO"
  end
  return value
end

return tick
