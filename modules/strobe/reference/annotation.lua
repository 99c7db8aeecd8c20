--- One annotation, as it stands above a definition: text and LuaCATS tags become a table.
--
-- The text ends with the first tag; lines without a tag behind one belong to it. The last word of the text may be where
-- the name comes from: "asyncio.gather", "RFC 6455".

local annotation = {}

---@class strobe.reference.Parameter
---@field name string
---@field optional boolean
---@field type string
---@field text string

---@class strobe.reference.Class
---@field name string with all its modules: "strobe.http.Session"
---@field parents string[]
---@field text string
---@field fields strobe.reference.Parameter[]

---@class strobe.reference.Annotation
---@field text string paragraphs are separated by empty lines
---@field origin? string "asyncio.gather"
---@field parameters strobe.reference.Parameter[]
---@field returns {type: string, text: string}[]
---@field async? boolean it may wait
---@field nodiscard? boolean who calls it and drops the result makes a mistake
---@field generic? string of ---@generic, "T: table"
---@field hidden? boolean not for users
---@field type? string of ---@type
---@field classes strobe.reference.Class[]
---@field aliases {name: string, type: string, text: string}[]

local closing = { ["("] = ")", ["{"] = "}", ["["] = "]", ["<"] = ">" }

-- The place behind a string in quotes or a bracket with all that is in it.
local function skip(text, at)
  local first = text:sub(at, at)
  if first == '"' then
    return (text:find('"', at + 1, true) or #text) + 1
  end
  local last = closing[first]
  at = at + 1
  while at <= #text and text:sub(at, at) ~= last do
    at = text:find('^["({%[<]', at) and skip(text, at) or at + 1
  end
  return at + 1
end

--- Splits "table<string, integer> by name" into the type and what is behind it.
---@param text string
---@return string type
---@return string rest
function annotation.split_type(text)
  local at = 1
  while at <= #text do
    if text:find('^["({%[<]', at) then
      at = skip(text, at)
    elseif text:find("^%s", at) then
      local goes_on = text:find("^%s*|", at) or text:sub(1, at - 1):find "[|,:]$" or text:sub(1, at - 1) == "async"
      if not goes_on then
        break
      end
      at = text:find("[^%s|]", at) or #text + 1
    else
      at = at + 1
    end
  end
  return text:sub(1, at - 1), (text:sub(at):gsub("^%s*#?%s*", ""))
end

local function parameter(rest)
  local name, optional, more = rest:match "^([%w_.]+)(%??)%s*(.*)$"
  if not name then
    name, optional, more = rest:match "^%[(.-)%](%??)%s*(.*)$"
  end
  local kind, text = annotation.split_type(more or "")
  return { name = name or "?", optional = optional == "?", type = kind, text = text }
end

local take = {}

function take.param(block, rest)
  table.insert(block.parameters, parameter(rest))
  return block.parameters[#block.parameters]
end

take["return"] = function(block, rest)
  local kind, text = annotation.split_type(rest)
  table.insert(block.returns, { type = kind, text = text })
  return block.returns[#block.returns]
end

function take.async(block)
  block.async = true
end

function take.nodiscard(block)
  block.nodiscard = true
end

function take.generic(block, rest)
  block.generic = rest
end

local function hide(block)
  block.hidden = true
end

take.private, take.package, take.protected = hide, hide, hide

function take.type(block, rest)
  local kind, text = annotation.split_type(rest)
  block.type = kind
  block.text = text ~= "" and block.text == "" and text or block.text
end

function take.class(block, rest)
  local name, more = rest:match "^([%w_.]+)%s*(.*)$"
  local class = { name = name, parents = {}, fields = {}, text = more }
  if more:find "^:" then
    local parents
    parents, class.text = annotation.split_type((more:gsub("^:%s*", "")))
    for parent in parents:gmatch "[%w_.]+" do
      table.insert(class.parents, parent)
    end
  end
  table.insert(block.classes, class)
  return class
end

function take.field(block, rest)
  local class = block.classes[#block.classes]
  local access, more = rest:match "^(%l+)%s+(.+)$"
  local hidden = access == "private" or access == "protected" or access == "package"
  local field = parameter((hidden or access == "public") and more or rest)
  if class and not hidden then
    table.insert(class.fields, field)
  end
  return field
end

function take.alias(block, rest)
  local name, more = rest:match "^([%w_.]+)%s*(.*)$"
  local kind, text = annotation.split_type(more)
  table.insert(block.aliases, { name = name, type = kind, text = text })
  return block.aliases[#block.aliases]
end

-- Text of several lines, without empty ones at its ends.
local function join(lines)
  return (table.concat(lines, "\n"):gsub("^%s+", ""):gsub("%s+$", ""))
end

local origins = {
  "asyncio%.[%w_.]+", "contextvars%.[%w_.]+", "os%.[%w_.]+", "requests%.[%w_.]+", "aiohttp%.[%w_.]+",
  "websockets%.[%w_.]+", "PEP %d+",
}

-- Takes where the name comes from off the end of a paragraph, if it is said there.
local function split_origin(text)
  for _, pattern in ipairs(origins) do
    local before, origin, rest = (text .. "\n\n"):match("^(.-[.!?:)`])%s(" .. pattern .. ")%.?(\n\n.*)$")
    if origin then
      return (before .. rest):match "^(.-)%s*$", (origin:gsub("%.$", ""))
    end
  end
  return text
end

-- The parts of a list at its commas, those inside brackets left alone.
local function split_list(text)
  local parts, from, at = {}, 1, 1
  while at <= #text do
    if text:find('^["({%[<]', at) then
      at = skip(text, at)
    else
      if text:sub(at, at) == "," then
        parts[#parts + 1], from = text:sub(from, at - 1), at + 1
      end
      at = at + 1
    end
  end
  parts[#parts + 1] = text:sub(from):find "%S" and text:sub(from) or nil
  return parts
end

--- Parameters and results of a function's type, "fun(name: string, ...): integer?".
---@param kind string
---@return strobe.reference.Parameter[]? parameters nil for what is no function's type
---@return {type: string, text: string}[]? returns
function annotation.split_function(kind)
  if not kind:find "^fun%(" then
    return nil
  end
  local behind = skip(kind, 4)
  local parameters, returns = {}, {}
  for _, part in ipairs(split_list(kind:sub(5, behind - 2))) do
    local name, optional, text = part:match "^%s*([%w_.]+)(%??)%s*:?%s*(.-)%s*$"
    parameters[#parameters + 1] = { name = name or "?", optional = optional == "?", type = text or "", text = "" }
  end
  for _, part in ipairs(split_list((kind:sub(behind):gsub("^%s*:", "")))) do
    returns[#returns + 1] = { type = part:match "^%s*(.-)%s*$", text = "" }
  end
  return parameters, returns
end

-- What ---@type says about a function that is defined elsewhere.
local function use_type(block)
  if block.type and #block.parameters == 0 and #block.returns == 0 then
    local parameters, returns = annotation.split_function(block.type)
    block.parameters = parameters or block.parameters
    block.returns = returns or block.returns
  end
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

-- Whether a bracket of a tag is not closed: its type goes on in the next line.
local function is_open(line)
  return line:find "^%s*@" and count(line, "[{(]") > count(line, "[})]")
end

local function whole(lines)
  local joined = {}
  for _, line in ipairs(lines) do
    local last = joined[#joined]
    if last and is_open(last) then
      joined[#joined] = last .. " " .. line:match "^%s*(.*)$"
    else
      joined[#joined + 1] = line
    end
  end
  return joined
end

--- Reads the lines of an annotation.
---@param lines string[] without the dashes
---@return strobe.reference.Annotation
function annotation.parse(lines)
  local block = { text = "", parameters = {}, returns = {}, classes = {}, aliases = {} }
  local text, open = {}, nil
  for _, line in ipairs(whole(lines)) do
    local tag, rest = line:match "^%s*@(%w+)%s*(.*)$"
    if tag then
      open = take[tag] and take[tag](block, rest) or { text = "" }
    elseif open then
      open.text = join { open.text, line:match "^%s*(.*)$" }
    else
      text[#text + 1] = line
    end
  end
  if block.text == "" then
    block.text = join(text)
  end
  block.text, block.origin = split_origin(block.text)
  use_type(block)
  return block
end

return annotation
