-- Python has it as statistics.mean, of a list; this one takes a number at a time.
-- It is required by average.lua beside it, and has no state of its own: what a module keeps is new after a reload,
-- what is to stay belongs to the unit's `st`, which is plain data.

local mean = {}

--- The mean with one more number: a new one.
---@param before? {count: integer, value: number}
---@param number number
---@return {count: integer, value: number}
function mean.add(before, number)
  if not before then
    return { count = 1, value = number }
  end
  local count = before.count + 1
  return { count = count, value = before.value + (number - before.value) / count }
end

return mean
