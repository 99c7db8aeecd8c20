--- The Debug Adapter Protocol's way to send messages: a header that tells their length, and JSON.
--
--   Content-Length: 27\r\n\r\n{"seq":1,"type":"request"}…
--
-- Bytes in, messages out, and back; nothing is read here and nothing written. DAP, "Base protocol".

local attach = require "strobe.attach.protocol"
local json = require "strobe.json"

local protocol = {}

--- Bytes of the longest header, and of the longest message.
protocol.MOST_HEADER, protocol.MOST = 4096, 4 * 1024 * 1024

--- Marks a list, so that it is one even when empty.
protocol.list = attach.list

--- A message as JSON; its number comes first.
---@param message table lists that may be empty are protocol.list
---@return string? text
---@return string? problem it is too long, or no plain data
function protocol.encode(message)
  local line, problem = attach.encode(message)
  if not line then
    return nil, problem
  end
  return line:sub(1, -2)
end

--- JSON with its header.
---@param text string
---@return string
function protocol.frame(text)
  return ("Content-Length: %d\r\n\r\n%s"):format(#text, text)
end

--- The message of a JSON text, without what is null in it.
---@param text string
---@return table? message
---@return string? problem
function protocol.decode(text)
  local message, problem = json.decode(text)
  if type(message) ~= "table" then
    return nil, problem or "a message is no JSON object"
  end
  return json.without_nulls(message)
end

---@class strobe.debug.Decoder
---@field problem? string why nothing is taken any more
---@field private parts string[] of what is not complete
---@field private wanted integer bytes with which it may be
local Decoder = {}
Decoder.__index = Decoder

--- Makes a decoder, which turns bytes into messages.
---@return strobe.debug.Decoder
function protocol.Decoder()
  return setmetatable({ parts = {}, size = 0, wanted = 1 }, Decoder)
end

-- Whether each line is a field. A browser's request is none, though its Content-Length may tell of a message behind it.
local function is_header(head)
  for line in (head .. "\r\n"):gmatch "(.-)\r\n" do
    if not line:find "^[%w-]+:" then
      return false
    end
  end
  return true
end

-- Where the message begins whose header is at the start of the text, and its length.
local function read_header(text)
  local head, body = text:match "^(.-)\r\n\r\n()"
  if not head then
    return nil, #text > protocol.MOST_HEADER and "a header has no end" or nil
  elseif not is_header(head) then
    return nil, "a line of a header is no field"
  end
  local length = math.tointeger(tonumber((("\n" .. head):lower():match "\ncontent%-length:[ \t]*(%d+)%s*%f[\r\0]")))
  if not length then
    return nil, "a header tells no Content-Length"
  elseif length > protocol.MOST then
    return nil, ("a message has %d bytes, more than %d"):format(length, protocol.MOST)
  end
  return body, length
end

--- Takes bytes, and returns the JSON texts that are complete with them. After what is no message nothing more is taken.
---@param bytes string
---@return string[] texts
---@return string? problem
function Decoder:feed(bytes)
  local texts = {}
  self.parts[#self.parts + 1], self.size = bytes, self.size + #bytes
  while not self.problem and self.size >= self.wanted do
    local text = table.concat(self.parts)
    local body, length = read_header(text)
    if not body then
      self.problem, self.wanted = length, #text + 1
    elseif #text < body - 1 + length then
      self.wanted = body - 1 + length
    else
      texts[#texts + 1] = text:sub(body, body - 1 + length)
      text, self.wanted = text:sub(body + length), 1
    end
    self.parts, self.size = { text }, #text
  end
  return texts, self.problem
end

return protocol
