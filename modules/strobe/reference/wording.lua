--- What the terminal's text and the Markdown pages have in common: signatures, types, first sentences.

local python = require "strobe.reference.python"
local surface = require "strobe.reference.surface"

local wording = {}

--- A type as users call it: "async.Queue?" for "strobe.Queue?".
---@param kind string
---@param link? fun(item: strobe.reference.ClassItem): string what stands for a class, its name unless given
---@return string
function wording.type(kind, link)
  local classes = surface.model().classes
  return (kind:gsub("strobe%.[%w_.]+", function(name)
    local item = classes[name]
    return item and (link and link(item) or item.name)
  end))
end

-- What a function is called with, "path, mode?".
local function arguments(entry)
  local optional, names = {}, {}
  for i, parameter in ipairs(entry.parameters) do
    optional[parameter.name] = parameter.optional
    names[i] = parameter.name
  end
  local words = {}
  for i, name in ipairs(entry.arguments or names) do
    words[i] = name .. (optional[name] and "?" or "")
  end
  return table.concat(words, ", ")
end

--- Whether an entry is about a function.
---@param item strobe.reference.Item
---@return boolean
function wording.is_function(item)
  return item.kind == "function"
end

--- How an item is written down: "async.sleep(delay, result?)".
---@param item strobe.reference.Item
---@return string
function wording.signature(item)
  if not wording.is_function(item) then
    return item.name
  end
  return ("%s(%s)"):format(item.name, item.entry and arguments(item.entry) or "…")
end

--- The types of a function's results: "integer?, string?, string?"; nothing when there is none.
---@param item strobe.reference.Item
---@return string?
function wording.results(item)
  local types = {}
  for i, result in ipairs(item.entry and item.entry.returns or {}) do
    types[i] = wording.type(result.type)
  end
  return types[1] and table.concat(types, ", ")
end

--- The text of an item, whatever it is, in whole sentences.
---@param item strobe.reference.Item
---@return string
function wording.text(item)
  local text = item.head or item.text
  if not text then
    return item.entry and item.entry.text or ""
  end
  text = text:gsub("^%l", string.upper)
  return text:find "%w$" and text .. "." or (text:gsub("(`)$", "%1."))
end

-- A sentence in a list; a long one ends at its first colon or semicolon, unless too little is left.
local LONG, SHORT = 90, 12

--- Its first sentence, on one line.
---@param item strobe.reference.Item
---@return string
function wording.summary(item)
  local text = wording.text(item):gsub("\n%s*\n.*", ""):gsub("%s+", " ")
  local sentence = (text .. " "):match "^(.-[^.]%.)%s" or text
  if #sentence > LONG then
    local begin = (sentence .. " "):match "^(.-[:;])%s"
    sentence = begin and #begin > SHORT and begin or sentence
  end
  return (sentence:gsub("%s*[.:;]$", ""))
end

-- A class whose makers are more is not made but handed round.
local MOST_MAKERS = 8

--- The functions that return objects of a class.
---@param item strobe.reference.Item
---@return string[] names
function wording.makers(item)
  local names = {}
  if item.kind ~= "class" or item.class:find "Options$" then
    return names
  end
  local function visit(maker)
    for _, result in ipairs(maker.entry and maker.entry.returns or {}) do
      if result.type:gsub("%?$", "") == item.class and maker.class ~= item then
        names[#names + 1] = maker.name
        return
      end
    end
  end
  for _, module in ipairs(surface.model().modules) do
    for _, list in ipairs { module.items, module.classes } do
      for _, each in ipairs(list) do
        visit(each)
        for _, method in ipairs(each.methods or {}) do
          visit(method)
        end
      end
    end
  end
  return #names <= MOST_MAKERS and names or {}
end

--- Where the name of an item comes from: "asyncio.gather", "requests.get".
---@param item strobe.reference.Item
---@return string?
function wording.origin(item)
  return item.entry and item.entry.origin or python.name_of(item.name)
end

--- The classes that a function takes or gives, and a class derives from.
---@param item strobe.reference.Item
---@return strobe.reference.ClassItem[]
function wording.see_also(item)
  local classes, list, seen = surface.model().classes, {}, {}
  local function visit(kind)
    for name in kind:gmatch "strobe%.[%w_.]+" do
      local class = classes[name]
      if class and not seen[class] and class.name ~= item.name and class ~= item.class then
        seen[class] = true
        list[#list + 1] = class
      end
    end
  end
  for _, result in ipairs(item.entry and item.entry.returns or {}) do
    visit(result.type)
  end
  for _, parameter in ipairs(item.entry and item.entry.parameters or {}) do
    visit(parameter.type)
  end
  for _, parent in ipairs(item.parents or {}) do
    visit(parent)
  end
  return list
end

return wording
