--- Where the characters of a text begin, as a user counts them: a letter with its accents is one, so is an emoji joined
-- of several, and a flag.
--
-- After Unicode's UAX #29, without what only some scripts of India need. A byte that is no UTF-8 stands alone. At most
-- MOST code points make one, so that looking at one is cheap, whatever a text is full of.

local width = require "strobe.editor.width"

local JOINER = 0x200D
local FIRST_JOINING = 0xCC -- the lead byte of U+0300: below it, nothing joins what is before
local MOST = 32
local FARTHEST = 256 -- code points to look back for a sure begin

local grapheme = {}

--- The code point that begins at a place, and where the next begins; nil for a byte that is no UTF-8.
---@param text string
---@param at integer
---@return integer? codepoint
---@return integer next
function grapheme.codepoint(text, at)
  local lead = text:byte(at)
  if lead < 0x80 then
    return lead, at + 1
  elseif lead < 0xC2 or not utf8.len(text, at, at) then
    return nil, at + 1
  end
  return utf8.codepoint(text, at), at + (lead < 0xE0 and 2 or lead < 0xF0 and 3 or 4)
end

local codepoint_at = grapheme.codepoint

--- A place between code points: the one given, or if that is within one, its end.
---@param text string
---@param at integer
---@return integer
function grapheme.boundary(text, at)
  for first = at - 1, math.max(at - 3, 1), -1 do
    local codepoint, next = codepoint_at(text, first)
    if codepoint then
      return math.max(next, at)
    end
  end
  return at
end

local function is_flag(codepoint)
  return codepoint >= 0x1F1E6 and codepoint <= 0x1F1FF
end

local function is_pictogram(codepoint)
  return codepoint >= 0x1F000 and codepoint <= 0x1FAFF and not is_flag(codepoint)
    or codepoint >= 0x2190 and codepoint <= 0x2BFF or codepoint == 0xA9 or codepoint == 0xAE
end

local function is_skin_tone(codepoint)
  return codepoint >= 0x1F3FB and codepoint <= 0x1F3FF
end

local function extends(codepoint)
  local columns = width.of(codepoint)
  return columns == 0 or columns == 1 and width.is_spacing_mark(codepoint)
end

-- Whether a code point goes on with what began with `base` and has `before` last.
local function joins(base, before, codepoint, count)
  return extends(codepoint)
    or is_pictogram(base) and (is_skin_tone(codepoint) or before == JOINER and is_pictogram(codepoint))
    or count == 1 and is_flag(base) and is_flag(codepoint)
end

--- Where the character after the one at a place begins.
---@param text string
---@param at integer 1 to #text
---@return integer next at most #text + 1
function grapheme.next(text, at)
  local base, next = codepoint_at(text, at)
  if not base or base < 32 or base == 127 then
    return next
  end
  local before, count = base, 1
  while count < MOST and (text:byte(next) or 0) >= FIRST_JOINING do
    local codepoint, after = codepoint_at(text, next)
    if not codepoint or not joins(base, before, codepoint, count) then
      break
    end
    before, next, count = codepoint, after, count + 1
  end
  return next
end

-- Where the code point before a place begins.
local function step_back(text, at)
  for first = at - 1, math.max(at - 4, 1), -1 do
    local byte = text:byte(first)
    if byte < 0x80 or byte >= 0xC0 then
      local _, next = codepoint_at(text, first)
      return next == at and first or at - 1
    end
  end
  return at - 1
end

-- Whether a character begins here whatever is before it.
local function begins(text, at)
  local codepoint = codepoint_at(text, at)
  return not codepoint
    or not (extends(codepoint) or is_flag(codepoint) or is_pictogram(codepoint))
end

--- Where the character before a place begins.
---@param text string
---@param at integer 2 to #text + 1
---@return integer
function grapheme.previous(text, at)
  local first, count = step_back(text, at), 1
  while first > 1 and count < FARTHEST and not begins(text, first) do
    first, count = step_back(text, first), count + 1
  end
  local next = grapheme.next(text, first)
  while next < at do
    first, next = next, grapheme.next(text, next)
  end
  return first
end

--- Where the character begins that a place is in.
---@param text string
---@param at integer 1 to #text + 1
---@return integer
function grapheme.start(text, at)
  if at == 1 or at > #text then
    return at
  end
  local before = grapheme.previous(text, at)
  return grapheme.next(text, before) > at and before or at
end

return grapheme
