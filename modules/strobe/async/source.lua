--- Sources: what can be iterated over, made into a function for the next values and
-- one that closes.

local source = {}

local function nothing() end

local function open_list(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end, nothing
end

local function close_method(value)
  local metatable = getmetatable(value)
  return type(metatable) == "table" and metatable.__close
end

-- An iterator function with what a generic `for` gives it.
local function open_function(f, state, control, closing)
  local function keep(value, ...)
    control = value
    return value, ...
  end
  return function()
    return keep(f(state, control))
  end, function()
    local close = close_method(closing)
    if close then
      close(closing)
    end
  end
end

local function is_callable(value)
  local metatable = getmetatable(value)
  return type(value) == "function" or type(metatable) == "table" and metatable.__call ~= nil
end

local function has_iter(value)
  local kind = type(value)
  return (kind == "table" or kind == "userdata") and getmetatable(value) ~= nil and value.iter ~= nil
end

--- Opens an iterator function (with what `pairs` and the like return beside it), a
--- generator object, an object with `iter` (a Queue, a Channel, …) or a list. An
--- object that is called, such as a generator, is closed itself.
---@param value any
---@param state? any
---@param control? any
---@param closing? any
---@return (fun(): any)? step nil when the value is none of these
---@return fun() shut
function source.open(value, state, control, closing)
  if has_iter(value) then
    return open_function(value:iter())
  elseif is_callable(value) then
    return open_function(value, state, control, closing or value)
  elseif type(value) == "table" then
    return open_list(value)
  end
  return nil, nothing
end

return source
