--- Values as text, within limits, and without calling what they bring along, but for `__tostring`.

local stack = require "strobe.async.stack"

local MOST_DEEP, MOST_ENTRIES, MOST_BYTES = 4, 50, 400
local MOST_INSTRUCTIONS = 1e5

local printer = {}

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ["\""] = "\\\"" }

local function grouped(number)
  return (tostring(number):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function string_text(text)
  local shown = text:sub(1, MOST_BYTES):gsub("[%c\\\"\x7f]", function(c)
    return escapes[c] or ("\\x%02x"):format(c:byte())
  end)
  local more = #text > MOST_BYTES and (" … %s more"):format(grouped(#text - MOST_BYTES)) or ""
  return ('"%s"%s'):format(shown, more)
end

-- What the value's own __tostring says, if it ends soon and says a string.
local function own_text(value, tostring_of)
  local thread = coroutine.create(tostring_of)
  debug.sethook(thread, function()
    error("its __tostring runs for too long", 0)
  end, "", MOST_INSTRUCTIONS)
  local ok, text = coroutine.resume(thread, value)
  if ok and coroutine.status(thread) ~= "dead" then
    coroutine.close(thread)
    return "<its __tostring waits>"
  elseif not ok then
    return ("<its __tostring failed: %s>"):format(stack.printable(type(text) == "string" and text or type(text)))
  end
  return type(text) == "string" and stack.printable(text:sub(1, MOST_BYTES)) or nil
end

local function address(value, name)
  return ("<%s %p>"):format(stack.printable(name or type(value)), value)
end

local RANKS = { number = 1, string = 2, boolean = 3 }

local function comes_before(a, b)
  local x, y = RANKS[type(a)] or 4, RANKS[type(b)] or 4
  if x ~= y then
    return x < y
  elseif x <= 2 then
    return a < b
  end
  return tostring(a) < tostring(b)
end

-- The keys behind the list part, in order. Of a huge table only so many are looked at.
local function keys_of(value, length)
  local keys, count = {}, 0
  for key in next, value do
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then
      count = count + 1
      keys[#keys + 1] = count <= MOST_ENTRIES * 20 and key or nil
    end
  end
  table.sort(keys, comes_before)
  return keys, count
end

local function list_length(value)
  local length = 0
  while rawget(value, length + 1) ~= nil do
    length = length + 1
  end
  return length
end

local text_of

local function key_text(key, state)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" then
    return key
  end
  return ("[%s]"):format(type(key) == "table" and address(key) or text_of(key, state, "", MOST_DEEP))
end

local function table_text(value, state, path, depth)
  if state.seen[value] then
    return ("<table %s>"):format(state.seen[value] == "" and "." or state.seen[value])
  end
  state.seen[value] = path
  if depth >= MOST_DEEP then
    return next(value) == nil and "{}" or "{…}"
  end
  local length, parts = list_length(value), {}
  for i = 1, math.min(length, MOST_ENTRIES) do
    parts[i] = text_of(rawget(value, i), state, ("%s[%d]"):format(path, i), depth + 1)
  end
  local keys, count = keys_of(value, length)
  for _, key in ipairs(keys) do
    if #parts >= MOST_ENTRIES then
      break
    end
    local name = key_text(key, state)
    local inner = name:sub(1, 1) == "[" and path .. name or path .. "." .. name
    parts[#parts + 1] = ("%s=%s"):format(name, text_of(rawget(value, key), state, inner, depth + 1))
  end
  local left = length + count - #parts
  parts[#parts + 1] = left > 0 and ("… %s more"):format(grouped(left)) or nil
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function object_text(value, state, path, depth)
  local metatable = debug.getmetatable(value)
  local kind = type(metatable) == "table" and metatable or {}
  local tostring_of, name = rawget(kind, "__tostring"), rawget(kind, "__name")
  local text = type(tostring_of) == "function" and own_text(value, tostring_of)
  if text then
    return text
  elseif type(value) == "table" then
    return (type(name) == "string" and stack.printable(name) .. " " or "") .. table_text(value, state, path, depth)
  end
  return address(value, type(name) == "string" and name or nil)
end

local function function_text(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then
    return address(f, "C function")
  end
  return ("<function %s:%d>"):format(stack.printable(info.short_src), info.linedefined)
end

function text_of(value, state, path, depth)
  local kind = type(value)
  if kind == "string" then
    return string_text(value)
  elseif kind == "table" or kind == "userdata" then
    return object_text(value, state, path, depth)
  elseif kind == "function" then
    return function_text(value)
  elseif kind == "thread" then
    return address(value)
  end
  return tostring(value)
end

--- A value as text: tables to a depth of 4 with 50 entries each, the list part first, then keys in order; strings to
--- 400 bytes, quoted. Control characters are escaped. A table that was told already is `<table .a.b>`, its place.
---@param value any
---@return string
function printer.text(value)
  return text_of(value, { seen = {} }, "", 0)
end

return printer
