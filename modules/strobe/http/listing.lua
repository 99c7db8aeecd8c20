--- A folder as a page: simple HTML, in which every name is escaped. Pure.

local listing = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
  return (text:gsub("[&<>\"']", entities))
end

--- A part of a path as it stands in a URI: RFC 3986, section 2.1.
---@param text string
---@return string
function listing.encode(text)
  return (text:gsub("[^A-Za-z0-9%-._~/]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

-- "./" before it, for a name with a colon would be a scheme.
local function line(name)
  return ('<li><a href="./%s">%s</a></li>\n'):format(listing.encode(name), escape(name))
end

--- The page.
---@param path string of the request, ends with /
---@param entries strobe.Entry[]
---@return string
function listing.page(path, entries)
  local title = escape(path)
  local parts = { ("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>%s</title></head>\n"):format(title),
    ("<body><h1>%s</h1>\n<ul>\n"):format(title) }
  if path ~= "/" then
    parts[#parts + 1] = '<li><a href="../">../</a></li>\n'
  end
  for _, entry in ipairs(entries) do
    parts[#parts + 1] = line(entry.name .. (entry.type == "directory" and "/" or ""))
  end
  parts[#parts + 1] = "</ul></body></html>\n"
  return table.concat(parts)
end

return listing
