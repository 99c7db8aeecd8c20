--- The cleanup of a block: `local _ <close> = cleanup(function(_, e) … end)`.

--- A `<close>` value that calls f.
---@param f fun(value: table, e: any) gets what the block was left by, or nil; may wait
---@return table
local function cleanup(f)
  return setmetatable({}, { __close = f })
end

return cleanup
