--- Conditional requests: RFC 9110, section 13. Pure.

local date = require "strobe.http.date"

local conditional = {}

---@class strobe.http.Validators
---@field etag string with its quotes, and W/ when it is weak
---@field modified integer seconds since 1970
---@field strong boolean two contents never have the same validators

-- Whether a list of entity tags has this one. A weak comparison looks at what is in quotes.
local function has_tag(list, etag, weakly)
  if list:match "^%s*%*%s*$" then
    return true
  end
  local own_mark, own = etag:match '^(W?/?)(".*")$'
  for mark, tag in list:gmatch '(W?/?)("[^"]*")' do
    if tag == own and (weakly or mark == "" and own_mark == "") then
      return true
    end
  end
  return false
end

-- Whether If-Match or If-Unmodified-Since forbid it.
local function fails(headers, validators, now)
  if headers["if-match"] then
    return not has_tag(headers["if-match"], validators.etag, false)
  end
  local since = headers["if-unmodified-since"] and date.parse(headers["if-unmodified-since"], now)
  return since and validators.modified > since or false
end

-- Whether If-None-Match or If-Modified-Since say that the client has it.
local function is_known(headers, validators, now)
  if headers["if-none-match"] then
    return has_tag(headers["if-none-match"], validators.etag, true)
  end
  local since = headers["if-modified-since"] and date.parse(headers["if-modified-since"], now)
  return since and validators.modified <= since or false
end

--- What a GET or HEAD gets instead of the content, in the order of section 13.2.2.
---@param headers table<string, string>
---@param validators strobe.http.Validators
---@param now number seconds since 1970
---@return 412|304|nil status nil: the content
function conditional.evaluate(headers, validators, now)
  if fails(headers, validators, now) then
    return 412
  elseif is_known(headers, validators, now) then
    return 304
  end
end

--- Whether If-Range, where there is one, lets the Range count: only when the client's
--- part is of exactly this content.
---@param headers table<string, string>
---@param validators strobe.http.Validators
---@param now number seconds since 1970
---@return boolean
function conditional.allows_range(headers, validators, now)
  local value = headers["if-range"]
  if not value then
    return true
  elseif not validators.strong then
    return false
  elseif value:find('"', 1, true) then
    return value == validators.etag
  end
  return date.parse(value, now) == validators.modified
end

return conditional
