--- Seeded random numbers: the same cases in every run, on every machine.

--- Makes random(n), which gives integers from 1 to n.
---@param seed integer
---@return fun(n: integer): integer
return function(seed)
  return function(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
  end
end
