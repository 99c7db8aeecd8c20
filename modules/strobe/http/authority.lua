--- The authority of a URI: who and where. RFC 3986, section 3.2

local authority = {}

--- Takes "host:port", "[::1]:port" or a host alone apart.
---@param text string without a user
---@return string? host nil when it is none
---@return string? port "" when there is none
function authority.split(text)
  local host, port = text:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then
    host, port = text:match "^([^:%[%]]+):?(%d*)$"
  end
  return host, port
end

--- Decodes %20 and its like in a user's name and password; a % that two digits do not follow stays.
---@param text string
---@return string
function authority.decode(text)
  return (text:gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

return authority
