---@meta strobe.Handle
-- What call_soon, call_later and call_at return. It is written in C (core/task/handle.c). This file says what it
-- promises, to `strobe help` and to editors; nothing loads it.
-- luacheck: ignore 212 241

--- A callback that will be called. asyncio.Handle
---@class strobe.Handle
local Handle = {}

--- Takes the callback back. Twice, or after it was called, is harmless. asyncio.Handle.cancel
function Handle:cancel()
end

--- Whether it was taken back. asyncio.Handle.cancelled
---@return boolean
function Handle:cancelled()
end

--- When it will be called, on the loop's clock; 0 for call_soon. asyncio.TimerHandle.when
---@return number seconds
function Handle:when()
end
