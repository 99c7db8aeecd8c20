--- What the reference says about a name, as text.

local lookup = require "strobe.reference.lookup"
local surface = require "strobe.reference.surface"
local terminal = require "strobe.reference.terminal"

-- What is shown in full of one name; more than that is a list to choose from.
local MOST_SHOWN = 3

local manual = {}

local function all(items)
  local parts = {}
  for i, item in ipairs(items) do
    parts[i] = terminal.item(item)
  end
  return table.concat(parts, "\n")
end

local function list(items, most)
  local more = #items - (most or #items)
  local text = terminal.list(table.move(items, 1, math.min(#items, most or #items), 1, {}))
  return more > 0 and ("%s  … %d more\n"):format(text, more) or text
end

-- Of many that share a name, the one of strobe.async is what is meant most often.
local function of_many(name, items, most)
  local chosen, others = {}, {}
  for _, item in ipairs(items) do
    table.insert(item.name == "async." .. name and chosen or others, item)
  end
  local title = chosen[1] and "\n'%s' is the name of others, too:\n" or "'%s' is the name of several:\n"
  return all(chosen) .. title:format(name) .. list(others, most)
end

-- The item that is defined at a place.
local function defined_at(path, line)
  for _, module in ipairs(surface.model().modules) do
    for _, items in ipairs { module.items, module.classes } do
      for _, item in ipairs(items) do
        for _, each in ipairs { item, table.unpack(item.methods or {}) } do
          if each.entry and each.entry.path == path and each.entry.line == line then
            return each
          end
        end
      end
    end
  end
end

---@class strobe.reference.ManualOptions
---@field path? string where the function is defined that has this name where it was asked for
---@field line? integer
---@field most? integer names in a list to choose from

--- All about a name; it reads the whole reference, which takes its time.
---@async
---@param name string "ws.connect", "Queue:put", "asyncio.gather"
---@param options? strobe.reference.ManualOptions
---@return string? text
---@return string? message
---@return string[]? near the nearest names, when nothing is called so
function manual.text(name, options)
  options = options or {}
  if name == "asyncio" or name:find "^asyncio%." then
    return require("strobe.reference.python").text(name:match "^asyncio%.(.+)$")
  end
  local found = lookup.find(name)
  local defined = #found == 0 and options.path and defined_at(options.path, options.line)
  if defined then
    return terminal.item(defined)
  elseif #found > MOST_SHOWN then
    return of_many(name, found, options.most)
  elseif #found > 0 then
    return all(found)
  end
  found = lookup.containing(name)
  if #found > 0 then
    return ("nothing is called just '%s'; these have it in their names:\n"):format(name) .. list(found, options.most)
  end
  local near = lookup.nearest(name)
  return nil, ("nothing is called '%s'; near: %s"):format(name, table.concat(near, ", ")), near
end

return manual
