--- What a request asks for: its target, and the parts of that. RFC 9112, section 3.2; RFC 3986

local target = {}

--- Decodes %20 and its like; nil for a % that two digits do not follow.
---@param text string
---@return string?
function target.decode(text)
  if not text:find("%", 1, true) then
    return text
  elseif text:gsub("%%%x%x", ""):find("%", 1, true) then
    return nil
  end
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- The origin form of a target, and the authority if it has one: a proxy's form is to be taken too.
local function origin_of(text, method)
  if text:sub(1, 1) == "/" then
    return text
  end
  local authority, rest = text:match "^[hH][tT][tT][pP][sS]?://([^/?#]+)(.*)$"
  if authority then
    return rest:sub(1, 1) == "/" and rest or "/" .. rest, authority
  elseif text == "*" and method == "OPTIONS" then
    return text
  end
end

--- Splits it; nil for one that no server knows.
---@param text string
---@param method string
---@return string? path decoded
---@return string? query as it came
---@return string? authority of the absolute form
function target.split(text, method)
  local origin, authority = origin_of(text, method)
  if not origin then
    return nil
  elseif not origin:find "[%%?]" then
    return origin, nil, authority
  end
  local path, query = origin:match "^([^?]*)%??(.*)$"
  return target.decode(path), query ~= "" and query or nil, authority
end

local function decode_form(text)
  text = text:gsub("+", " ")
  return target.decode(text) or text
end

--- The pairs of a query or of a form: `a=1&b=2`. A name that comes several times has its last value, and all of
--- them in the second table.
---@param text string
---@return table<string, string>
---@return table<string, string[]>
function target.pairs(text)
  local last, all = {}, {}
  for part in text:gmatch "[^&]+" do
    local name, value = part:match "^([^=]*)=?(.*)$"
    name, value = decode_form(name), decode_form(value)
    last[name] = value
    all[name] = all[name] or {}
    table.insert(all[name], value)
  end
  return last, all
end

return target
