--- The state of a part: plain values by name, which may be watched as they change.
--
-- As long as nobody watches, it is a plain table, and costs what that costs.

local state = {}

---@class strobe.gpio.StateWatch
local Watch = {}
Watch.__index = Watch
Watch.__name = "gpio.StateWatch"

-- What a state that is watched has for a metatable: the values are in another table, so each assignment comes here.
local function watched(values)
  local meta = { values = values, watches = {}, __index = values }

  function meta.__newindex(_, name, value)
    if values[name] == value then
      return
    end
    values[name] = value
    for _, watch in ipairs(meta.watches) do
      watch.f(name, value)
    end
  end

  function meta.__pairs()
    return next, values
  end

  return meta
end

local function move(from, to)
  for name, value in next, from do
    to[name] = value
  end
  for name in next, to do
    from[name] = nil
  end
end

--- Calls f(name, value) whenever a value of the part's state has changed, until it is closed. f may neither wait nor
--- raise.
---@param part strobe.gpio.Part
---@param f fun(name: string, value: any)
---@return strobe.gpio.StateWatch watch with close()
function state.watch(part, f)
  local meta = getmetatable(part.state)
  if not meta then
    local values = {}
    move(part.state, values)
    meta = watched(values)
    setmetatable(part.state, meta)
  end
  local watch = setmetatable({ state = part.state, f = f }, Watch)
  table.insert(meta.watches, watch)
  return watch
end

--- Watches no more. Twice is harmless.
function Watch:close()
  local meta = getmetatable(self.state)
  for i, watch in ipairs(meta and meta.watches or {}) do
    if watch == self then
      table.remove(meta.watches, i)
      break
    end
  end
  if meta and #meta.watches == 0 then
    setmetatable(self.state, nil)
    move(meta.values, self.state)
  end
end

return state
