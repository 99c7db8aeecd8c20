--- Values as text, within limits, and without calling what they bring along, but for `__tostring`.

local cell = require "strobe.editor.cell"
local lexer = require "strobe.repl.lexer"
local quantity = require "strobe.quantity"
local quotation = require "strobe.repl.quotation"
local stack = require "strobe.async.stack"

---@class strobe.repl.Limits
---@field depth? integer tables within tables that are told (4)
---@field items? integer entries of each table (50)
---@field bytes? integer of each string (400)
---@field width? integer columns; wider tables are told on several lines. Without it everything is on one

local DEPTH, ITEMS, BYTES = 4, 50, 400
-- Of one answer: values, and entries of all their tables, for one of which so many bytes of a string count.
local MOST_VALUES, MOST_ENTRIES, ENTRY = 200, 5000, 64
-- Entries that are counted in a table; of these so many for each that is told are put in order.
local MOST_COUNTED, SORTED = 20000, 20
-- Of one __tostring, and of all of one value; a hook looks every so often.
local INSTRUCTIONS, ALL_INSTRUCTIONS, LOOK = 1e5, 2e6, 1000

local printer = {}

local function more_text(count)
  if count == math.huge then
    return ("… over %s more"):format(quantity.count(MOST_COUNTED))
  end
  return ("… %s more"):format(quantity.count(count))
end

local function string_text(text, state)
  local shown = quotation.cut(text, state.entries > 0 and state.bytes or 0)
  local left, quoted = #text - #shown, quotation.quoted(shown)
  state.entries = state.entries - #quoted // ENTRY
  return quoted .. (left > 0 and " " .. more_text(left) or "")
end

-- --- What objects say of themselves -------------------------------------------------------------

-- An error by which a __tostring ends soon, even if it catches it.
local function limit(thread, state)
  local left = INSTRUCTIONS
  local function stop()
    error("its __tostring runs for too long", 0)
  end
  debug.sethook(thread, function()
    left, state.instructions = left - LOOK, state.instructions - LOOK
    if left <= 0 then
      debug.sethook(thread, stop, "", 1)
      stop()
    end
  end, "", LOOK)
end

-- What the value's own __tostring says, if it ends soon and says a string.
local function own_text(value, tostring_of, state, depth)
  local thread = coroutine.create(tostring_of)
  limit(thread, state)
  local ok, text = coroutine.resume(thread, value)
  if ok and coroutine.status(thread) ~= "dead" then
    coroutine.close(thread)
    return "<its __tostring waits>"
  elseif not ok then
    return ("<its __tostring failed: %s>"):format(stack.printable(type(text) == "string" and text or type(text)))
  end
  return type(text) == "string" and quotation.plain(quotation.cut(text, state.bytes), depth == 0) or nil
end

local function address(value, name)
  return ("<%s %p>"):format(stack.printable(name or type(value)), value)
end

-- --- Tables -------------------------------------------------------------------------------------

-- A table as its layout wants it; anything else is a text.
---@class strobe.repl.Node
---@field title string what stands before the brace
---@field entries {key: string?, value: string|strobe.repl.Node}[]
---@field more? string how many entries are left out
---@field flat? string all of it on one line, once that was asked for

local RANKS = { number = 1, string = 2, boolean = 3 }

local function comes_before(a, b)
  local x, y = RANKS[type(a)] or 4, RANKS[type(b)] or 4
  if x ~= y then
    return x < y
  elseif x <= 2 then
    return a < b
  elseif x == 3 then
    return b and not a
  end
  return ("%p"):format(a) < ("%p"):format(b)
end

-- The keys behind the list part, in order, and how many there are. Of a huge table only so many are looked at.
local function keys_of(value, length, items)
  local keys, count, looked = {}, 0, 0
  for key in next, value, length > MOST_COUNTED and length or nil do
    looked = looked + 1
    if not (math.type(key) == "integer" and key >= 1 and key <= length) then
      count = count + 1
      keys[#keys + 1] = count <= items * SORTED and key or nil
    end
    if looked - length > MOST_COUNTED then
      count = math.huge
      break
    end
  end
  table.sort(keys, comes_before)
  return keys, count
end

-- Where the list part ends: at its first hole, if that is near.
local function list_length(value, items)
  for i = 1, items + 1 do
    if rawget(value, i) == nil then
      return i - 1
    end
  end
  return rawlen(value)
end

local node_of

local function key_text(key, state)
  if type(key) == "string" then
    local is_name = key:find "^[%a_][%w_]*$" and not lexer.keywords[key]
    return is_name and key or ("[%s]"):format(string_text(key, state))
  elseif type(key) == "table" or type(key) == "userdata" then
    return ("[%s]"):format(address(key))
  end
  return ("[%s]"):format(node_of(key, state, "", state.depth))
end

local function add_entries(node, value, state, path, depth)
  local length = list_length(value, state.items)
  for i = 1, math.min(length, state.items) do
    node.entries[i] = { value = node_of(rawget(value, i), state, ("%s[%d]"):format(path, i), depth + 1) }
  end
  local keys, count = keys_of(value, length, state.items)
  for _, key in ipairs(keys) do
    if #node.entries >= state.items then
      break
    end
    local name = key_text(key, state)
    local inner = name:sub(1, 1) == "[" and path .. name or path .. "." .. name
    table.insert(node.entries, { key = name, value = node_of(rawget(value, key), state, inner, depth + 1) })
  end
  local left = length + count - #node.entries
  node.more = left > 0 and more_text(left) or nil
end

local function table_node(value, state, path, depth, title)
  if state.seen[value] then
    return ("<table %s>"):format(state.seen[value] == "" and "." or state.seen[value])
  end
  state.seen[value] = path
  if next(value) == nil then
    return title .. "{}"
  elseif depth >= state.depth or state.entries <= 0 then
    return title .. "{…}"
  end
  local node = { title = title, entries = {} }
  add_entries(node, value, state, path, depth)
  return node
end

local function object_node(value, state, path, depth)
  local metatable = debug.getmetatable(value)
  local kind = type(metatable) == "table" and metatable or {}
  local tostring_of, name = rawget(kind, "__tostring"), rawget(kind, "__name")
  name = type(name) == "string" and name or nil
  if type(tostring_of) == "function" then
    local text = state.instructions > 0 and own_text(value, tostring_of, state, depth)
    if text or state.instructions <= 0 then
      return text or address(value, name)
    end
  end
  if type(value) == "table" then
    return table_node(value, state, path, depth, name and stack.printable(name) .. " " or "")
  end
  return address(value, name)
end

local function function_text(f)
  local info = debug.getinfo(f, "S")
  if info.what == "C" then
    return address(f, "C function")
  end
  return ("<function %s:%d>"):format(stack.printable(info.short_src), info.linedefined)
end

-- As Lua writes it; large whole numbers with all their digits.
local function number_text(value)
  local text = tostring(value)
  if math.type(value) == "float" and value % 1 == 0 and tonumber(text) ~= value then
    return ("%.1f"):format(value)
  end
  return text
end

function node_of(value, state, path, depth)
  state.entries = state.entries - 1
  local kind = type(value)
  if kind == "string" then
    return string_text(value, state)
  elseif kind == "table" or kind == "userdata" then
    return object_node(value, state, path, depth)
  elseif kind == "function" then
    return function_text(value)
  elseif kind == "thread" then
    return address(value)
  elseif kind == "number" then
    return number_text(value)
  end
  return tostring(value)
end

-- --- Layout -------------------------------------------------------------------------------------

local function flat(node)
  if type(node) == "string" then
    return node
  elseif node.flat then
    return node.flat
  end
  local parts = {}
  for i, entry in ipairs(node.entries) do
    parts[i] = (entry.key and entry.key .. "=" or "") .. flat(entry.value)
  end
  parts[#parts + 1] = node.more
  node.flat = ("%s{%s}"):format(node.title, table.concat(parts, ", "))
  return node.flat
end

-- Short elements of a list, many to a line.
local function fill(lines, words, indent, width)
  local line = ""
  for _, word in ipairs(words) do
    if line ~= "" and #indent + cell.width(line) + 1 + cell.width(word) > width then
      lines[#lines + 1] = indent .. line
      line = ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line ~= "" and indent .. line or nil
end

-- The node's text; `used` columns of its first line are taken.
local function lay_out(node, indent, used, width)
  local one_line = flat(node)
  if type(node) == "string" or used + cell.width(one_line) <= width then
    return one_line
  end
  local inner, lines, words = indent .. "  ", { node.title .. "{" }, {}
  for i, entry in ipairs(node.entries) do
    local comma = (i < #node.entries or node.more) and "," or ""
    local key = entry.key and entry.key .. "=" or ""
    local text = key .. lay_out(entry.value, inner, #inner + cell.width(key) + 1, width) .. comma
    if entry.key or text:find("\n", 1, true) then
      fill(lines, words, inner, width)
      words = {}
      lines[#lines + 1] = inner .. text
    else
      words[#words + 1] = text
    end
  end
  words[#words + 1] = node.more
  fill(lines, words, inner, width)
  lines[#lines + 1] = indent .. "}"
  return table.concat(lines, "\n")
end

local function new_state(limits)
  return {
    depth = limits.depth or DEPTH, items = limits.items or ITEMS, bytes = limits.bytes or BYTES,
    width = limits.width or math.huge, entries = MOST_ENTRIES, instructions = ALL_INSTRUCTIONS,
  }
end

local function text_of(value, state)
  state.seen = {}
  return lay_out(node_of(value, state, "", 0), "", 0, state.width)
end

--- A value as text: tables with their list part first, then keys in order; strings quoted. Control characters are
--- escaped. A table that was told already is `<table .a.b>`, its place.
---@param value any
---@param limits? strobe.repl.Limits
---@return string
function printer.text(value, limits)
  return text_of(value, new_state(limits or {}))
end

--- The texts of several values, together not longer than one may be; the last one tells how many are left out.
---@param values table packed
---@param limits? strobe.repl.Limits
---@return string[]
function printer.texts(values, limits)
  local texts, state = {}, new_state(limits or {})
  for i = 1, math.min(values.n, MOST_VALUES) do
    texts[i] = text_of(values[i], state)
  end
  if values.n > MOST_VALUES then
    texts[MOST_VALUES + 1] = more_text(values.n - MOST_VALUES)
  end
  return texts
end

return printer
