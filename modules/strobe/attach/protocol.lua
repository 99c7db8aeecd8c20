--- The protocol of the attach socket: JSON objects, one a line, UTF-8, of at most 1 MiB. Bytes in, messages out, and
--- back.
--
--   > {"id":1,"op":"ping"}           a request: `id` is the client's
--   < {"id":1,"ok":true}             its answer; answers may come out of order
--   < {"ev":"hello","protocol":1}    an event
--
-- Nothing is read here and nothing written: that is for the server and the client.

local json = require "strobe.json"
local quotation = require "strobe.repl.quotation"

local protocol = {}

--- The number of this protocol, which hello tells.
protocol.VERSION = 1

--- Bytes of the longest line, its newline not counted.
protocol.MOST = 1024 * 1024

-- Bytes of the longest id that is a string; whole numbers stay exact up to the other.
local MOST_ID, MOST_NUMBER = 256, 1e14

-- In this order they are written, so that people find them; all others follow by name.
local ORDER = {
  "id", "ev", "ok", "protocol", "strobe", "pid", "ceiling", "units", "rights", "console", "sub", "seq", "code", "error",
  "remedy", "report", "task", "frames", "chain", "values", "ms", "text", "n",
}
local rank = {}
for i, key in ipairs(ORDER) do
  rank[key] = i
end

-- --- Encoding ----------------------------------------------------------------------------------

local function keys_of(message)
  local keys = {}
  for key in pairs(message) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b)
    local x, y = rank[a] or math.huge, rank[b] or math.huge
    return x == y and a < b or x < y
  end)
  return keys
end

-- A list is one also when it is empty. Not strobe.json's way: as long as its arrays live, all JSON of the process takes
-- the slow road.
local List = { __name = "list" }

-- Tables within tables in which lists are looked for.
local MOST_DEEP = 20

--- Marks a list as one, which is for those that may be empty.
---@param list? table
---@return table list
function protocol.list(list)
  return setmetatable(list or {}, List)
end

local function holds_list(value, depth)
  if getmetatable(value) == List then
    return true
  end
  for _, inner in next, depth < MOST_DEEP and value or {} do
    if type(inner) == "table" and holds_list(inner, depth + 1) then
      return true
    end
  end
  return false
end

local function encode_plain(value)
  local text, problem = json.encode(value)
  return text or error({ problem = problem }, 0)
end

local encode_value

local function encode_list(list, rest)
  local parts = {}
  for i, value in ipairs(list) do
    rest()
    parts[i] = encode_value(value, rest)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object, rest)
  local parts = {}
  for i, key in ipairs(keys_of(object)) do
    parts[i] = ("%s:%s"):format(encode_plain(key), encode_value(object[key], rest))
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode_value(value, rest)
  if type(value) ~= "table" or not holds_list(value, 0) then
    return encode_plain(value)
  elseif getmetatable(value) == List or #value > 0 then
    return encode_list(value, rest)
  end
  return encode_object(value, rest)
end

local function no_rest() end

--- A message as a line. Bytes in its strings that are no UTF-8 become `\xNN`.
---@param message table with strings as keys; lists that may be empty are protocol.list
---@param rest? fun() is called between the elements of long lists
---@return string? line with its newline
---@return string? problem what cannot be sent: it is longer than a line may be, or no plain data
function protocol.encode(message, rest)
  local ok, line = pcall(encode_object, message, rest or no_rest)
  if not ok then
    return nil, type(line) == "table" and line.problem or error(line, 0)
  elseif not utf8.len(line) then
    line = quotation.valid(line, "\\\\x%02x")
  end
  if #line > protocol.MOST then
    return nil, ("it has %d bytes, and a line at most %d"):format(#line, protocol.MOST)
  end
  return line .. "\n"
end

-- --- Decoding ----------------------------------------------------------------------------------

---@class strobe.attach.Decoder
---@field problem? string why nothing is taken any more
---@field private parts string[] of the line that has begun
---@field private size integer bytes of it
local Decoder = {}
Decoder.__index = Decoder

--- Makes a decoder, which turns bytes into messages.
---@return strobe.attach.Decoder
function protocol.Decoder()
  return setmetatable({ parts = {}, size = 0 }, Decoder)
end

local function message_of(line)
  if not utf8.len(line) then
    return nil, "a line is no UTF-8"
  elseif not line:find "^[ \t\r]*{" then
    return nil, "a line is no JSON object"
  end
  local message, problem = json.decode(line)
  if not message then
    return nil, problem
  end
  for key, value in pairs(message) do
    if value == json.null then
      message[key] = nil
    end
  end
  return message
end

local function hold(decoder, bytes)
  table.insert(decoder.parts, bytes)
  decoder.size = decoder.size + #bytes
  if decoder.size > protocol.MOST then
    decoder.parts, decoder.size = {}, 0
    decoder.problem = ("a line has more than %d bytes"):format(protocol.MOST)
  end
  return decoder.problem == nil
end

local function take_line(decoder)
  local line = table.concat(decoder.parts)
  decoder.parts, decoder.size = {}, 0
  return line
end

--- Takes bytes, and returns the messages that are complete with them. After a line that is none nothing more is taken.
---@param bytes string
---@return table[] messages
---@return string? problem what was wrong with the line behind these
function Decoder:feed(bytes)
  local messages, from = {}, 1
  while not self.problem do
    local newline = bytes:find("\n", from, true)
    if not hold(self, bytes:sub(from, newline and newline - 1)) or not newline then
      break
    end
    local line = take_line(self)
    if line:find "[^ \t\r]" then
      messages[#messages + 1], self.problem = message_of(line)
    end
    from = newline + 1
  end
  return messages, self.problem
end

-- --- Requests ----------------------------------------------------------------------------------

local function id_of(id)
  if type(id) == "string" and #id <= MOST_ID then
    return id
  elseif type(id) == "number" and math.abs(id) <= MOST_NUMBER then
    return math.tointeger(id)
  end
end

--- The id and the op of a request.
---@param message table
---@return integer|string|nil id nil when there is none to answer with
---@return string? op
---@return string? problem
function protocol.request(message)
  local id = id_of(message.id)
  if not id then
    return nil, nil, "id: a whole number or a string of at most 256 bytes expected"
  elseif type(message.op) ~= "string" then
    return id, nil, "op: a string expected"
  end
  return id, message.op
end

-- --- Answers -----------------------------------------------------------------------------------

--- An answer as results.
---@param answer table
---@return table? answer when it was done
---@return string? message why it was not
---@return string? code
---@return table? refused the whole answer when it was not
function protocol.results(answer)
  if answer.ok then
    return answer
  end
  return nil, answer.error or answer.code, answer.code, answer
end

return protocol
