--- Ranges of bytes: RFC 9110, section 14. Pure.

local range = {}

-- Ranges that a request may ask for; with more it gets the whole.
local MOST = 16

---@class strobe.http.Range
---@field first integer the first byte, counted from 0
---@field last integer

-- A number of any length; one that no file can have is math.maxinteger.
local function integer_of(digits)
  return math.tointeger(tonumber(digits)) or math.maxinteger
end

-- The bounds of "first-last", "first-" or "-suffix", perhaps beyond the end; false when it is none.
local function bounds_of(text, size)
  local first, last = text:match "^(%d*)%-(%d*)$"
  if not first or first == "" and last == "" then
    return false
  elseif first == "" then
    local suffix = integer_of(last)
    return suffix > 0 and math.max(0, size - suffix) or size, size - 1
  end
  first, last = integer_of(first), last == "" and math.maxinteger or integer_of(last)
  if last < first then
    return false
  end
  return first, math.min(last, size - 1)
end

-- The list of ranges that exist, and how many were asked for; nil when it is malformed.
local function parse(text, size)
  local list, asked = {}, 0
  for element in text:gmatch "[^,]+" do
    element = element:match "^[ \t]*(.-)[ \t]*$"
    if element ~= "" then
      local first, last = bounds_of(element, size)
      asked = asked + 1
      if not first or asked > MOST then
        return nil
      elseif first < size then
        list[#list + 1] = { first = first, last = last }
      end
    end
  end
  return list, asked
end

local function by_first(a, b)
  return a.first < b.first
end

-- Ranges that overlap or touch become one. They keep the order they were asked for
-- when there are none.
local function merge(list)
  local sorted = table.move(list, 1, #list, 1, {})
  table.sort(sorted, by_first)
  local merged = {}
  for _, piece in ipairs(sorted) do
    local previous = merged[#merged]
    if previous and piece.first <= previous.last + 1 then
      previous.last = math.max(previous.last, piece.last)
    else
      merged[#merged + 1] = { first = piece.first, last = piece.last }
    end
  end
  return #merged == #list and list or merged
end

--- What a Range header asks for: a list that is not empty; nil for the whole, as when it
--- is malformed, of another unit, or of too many ranges; false when no range exists.
---@param text string
---@param size integer bytes there are
---@return strobe.http.Range[]|false|nil
function range.select(text, size)
  local set = text:match "^[Bb][Yy][Tt][Ee][Ss]=(.*)$"
  if not set then
    return nil
  end
  local list, asked = parse(set, size)
  if not list or asked == 0 then
    return nil
  elseif #list > 0 then
    return merge(list)
  elseif size == 0 and not set:find "%d%-" and set:find "%-0*[1-9]" then
    return nil -- the last bytes of nothing are there, and cannot be said
  end
  return false
end

--- The value of Content-Range.
---@param piece strobe.http.Range? nil: no range exists
---@param size integer
---@return string
function range.text(piece, size)
  if not piece then
    return ("bytes */%d"):format(size)
  end
  return ("bytes %d-%d/%d"):format(piece.first, piece.last, size)
end

return range
