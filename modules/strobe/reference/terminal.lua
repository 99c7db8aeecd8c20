--- The reference as text for a terminal.

local surface = require "strobe.reference.surface"
local wording = require "strobe.reference.wording"

local terminal = {}

local function indent(text, by)
  return by .. text:gsub("\n", "\n" .. by):gsub("\n%s+\n", "\n\n")
end

local function add(lines, text, ...)
  lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

-- "name?  type  text", the text's further lines below it.
local function parameter_line(parameter)
  local words = { wording.type(parameter.type) }
  if parameter.name then
    table.insert(words, 1, parameter.name .. (parameter.optional and "?" or ""))
  end
  words[#words + 1] = parameter.text ~= "" and (parameter.text:gsub("\n%s*", " ")) or nil
  return table.concat(words, "  ")
end

-- The fields of a table of options, below the parameter that takes it.
local function add_options(lines, kind)
  local class = surface.model().classes[kind:match "^(strobe%.[%w_.]+)%??$" or ""]
  if not class or not class.class:find "Options$" and not class.class:find "Settings$" then
    return
  end
  for _, parent in ipairs(class.parents) do
    add_options(lines, parent)
  end
  for _, field in ipairs(class.fields) do
    add(lines, "      " .. parameter_line(field))
  end
end

local function add_signature(lines, item)
  local results = wording.results(item)
  add(lines, wording.signature(item) .. (results and " → " .. results or ""))
end

local function add_function(lines, item)
  local entry = item.entry
  add_signature(lines, item)
  if not entry then
    return
  end
  add(lines, "")
  add(lines, indent(entry.text, "  "))
  if entry.async then
    add(lines, "\n  may wait")
  end
  if #entry.parameters > 0 then
    add(lines, "\n  takes")
    for _, parameter in ipairs(entry.parameters) do
      add(lines, "    " .. parameter_line(parameter))
      add_options(lines, parameter.type)
    end
  end
  if #entry.returns > 0 then
    add(lines, "\n  returns")
    for _, result in ipairs(entry.returns) do
      add(lines, "    " .. parameter_line(result))
    end
  end
end

local function add_sources(lines, item)
  local origin = wording.origin(item)
  if origin then
    add(lines, "\n  in Python: %s%s", origin, origin:find "^asyncio" and ("  (strobe help %s)"):format(origin) or "")
  end
  local names = {}
  for i, class in ipairs(wording.see_also(item)) do
    names[i] = class.name
  end
  if #names > 0 then
    add(lines, "%s  see also: %s", origin and "" or "\n", table.concat(names, ", "))
  end
  local makers = wording.makers(item)
  if #makers > 0 then
    add(lines, "\n  comes from: %s", table.concat(makers, ", "))
  end
end

-- A list of items: each with its first sentence.
local function add_list(lines, title, items, name)
  if #items == 0 then
    return
  end
  add(lines, "\n" .. title)
  for _, item in ipairs(items) do
    local may_wait = item.entry and item.entry.async and "  may wait" or ""
    add(lines, "  %s%s", name and name(item) or wording.signature(item), may_wait)
    local summary = wording.summary(item)
    if summary ~= "" then
      add(lines, "      " .. summary)
    end
  end
end

local show = {}

show["function"] = function(lines, item)
  add_function(lines, item)
  add_sources(lines, item)
end

function show.value(lines, item)
  local is_plain = type(item.live) == "string" or type(item.live) == "number"
  add(lines, "%s%s", item.name, is_plain and (" = %q"):format(item.live) or "")
  add(lines, "")
  add(lines, indent(wording.text(item), "  "))
  add_sources(lines, item)
end

function show.class(lines, item)
  add(lines, "%s   (%s, %s)", item.name, item.alias and "a type" or "class", item.class)
  if item.alias then
    add(lines, "\n  " .. wording.type(item.alias))
  end
  for _, parent in ipairs(item.parents) do
    add(lines, "\n  is a %s, too", wording.type(parent))
  end
  if item.text ~= "" then
    add(lines, "")
    add(lines, indent(wording.text(item), "  "))
  end
  if #item.fields > 0 then
    add(lines, "\n  fields")
    for _, field in ipairs(item.fields) do
      add(lines, "    " .. parameter_line(field))
    end
  end
  add_list(lines, "  methods", item.methods, function(method)
    return "  " .. wording.signature(method)
  end)
  add_sources(lines, item)
end

function show.module(lines, module)
  add(lines, "%s\n", module.name)
  add(lines, indent(wording.text(module), "  "))
  local functions, values = {}, {}
  for _, item in ipairs(module.items) do
    table.insert(item.kind == "function" and functions or values, item)
  end
  add_list(lines, "functions", functions)
  add_list(lines, "values", values)
  add_list(lines, "classes", module.classes, function(class)
    return class.name
  end)
  add_list(lines, "parts", module.parts, function(part)
    return part.name
  end)
end

function show.part(lines, item)
  add(lines, "%s   (a part for boards)\n", item.name)
  add(lines, indent(wording.text(item), "  "))
  local class = item.class_item
  if class then
    add(lines, "")
    show.class(lines, class)
  end
end

--- All about one item.
---@param item strobe.reference.Item
---@return string
function terminal.item(item)
  local lines = {}
  show[item.kind](lines, item)
  return table.concat(lines, "\n") .. "\n"
end

--- One line for each item: its name and its first sentence.
---@param items strobe.reference.Item[]
---@return string
function terminal.list(items)
  local widest, lines = 0, {}
  for _, item in ipairs(items) do
    widest = math.max(widest, #item.name)
  end
  for i, item in ipairs(items) do
    lines[i] = ("  %-" .. widest .. "s  %s"):format(item.name, wording.summary(item)):gsub("%s+$", "")
  end
  return table.concat(lines, "\n") .. "\n"
end

return terminal
