--- The items of a queue, all at once and without waiting.

local items = {}

--- Puts items into a queue.
---@param queue strobe.Queue
---@param ... any
---@return strobe.Queue queue
function items.fill(queue, ...)
  for _, item in ipairs { ... } do
    queue:put_nowait(item)
  end
  return queue
end

--- Takes all items that are there.
---@param queue strobe.Queue
---@return any[]
function items.drain(queue)
  local list = {}
  while not queue:empty() do
    list[#list + 1] = queue:get_nowait()
  end
  return list
end

return items
