--- Decoders of text that comes in chunks cut anywhere. It does no I/O.
--
-- Lua's strings are bytes, and text is UTF-8; so to decode is to make sure of that, and to keep the beginning of a
-- character that was cut back until its end comes. What is wrong is what Unicode says is wrong: overlong forms,
-- surrogates, what lies beyond U+10FFFF, stray and missing bytes.

local errors = require "strobe.async.error"
local mistake = require "strobe.mistake"

local codecs = {}

local REPLACEMENT = "\u{FFFD}"

---@class strobe.IncrementalDecoder
---@field private errors "strict"|"replace"|"ignore"
---@field private pending string  the beginning of a character, 0 to 3 bytes
---@field private offset integer  bytes that were decoded before those
local Decoder = {}
Decoder.__index = Decoder
Decoder.__name = "IncrementalDecoder"

-- The bytes of a character, and what its second one may be, by its first one. Unicode, table 3-7
local function shape_of(lead)
  if lead < 0xC2 or lead > 0xF4 then
    return nil
  elseif lead < 0xE0 then
    return 2, 0x80, 0xBF
  elseif lead < 0xF0 then
    return 3, lead == 0xE0 and 0xA0 or 0x80, lead == 0xED and 0x9F or 0xBF
  end
  return 4, lead == 0xF0 and 0x90 or 0x80, lead == 0xF4 and 0x8F or 0xBF
end

-- What is wrong with the character at a place, and how many of its bytes: the longest beginning of a good one, which
-- is one U+FFFD. No reason when only the end is missing.
local function diagnose(data, from)
  local size, least, most = shape_of(data:byte(from))
  if not size then
    return 1, "invalid start byte"
  end
  for i = 1, size - 1 do
    local byte = data:byte(from + i)
    if not byte then
      return i, nil
    elseif byte < least or byte > most then
      return i, "invalid continuation byte"
    end
    least, most = 0x80, 0xBF
  end
  error "this character is good"
end

local function raise(decoder, data, from, size, reason)
  local at = decoder.offset + from - 1
  local what = size == 1 and ("byte 0x%02x in position %d"):format(data:byte(from), at)
    or ("bytes in position %d-%d"):format(at, at + size - 1)
  local e = errors.UnicodeDecodeError(("'utf-8' codec can't decode %s: %s"):format(what, reason))
  e.encoding, e.object, e.reason = "utf-8", data, reason
  e.start, e.stop, e.offset = from, from + size - 1, at
  error(e, 0)
end

-- Adds what there is instead of bytes that are wrong.
local function mend(decoder, parts, data, from, size, reason)
  if decoder.errors == "strict" then
    raise(decoder, data, from, size, reason)
  elseif decoder.errors == "replace" then
    parts[#parts + 1] = REPLACEMENT
  end
end

-- The text of data that has a fault at a place, and what of it is still pending.
local function decode_around(decoder, data, fault, final)
  local parts, from = {}, 1
  repeat
    parts[#parts + 1] = data:sub(from, fault - 1)
    local size, reason = diagnose(data, fault)
    if not reason and not final then
      return table.concat(parts), data:sub(fault)
    end
    mend(decoder, parts, data, fault, size, reason or "unexpected end of data")
    from = fault + size
    fault = select(2, utf8.len(data, from))
  until not fault
  parts[#parts + 1] = data:sub(from)
  return table.concat(parts), ""
end

--- The text of the next bytes, as far as its characters are whole. With `final` nothing comes behind
--- them: what is pending then is an error. "strict" decoders raise UnicodeDecodeError, with `offset` (how
--- many bytes came before the wrong ones, since the beginning), `reason`, and the wrong ones themselves,
--- `e.object:sub(e.start, e.stop)`; they are then as before. codecs.IncrementalDecoder.decode
---@param bytes string
---@param final? boolean
---@return string text
function Decoder:decode(bytes, final)
  if type(bytes) ~= "string" then
    mistake.expect("decode", "bytes", "string", bytes)
  end
  local data = self.pending == "" and bytes or self.pending .. bytes
  local text, pending = data, ""
  local _, fault = utf8.len(data)
  if fault then
    text, pending = decode_around(self, data, fault, final)
  end
  self.offset = self.offset + #data - #pending
  self.pending = pending
  return text
end

--- Forgets what came so far.
function Decoder:reset()
  self.pending, self.offset = "", 0
end

local known_errors = { strict = true, replace = true, ignore = true }

local function new_decoder(how)
  how = how or "strict"
  if not known_errors[how] then
    error(("codecs: errors: \"strict\", \"replace\" or \"ignore\" expected, got %s"):format(tostring(how)), 2)
  end
  return setmetatable({ errors = how, pending = "", offset = 0 }, Decoder)
end

--- A function that makes decoders: `codecs.getincrementaldecoder "utf-8" (errors)`, where errors is "strict" (the
--- default), "replace" (each wrong place becomes U+FFFD) or "ignore". codecs.getincrementaldecoder
---@param encoding string "utf-8" is all there is
---@return fun(errors?: "strict"|"replace"|"ignore"): strobe.IncrementalDecoder
function codecs.getincrementaldecoder(encoding)
  local name = type(encoding) == "string" and encoding:lower():gsub("[_ ]", "-")
  if name ~= "utf-8" and name ~= "utf8" then
    mistake.raise("codecs: encoding: \"utf-8\" expected, got %s", tostring(encoding))
  end
  return new_decoder
end

return codecs
