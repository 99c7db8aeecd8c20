--- What call_soon, call_later and call_at return. It is written in C (core/task/handle.c); this file only tells of it.
---@meta strobe.async.handle
-- luacheck: ignore 212

---@class strobe.Handle a callback that will be called. asyncio.Handle
local Handle = {}

--- Takes the callback back. Twice, or after it was called, is harmless. asyncio.Handle.cancel
function Handle:cancel() end

--- Whether it was taken back. asyncio.Handle.cancelled
---@return boolean
function Handle:cancelled() end

--- When it will be called, on the loop's clock; 0 for call_soon. asyncio.TimerHandle.when
---@return number seconds
function Handle:when() end

return Handle
