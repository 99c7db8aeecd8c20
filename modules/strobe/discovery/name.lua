--- Domain names: as text, and as the labels they are made of.
--
-- In a text a dot inside a label is \. and a backslash \\; control characters are \027. A name has no dot at its
-- end; the root is ".". Names are the same whatever the case of their ASCII letters: compare keys.
--
-- Source: RFC 1035 section 5.1, RFC 6762 section 16, RFC 6763 section 4.3.

local name = {}

local MOST_LABEL, MOST_NAME = 63, 255 -- bytes; the latter with the bytes for the lengths

local function escaped(character)
  return (character == "." or character == "\\") and "\\" .. character or ("\\%03d"):format(character:byte())
end

--- The text of a name.
---@param labels string[]
---@return string
function name.join(labels)
  local texts = {}
  for i, label in ipairs(labels) do
    texts[i] = label:gsub("[%.\\%c]", escaped)
  end
  return #texts == 0 and "." or table.concat(texts, ".")
end

-- The byte behind a backslash, and where the text goes on.
local function unescape(text, at)
  local digits = text:match("^%d%d%d", at)
  if digits then
    local byte = tonumber(digits)
    return byte < 256 and string.char(byte) or nil, at + 3
  end
  return at <= #text and text:sub(at, at) or nil, at + 1
end

-- The label that begins at `at`, and where its dot or the end of the text is.
local function read_label(text, at)
  local parts = {}
  while true do
    local plain, stop = text:match("^([^%.\\]*)()", at)
    parts[#parts + 1] = plain
    if text:byte(stop) ~= 0x5C then
      return table.concat(parts), stop
    end
    local character
    character, at = unescape(text, stop + 1)
    if not character then
      return nil, stop
    end
    parts[#parts + 1] = character
  end
end

--- The labels of a name.
---@param text string
---@return string[]? labels nil when it is no name
---@return string? message why
function name.split(text)
  local labels, at, size = {}, 1, 1
  while text ~= "." and at <= #text + 1 do
    local label, stop = read_label(text, at)
    if not label then
      return nil, ("'%s': a backslash with nothing to escape"):format(text)
    elseif label == "" or #label > MOST_LABEL then
      return nil, ("'%s': a label has 1 to %d bytes"):format(text, MOST_LABEL)
    end
    labels[#labels + 1] = label
    size, at = size + 1 + #label, stop + 1
  end
  if size > MOST_NAME then
    return nil, ("'%s': a name has at most %d bytes"):format(text, MOST_NAME)
  end
  return labels
end

--- What the name of a service's instance begins with, without escapes.
---@param text string
---@return string
function name.first(text)
  return (read_label(text, 1)) or ""
end

--- The name of a service's instance: "iopin" of "_strobe._tcp" is iopin._strobe._tcp.local.
---@param instance string
---@param kind string e.g. "_strobe._tcp.local"
---@return string
function name.within(instance, kind)
  return name.join { instance } .. "." .. kind
end

--- Equal for equal names.
---@param text string
---@return string
function name.key(text)
  return (text:gsub("%u+", string.lower))
end

return name
