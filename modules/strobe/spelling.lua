--- The names that are most like one: what was probably meant.

local MOST_NEAR = 3
-- Names longer than that are compared by their beginnings.
local LONGEST = 64

local spelling = {}

-- Letters to change, insert or leave out, and neighbours to swap, to make one name of another.
local function distance(a, b)
  a, b = a:sub(1, LONGEST):lower(), b:sub(1, LONGEST):lower()
  local before, last = {}, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    local row = { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], before[j - 2] + 1)
      end
    end
    before, last = last, row
  end
  return last[#b]
end

--- The names that are most like one, best first.
---@param name string
---@param names string[]
---@return string[] at most three
function spelling.nearest(name, names)
  local order, far = {}, {}
  for _, other in ipairs(names) do
    if not far[other] then
      far[other] = distance(name, other)
      order[#order + 1] = other
    end
  end
  table.sort(order, function(a, b)
    return far[a] < far[b] or far[a] == far[b] and a < b
  end)
  return { table.unpack(order, 1, MOST_NEAR) }
end

return spelling
