--- The reference as Markdown: a page for each module and each large class, the table of asyncio's names, an index.
--
-- Every item has an anchor, its name; every class in a type is a link.

local folder = require "strobe.reference.folder"
local lookup = require "strobe.reference.lookup"
local python = require "strobe.reference.python"
local source = require "strobe.reference.source"
local surface = require "strobe.reference.surface"
local wording = require "strobe.reference.wording"

local markdown = {}

-- Methods and fields from which on a class has a page of its own.
local LARGE = 10

local function is_large(class)
  return #class.methods + #class.fields >= LARGE
end

local function page_of(item)
  if item.kind == "module" then
    return (item.outer or item).short .. ".md"
  end
  local class = item.kind == "class" and item or item.class
  if type(class) == "table" and is_large(class) then
    return class.name .. ".md"
  end
  return item.module.short .. ".md"
end

-- A class and the function that makes its objects share a name, but no anchor.
local function anchor_of(item)
  return item.kind == "class" and item.name .. "-class" or item.name
end

local function address_of(item)
  return page_of(item) .. "#" .. anchor_of(item)
end

-- A type in code, with links where it names classes.
local function type_text(kind)
  local text = wording.type(kind, function(class)
    return "\0" .. class.name .. "\1" .. address_of(class) .. "\2"
  end)
  text = ("`" .. text .. "`"):gsub("%z([^\1]*)\1([^\2]*)\2", "`[`%1`](%2)`")
  return (text:gsub("``", ""))
end

-- Plain text, in which < and * mean nothing; what stands in backticks is left as it is.
local function escape(text)
  local parts, is_code = {}, false
  for part, tick in (text .. "`"):gmatch "([^`]*)(`)" do
    parts[#parts + 1] = is_code and part or part:gsub("[<*]", "\\%0")
    parts[#parts + 1] = tick
    is_code = not is_code
  end
  parts[#parts] = nil
  return table.concat(parts)
end

-- A comment's text: what is indented in it is code.
local function prose(text)
  local lines, is_code = {}, false
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    local indented = line:find "^  +%S" ~= nil
    if indented ~= is_code and (indented or line ~= "") then
      local is_blank = is_code and lines[#lines] == ""
      lines[is_blank and #lines or #lines + 1] = indented and "```lua" or "```"
      lines[#lines + 1] = is_blank and "" or nil
      is_code = indented
    end
    lines[#lines + 1] = indented and line:sub(3) or is_code and line or escape(line)
  end
  lines[#lines + 1] = is_code and "```" or nil
  return table.concat(lines, "\n")
end

local function add(lines, text, ...)
  lines[#lines + 1] = select("#", ...) > 0 and text:format(...) or text
end

local function add_heading(lines, level, item, title)
  add(lines, '\n<a id="%s"></a>\n\n%s %s\n', anchor_of(item), ("#"):rep(level), title)
end

local function note_of(text)
  return text ~= "" and " — " .. escape((text:gsub("\n%s*", " "))) or ""
end

local function add_parameters(lines, parameters)
  for _, parameter in ipairs(parameters) do
    local mark = parameter.optional and "?" or ""
    add(lines, "- `%s%s` %s%s", parameter.name, mark, type_text(parameter.type), note_of(parameter.text))
  end
end

local function add_results(lines, results)
  if #results > 0 then
    add(lines, "\nReturns\n")
  end
  for i, result in ipairs(results) do
    add(lines, "%d. %s%s", i, type_text(result.type), note_of(result.text))
  end
end

-- Where the name comes from; a name of asyncio links to the table of these.
local function origin_text(origin)
  if origin:find "^asyncio%." and python.find(origin) then
    return ("[%s](asyncio.md#%s)"):format(origin, origin)
  end
  return origin
end

local function add_notes(lines, item)
  local notes, origin = {}, wording.origin(item)
  notes[#notes + 1] = item.entry and item.entry.async and "may wait" or nil
  notes[#notes + 1] = origin and "in Python " .. origin_text(origin) or nil
  if #notes > 0 then
    add(lines, "*%s*\n", table.concat(notes, " · "))
  end
end

local function add_function(lines, level, item)
  local results = wording.results(item)
  add_heading(lines, level, item, ("`%s%s`"):format(wording.signature(item), results and " → " .. results or ""))
  local entry = item.entry
  if not entry then
    return
  end
  add_notes(lines, item)
  add(lines, prose(wording.text(item)))
  if #entry.parameters > 0 then
    add(lines, "\nTakes\n")
    add_parameters(lines, entry.parameters)
  end
  add_results(lines, entry.returns)
end

local function add_value(lines, level, item)
  local is_plain = type(item.live) == "string" or type(item.live) == "number"
  add_heading(lines, level, item, ("`%s%s`"):format(item.name, is_plain and (" = %q"):format(item.live) or ""))
  add_notes(lines, item)
  add(lines, prose(wording.text(item)))
end

local function add_item(lines, level, item)
  if item.kind == "function" then
    add_function(lines, level, item)
  else
    add_value(lines, level, item)
  end
end

local function names_as_links(names)
  local links = {}
  for i, name in ipairs(names) do
    links[i] = ("`%s`"):format(name)
  end
  return table.concat(links, ", ")
end

local function add_class(lines, level, class)
  add_heading(lines, level, class, ("`%s`"):format(class.name))
  if class.alias then
    add(lines, type_text(class.alias) .. "\n")
  end
  for _, parent in ipairs(class.parents) do
    add(lines, "Is a %s, too.\n", type_text(parent))
  end
  add(lines, prose(wording.text(class)))
  local makers = wording.makers(class)
  if #makers > 0 then
    add(lines, "\nComes from %s.", names_as_links(makers))
  end
  if #class.fields > 0 then
    add(lines, "\nFields\n")
    add_parameters(lines, class.fields)
  end
  for _, method in ipairs(class.methods) do
    add_item(lines, level + 1, method)
  end
end

local function link(item)
  return ("[`%s`](%s)"):format(item.name, address_of(item))
end

local function add_contents(lines, title, items)
  if #items == 0 then
    return
  end
  add(lines, "\n%s\n", title)
  for _, item in ipairs(items) do
    local summary = wording.summary(item)
    add(lines, "- %s%s", link(item), summary ~= "" and ": " .. escape(summary) or "")
  end
end

local function finish(lines)
  return (table.concat(lines, "\n"):gsub("\n\n\n+", "\n\n"):gsub("%s*$", "\n"))
end

local function class_page(class)
  local lines = { ("[strobe](index.md) · [%s](%s.md)"):format(class.module.name, class.module.short) }
  add_class(lines, 1, class)
  return finish(lines)
end

local function add_part(lines, part)
  add_heading(lines, 3, part, ("`%s`"):format(part.name))
  add(lines, prose(wording.text(part)))
  if part.class_item then
    add(lines, "\nIts methods and state: %s.", link(part.class_item))
  end
end

local function add_namespace(lines, namespace)
  add(lines, '\n<a id="%s"></a>\n\n## %s\n', namespace.short, namespace.name)
  add(lines, prose(wording.text(namespace)))
  add_contents(lines, "Functions and values", namespace.items)
end

local function module_page(module)
  local lines = { "[strobe](index.md)\n", "# " .. module.name .. "\n", prose(wording.text(module)) }
  add_contents(lines, "Functions and values", module.items)
  add_contents(lines, "Classes", module.classes)
  add_contents(lines, "Parts", module.parts)
  for _, namespace in ipairs(module.namespaces) do
    add_namespace(lines, namespace)
  end
  for _, item in ipairs(module.items) do
    source.pause()
    add_item(lines, 2, item)
  end
  for _, class in ipairs(module.classes) do
    if not is_large(class) then
      add_class(lines, 2, class)
    end
  end
  for _, part in ipairs(module.parts) do
    add_part(lines, part)
  end
  return finish(lines)
end

local function index_page(modules)
  local lines = { "# strobe: the reference\n" }
  add(lines, "Made of the annotations in the sources by `strobe help --markdown`.\n")
  for _, module in ipairs(modules) do
    add(lines, "- [%s](%s.md): %s", module.name, module.short, escape(wording.summary(module)))
  end
  add(lines, "- [From asyncio to strobe](asyncio.md): all names of asyncio, and what stands for them")
  return finish(lines)
end

-- The address of what is called exactly so.
local function address(name)
  local item = lookup.find(name)[1]
  return item and address_of(item)
end

--- All pages by their file names.
---@async
---@return table<string, string>
function markdown.pages()
  local modules = surface.model().modules
  local pages = { ["index.md"] = index_page(modules), ["asyncio.md"] = python.markdown(address) }
  for _, module in ipairs(modules) do
    source.pause()
    pages[module.short .. ".md"] = module_page(module)
    for _, class in ipairs(module.classes) do
      if is_large(class) then
        pages[class.name .. ".md"] = class_page(class)
      end
    end
  end
  return pages
end

--- Writes all pages into a folder, which is made if it is not there.
---@async
---@param path string
---@return integer? count of pages
---@return string? message
---@return string? code
function markdown.write(path)
  return folder.write(path, markdown.pages())
end

return markdown
