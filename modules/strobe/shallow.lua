--- Tables taken as sets of pairs: keys with values, without looking into these.

local shallow = {}

--- Whether two tables have the same keys with the same values.
---@param a table
---@param b table
---@return boolean
function shallow.equal(a, b)
  for key, value in pairs(a) do
    if b[key] ~= value then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- A table with the same keys and values.
---@param t table
---@return table
function shallow.copy(t)
  local copied = {}
  for key, value in pairs(t) do
    copied[key] = value
  end
  return copied
end

return shallow
