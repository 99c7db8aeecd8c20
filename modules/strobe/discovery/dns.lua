--- The DNS messages of multicast DNS: bytes in, tables out, and back. No I/O.
--
-- A message is { id, response, opcode, authoritative, truncated, rcode, questions, answers, authorities,
-- additionals }, a question { name, type, unicast }, a record { name, type, flush, ttl } and, by its type:
--
--   PTR   target               SRV   priority, weight, port, target
--   A     address              TXT   strings
--   AAAA  address              any other type is its number, with the bytes in `rdata`
--
-- `unicast` and `flush` are the top bit of the class (RFC 6762 section 18.12 and .13); a class other than IN and
-- ANY is kept in `class`. Records of other classes are nobody's business here.
--
-- A pointer of a compressed name leads towards the beginning of the message, so that no name goes round in
-- circles, and there are at most MOST_JUMPS of them in a name.
--
-- Source: RFC 1035 section 4, RFC 2782 (SRV), RFC 3596 (AAAA), RFC 6762 section 18.

local address = require "strobe.discovery.address"
local names = require "strobe.discovery.name"

local dns = {}

---@class strobe.dns.Question
---@field name string
---@field type string|integer "PTR", …, "ANY"
---@field class? integer when it is neither IN nor ANY
---@field unicast? boolean an answer to the asker alone will do

---@class strobe.dns.Record
---@field name string
---@field type string|integer
---@field class? integer
---@field flush? boolean it replaces what is known under its name and type
---@field ttl integer seconds
---@field target? string
---@field priority? integer
---@field weight? integer
---@field port? integer
---@field address? string
---@field strings? string[]
---@field rdata? string

---@class strobe.dns.Message
---@field id? integer
---@field response? boolean
---@field opcode? integer
---@field authoritative? boolean
---@field truncated? boolean
---@field rcode? integer
---@field questions? strobe.dns.Question[]
---@field answers? strobe.dns.Record[]
---@field authorities? strobe.dns.Record[]
---@field additionals? strobe.dns.Record[]

--- The largest message, in bytes. RFC 6762 section 17
dns.MOST = 9000

local HEADER, IN, ANY, TOP = 12, 1, 255, 0x8000
local MOST_JUMPS, MOST_NAME = 64, 255
local MOST_OFFSET = 0x3FFF -- what a pointer reaches

local numbers = { A = 1, PTR = 12, TXT = 16, AAAA = 28, SRV = 33, ANY = ANY }
local types = {}
for text, number in pairs(numbers) do
  types[number] = text
end

--- The number of a type.
---@param kind string|integer
---@return integer
function dns.type_number(kind)
  return numbers[kind] or kind --[[@as integer]]
end

-- --- Reading ---------------------------------------------------------------------------------

-- What is wrong with the bytes is raised as a text inside this file, and caught in `decode`.
local function refuse(format, ...)
  error(format:format(...), 0)
end

local function need(bytes, at, count, what)
  if at + count - 1 > #bytes then
    refuse("the message ends inside %s", what)
  end
end

-- Where a pointer leads.
local function follow(bytes, at, first, limit)
  need(bytes, at, 2, "a name")
  local offset = (first & 0x3F) << 8 | bytes:byte(at + 1)
  if offset + 1 >= limit then
    refuse("a name's pointer at byte %d does not lead back", at - 1)
  end
  return offset + 1
end

-- The name at `at`, and where what follows begins.
local function read_name(bytes, at)
  local labels, size, behind, jumps, limit = {}, 1, nil, 0, at
  while true do
    need(bytes, at, 1, "a name")
    local first = bytes:byte(at)
    if first >= 0xC0 then
      behind = behind or at + 2
      at, jumps = follow(bytes, at, first, limit), jumps + 1
      limit = at
      if jumps > MOST_JUMPS then
        refuse("a name with more than %d pointers", MOST_JUMPS)
      end
    elseif first >= 0x40 then
      refuse("a label of an unknown kind at byte %d", at - 1)
    elseif first == 0 then
      return names.join(labels), behind or at + 1
    else
      need(bytes, at, 1 + first, "a label")
      labels[#labels + 1] = bytes:sub(at + 1, at + first)
      at, size = at + 1 + first, size + 1 + first
      if size > MOST_NAME then
        refuse("a name with more than %d bytes", MOST_NAME)
      end
    end
  end
end

local function read_strings(bytes, at, stop)
  local strings = {}
  while at < stop do
    local size = bytes:byte(at)
    if at + size >= stop then
      refuse("a text is longer than its record")
    end
    if size > 0 then
      strings[#strings + 1] = bytes:sub(at + 1, at + size)
    end
    at = at + 1 + size
  end
  return strings
end

local function name_until(bytes, at, stop)
  local text, behind = read_name(bytes, at)
  if behind ~= stop then
    refuse("a name does not end with its record")
  end
  return text
end

local function address_of(size)
  return function(record, bytes, at, stop)
    if stop - at ~= size then
      refuse("an address of %d bytes", stop - at)
    end
    record.address = address.unpack(bytes:sub(at, stop - 1))
  end
end

local readers = {
  A = address_of(4),
  AAAA = address_of(16),
  PTR = function(record, bytes, at, stop)
    record.target = name_until(bytes, at, stop)
  end,
  SRV = function(record, bytes, at, stop)
    if stop - at < 7 then
      refuse("a SRV record of %d bytes", stop - at)
    end
    record.priority, record.weight, record.port = string.unpack(">I2I2I2", bytes, at)
    record.target = name_until(bytes, at + 6, stop)
  end,
  TXT = function(record, bytes, at, stop)
    record.strings = read_strings(bytes, at, stop)
  end,
}

-- The top bit of a class, and what is unusual about the rest.
local function read_class(class)
  local rest = class & ~TOP
  return class & TOP ~= 0 or nil, rest ~= IN and rest ~= ANY and rest or nil
end

local function read_question(bytes, at)
  local question = {}
  question.name, at = read_name(bytes, at)
  need(bytes, at, 4, "a question")
  local kind, class
  kind, class, at = string.unpack(">I2I2", bytes, at)
  question.type = types[kind] or kind
  question.unicast, question.class = read_class(class)
  return question, at
end

local function read_record(bytes, at)
  local record = {}
  record.name, at = read_name(bytes, at)
  need(bytes, at, 10, "a record")
  local kind, class, size
  kind, class, record.ttl, size, at = string.unpack(">I2I2I4I2", bytes, at)
  need(bytes, at, size, "a record's data")
  record.type = kind ~= ANY and types[kind] or kind
  record.flush, record.class = read_class(class)
  local reader = readers[record.type]
  if reader then
    reader(record, bytes, at, at + size)
  else
    record.rdata = bytes:sub(at, at + size - 1)
  end
  return record, at + size
end

local function read_list(read, bytes, at, count)
  local list = {}
  for i = 1, count do
    list[i], at = read(bytes, at)
  end
  return list, at
end

local function read_message(bytes)
  local id, flags, questions, answers, authorities, additionals, at = string.unpack(">I2I2I2I2I2I2", bytes)
  local message = {
    id = id,
    response = flags & 0x8000 ~= 0,
    opcode = flags >> 11 & 15,
    authoritative = flags & 0x0400 ~= 0,
    truncated = flags & 0x0200 ~= 0,
    rcode = flags & 15,
  }
  message.questions, at = read_list(read_question, bytes, at, questions)
  message.answers, at = read_list(read_record, bytes, at, answers)
  message.authorities, at = read_list(read_record, bytes, at, authorities)
  message.additionals = read_list(read_record, bytes, at, additionals)
  return message
end

--- The message that the bytes are. Bytes behind its end are not looked at.
---@param bytes string
---@return strobe.dns.Message?
---@return string? message what is wrong with the bytes
function dns.decode(bytes)
  if #bytes < HEADER then
    return nil, ("a message of %d bytes"):format(#bytes)
  elseif #bytes > dns.MOST then
    return nil, ("a message of more than %d bytes"):format(dns.MOST)
  end
  local ok, message = pcall(read_message, bytes)
  if not ok then
    return nil, message
  end
  return message
end

-- --- Writing ---------------------------------------------------------------------------------

-- A writer has the `parts` of the message, its `size`, and the offsets of the `names` that may be pointed at.
local function put(writer, bytes)
  writer.parts[#writer.parts + 1] = bytes
  writer.size = writer.size + #bytes
end

local function labels_of(text)
  local labels, message = names.split(text)
  return labels or error("dns.encode: name: " .. message, 0)
end

local function put_name(writer, text, whole)
  local labels = labels_of(text)
  for i = 1, #labels do
    local key = names.key(names.join { table.unpack(labels, i) })
    local offset = writer.names[key]
    if offset and not whole then
      return put(writer, string.pack(">I2", 0xC000 | offset))
    elseif writer.size <= MOST_OFFSET then
      writer.names[key] = offset or writer.size
    end
    put(writer, string.pack("s1", labels[i]))
  end
  put(writer, "\0")
end

local function put_address(writer, record)
  put(writer, address.pack(record.address))
end

local writers = {
  A = put_address,
  AAAA = put_address,
  PTR = function(writer, record)
    put_name(writer, record.target)
  end,
  -- Who speaks no multicast DNS may not know compressed names in SRV. RFC 6762 section 18.14
  SRV = function(writer, record)
    put(writer, string.pack(">I2I2I2", record.priority or 0, record.weight or 0, record.port))
    put_name(writer, record.target, writer.legacy)
  end,
  TXT = function(writer, record)
    for _, text in ipairs(record.strings) do
      put(writer, string.pack("s1", text))
    end
    if #record.strings == 0 then
      put(writer, "\0")
    end
  end,
}

local function put_rdata(writer, record)
  local write = writers[record.type]
  if write then
    write(writer, record)
  else
    put(writer, record.rdata)
  end
end

local function put_question(writer, question)
  put_name(writer, question.name)
  put(writer, string.pack(">I2I2", dns.type_number(question.type),
    (question.class or IN) | (question.unicast and TOP or 0)))
end

local function put_record(writer, record)
  put_name(writer, record.name)
  put(writer, string.pack(">I2I2I4", dns.type_number(record.type),
    (record.class or IN) | (record.flush and TOP or 0), record.ttl))
  put(writer, "??") -- the size, which is not known yet
  local slot, begin = #writer.parts, writer.size
  put_rdata(writer, record)
  writer.parts[slot] = string.pack(">I2", writer.size - begin)
end

local function flags_of(message)
  return (message.response and 0x8000 or 0) | (message.opcode or 0) << 11 | (message.authoritative and 0x0400 or 0)
    | (message.truncated and 0x0200 or 0) | (message.rcode or 0)
end

local SECTIONS = { "answers", "authorities", "additionals" }

local function put_header(writer, message)
  local counts = { #(message.questions or {}) }
  for i, section in ipairs(SECTIONS) do
    counts[i + 1] = #(message[section] or {})
  end
  put(writer, string.pack(">I2I2I2I2I2I2", message.id or 0, flags_of(message), table.unpack(counts)))
end

--- The bytes of a message. Raises for what is no name, address or text of a record.
---@param message strobe.dns.Message
---@param legacy? boolean for one who speaks no multicast DNS
---@return string
function dns.encode(message, legacy)
  local writer = { parts = {}, size = 0, names = {}, legacy = legacy }
  put_header(writer, message)
  for _, question in ipairs(message.questions or {}) do
    put_question(writer, question)
  end
  for _, section in ipairs(SECTIONS) do
    for _, record in ipairs(message[section] or {}) do
      put_record(writer, record)
    end
  end
  return table.concat(writer.parts)
end

--- A record's data, without compression: equal for equal records, and what two who want the same name
--- are told apart by. RFC 6762 section 8.2
---@param record strobe.dns.Record
---@return string
function dns.rdata(record)
  local writer = { parts = {}, size = MOST_OFFSET + 1, names = {} } -- too far away to be pointed at
  put_rdata(writer, record)
  return table.concat(writer.parts)
end

--- A record's data as a text that is equal for equal data, whatever the case of names.
---@param record strobe.dns.Record
---@return string
function dns.identity(record)
  if record.target then
    return ("%s %d %d %d"):format(names.key(record.target), record.port or 0, record.priority or 0, record.weight or 0)
  end
  return record.address or dns.rdata(record)
end

--- Whether two records are the same but for their time to live.
---@param a strobe.dns.Record
---@param b strobe.dns.Record
---@return boolean
function dns.same(a, b)
  return a.type == b.type and names.key(a.name) == names.key(b.name) and dns.identity(a) == dns.identity(b)
end

return dns
