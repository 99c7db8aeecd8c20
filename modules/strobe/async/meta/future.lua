---@meta strobe.Future
-- The methods of Futures, which Tasks have too: they are in C (core/task/future.c). This file says what they promise,
-- to `strobe help` and to editors; nothing loads it.
-- luacheck: ignore 212

--- An outcome that is not there yet: results, an error, or a cancellation. It ends once. asyncio.Future
---@class strobe.Future : strobe.Awaitable
local Future = {}

--- Waits until the future has ended; returns its results, or raises its error, or CancelledError. At once when it has
--- ended already. Being cancelled meanwhile cancels what is awaited, as in asyncio; async.shield prevents that.
---@async
---@return any ...
function Future:await()
end

--- Whether it has ended: with results, by an error, or cancelled. asyncio.Future.done
---@return boolean
function Future:done()
end

--- Whether it ended by being cancelled. asyncio.Future.cancelled
---@return boolean
function Future:cancelled()
end

--- Its results; raises its error, CancelledError, or InvalidStateError when it has not ended. asyncio.Future.result
---@return any ...
function Future:result()
end

--- Its error, or nil; raises CancelledError when it was cancelled, InvalidStateError when it has not ended. Who asks
--- has seen the error: it is not reported as never retrieved. asyncio.Future.exception
---@return any
function Future:exception()
end

--- The record of how it failed, or nil: `error`, `traceback`, `task` (a name), and `origin`, the same of the task which
--- was awaited and from which the error came. Counts as having seen the error.
---@return {error: any, traceback: string, task?: string, origin?: table}?
function Future:failure()
end

--- Ends a Future as cancelled; asks a Task to end, see Task:cancel. asyncio.Future.cancel
---@param message? string for the CancelledError
---@return boolean asked false when it has ended already
function Future:cancel(message)
end

--- Calls f(future) in a turn of the loop after the end, or in the next turn when it has ended. f may not wait.
--- asyncio.Future.add_done_callback
---@param f fun(future: strobe.Future)
function Future:add_done_callback(f)
end

--- Takes back a callback, each time it was added. asyncio.Future.remove_done_callback
---@param f function
---@return integer count how often it was there
function Future:remove_done_callback(f)
end

--- Ends it with results; wakes all who await it. Raises InvalidStateError when it has ended. Not for Tasks.
--- asyncio.Future.set_result
---@param ... any
function Future:set_result(...)
end

--- Ends it by an error, which all who await it get; an error that nobody sees is reported. Raises InvalidStateError
--- when it has ended. Not for Tasks. asyncio.Future.set_exception
---@param e any anything but nil
function Future:set_exception(e)
end

return Future
