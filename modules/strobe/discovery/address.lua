--- Addresses of IPv4 and IPv6, as text and as the bytes of a record.
--
-- Source: RFC 4291 section 2.2, RFC 5952 section 4 (how IPv6 is written).

local address = {}

local function pack_ipv4(text)
  local a, b, c, d = text:match "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$"
  if not a then
    return nil
  end
  a, b, c, d = tonumber(a), tonumber(b), tonumber(c), tonumber(d)
  return math.max(a, b, c, d) < 256 and string.char(a, b, c, d) or nil
end

-- The 16-bit groups of one side of "::"; nil when they are none.
local function read_groups(text)
  local groups = {}
  if text == "" then
    return groups
  end
  for group in (text .. ":"):gmatch "([^:]*):" do
    if not group:find "^%x%x?%x?%x?$" then
      return nil
    end
    groups[#groups + 1] = tonumber(group, 16)
  end
  return groups
end

local function pack_groups(left, right)
  local groups = table.move(left, 1, #left, 1, {})
  for _ = #left + #right + 1, 8 do
    groups[#groups + 1] = 0
  end
  table.move(right, 1, #right, #groups + 1, groups)
  return #groups == 8 and string.pack(">I2I2I2I2I2I2I2I2", table.unpack(groups)) or nil
end

-- An IPv4 address at the end becomes two groups.
local function with_groups(text)
  local front, quad = text:match "^(.*:)(%d+%.%d+%.%d+%.%d+)$"
  local bytes = quad and pack_ipv4(quad)
  return bytes and front .. ("%x:%x"):format(string.unpack(">I2I2", bytes)) or text
end

local function pack_ipv6(text)
  text = with_groups(text)
  local left, right = text:match "^(.-)::(.*)$"
  local before, after = read_groups(left or text), read_groups(right or "")
  if not before or not after or left and #before + #after > 7 or not left and #before ~= 8 then
    return nil
  end
  return pack_groups(before, after)
end

--- The bytes of an address: 4 or 16 of them; nil when the text is none.
---@param text string
---@return string?
function address.pack(text)
  return pack_ipv4(text) or text:find(":", 1, true) and pack_ipv6(text) or nil
end

-- Where the longest run of zeros begins, and how long it is; the first of equal ones.
local function longest_zeros(groups)
  local from, most, at = 0, 1, 1
  while at <= 8 do
    local stop = at
    while groups[stop] == 0 do
      stop = stop + 1
    end
    if stop - at > most then
      from, most = at, stop - at
    end
    at = stop + 1
  end
  return from, from > 0 and most or 0
end

local function unpack_ipv6(bytes)
  local groups, texts = { string.unpack(">I2I2I2I2I2I2I2I2", bytes) }, {}
  for i = 1, 8 do
    texts[i] = ("%x"):format(groups[i])
  end
  local from, count = longest_zeros(groups)
  if count == 0 then
    return table.concat(texts, ":")
  end
  return table.concat(texts, ":", 1, from - 1) .. "::" .. table.concat(texts, ":", from + count, 8)
end

--- The text of an address.
---@param bytes string 4 or 16 of them
---@return string
function address.unpack(bytes)
  return #bytes == 4 and ("%d.%d.%d.%d"):format(bytes:byte(1, 4)) or unpack_ipv6(bytes)
end

--- Whether two addresses of IPv4 are in one network.
---@param a string
---@param b string
---@param netmask string e.g. "255.255.255.0"
---@return boolean
function address.together(a, b, netmask)
  local first, second, mask = pack_ipv4(a), pack_ipv4(b), pack_ipv4(netmask)
  if not (first and second and mask) then
    return false
  end
  mask = string.unpack(">I4", mask)
  return string.unpack(">I4", first) & mask == string.unpack(">I4", second) & mask
end

--- Whether only programs of the same machine reach it.
---@param text string
---@return boolean
function address.is_loopback(text)
  return text:find "^127%." ~= nil or text == "::1"
end

--- Whether it is an IPv6 address that says nothing without the name of an interface.
---@param text string
---@return boolean
function address.is_link_local(text)
  return text:lower():find "^fe[89ab]%x:" ~= nil
end

return address
