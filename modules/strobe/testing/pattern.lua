--- What a mock answers: keys in which a * stands for anything.

local pattern = {}

--- A key as a pattern of Lua.
---@param key string
---@return string
function pattern.of(key)
  return "^" .. key:gsub("[%^$().%[%]+?%%-]", "%%%0"):gsub("%*", ".*") .. "$"
end

--- Sorts rules {key, precise}: those that say more are asked first.
---@param rules table[]
---@return table[] the same
function pattern.sorted(rules)
  table.sort(rules, function(a, b)
    if a.precise ~= b.precise then
      return a.precise > b.precise
    end
    return a.key < b.key
  end)
  return rules
end

--- Their keys, for messages.
---@param rules table[]
---@return string
function pattern.keys(rules)
  local keys = {}
  for i, rule in ipairs(rules) do
    keys[i] = rule.key
  end
  return #keys > 0 and table.concat(keys, ", ") or "nothing"
end

return pattern
