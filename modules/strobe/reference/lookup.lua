--- Finding what somebody means by a name: "gather", "Queue.put", "Queue:put", "strobe.async.gather", a part of a name.

local spelling = require "strobe.spelling"
local surface = require "strobe.reference.surface"

local lookup = {}

-- Without "strobe." and with dots only, in which all names are compared.
local function dotted(name)
  return (name:gsub("^strobe%.", ""):gsub(":", "."))
end

-- Calls visit(item) for everything that has a name.
local function each_item(visit)
  for _, module in ipairs(surface.model().modules) do
    visit(module, module.short)
    for _, namespace in ipairs(module.namespaces) do
      visit(namespace, namespace.short)
    end
    for _, list in ipairs { module.items, module.classes, module.parts } do
      for _, item in ipairs(list) do
        visit(item, dotted(item.name))
        for _, method in ipairs(item.methods or {}) do
          visit(method, dotted(method.name))
        end
      end
    end
  end
end

-- The method of a class, or of one from which that derives.
local function inherited(class, method)
  for _, parent in ipairs(class.parents) do
    local item = surface.model().classes[parent]
    for _, each in ipairs(item and item.methods or {}) do
      if each.last == method then
        return each
      end
    end
    local found = item and inherited(item, method)
    if found then
      return found
    end
  end
end

-- What "Task.result" stands for when the class has the method from another one.
local function find_inherited(name)
  local class_name, method = name:match "^(.+)%.([%w_]+)$"
  local found = {}
  each_item(function(item, full)
    if class_name and item.kind == "class" and ("." .. full):sub(-#class_name - 1) == "." .. class_name then
      found[#found + 1] = inherited(item, method)
    end
  end)
  return found
end

--- What a name stands for: what is called exactly so, else all whose names end so, else a method that is inherited.
---@param name string
---@return strobe.reference.Item[]
function lookup.find(name)
  name = dotted(name)
  local exact, ending = {}, {}
  each_item(function(item, full)
    if full == name then
      exact[#exact + 1] = item
    elseif full:sub(-#name - 1) == "." .. name or item.class == "strobe." .. name then
      ending[#ending + 1] = item
    end
  end)
  if #exact > 0 or #ending > 0 then
    return #exact > 0 and exact or ending
  end
  return find_inherited(name)
end

--- What has a word somewhere in its name, in upper or lower case.
---@param word string
---@return strobe.reference.Item[]
function lookup.containing(word)
  word = dotted(word):lower()
  local found = {}
  each_item(function(item, full)
    if full:lower():find(word, 1, true) then
      found[#found + 1] = item
    end
  end)
  return found
end

--- The three names that are nearest to one.
---@param name string
---@return string[]
function lookup.nearest(name)
  local names = {}
  each_item(function(_, full)
    names[#names + 1] = full:match "[%w_]+$"
  end)
  return spelling.nearest(name:match "[%w_]*$", names)
end

return lookup
