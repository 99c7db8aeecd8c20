---@meta strobe.Task
-- The methods that Tasks have and other Futures have not: they are in C (core/task/task.c), but for those in
-- strobe.async.task. This file says what they promise, to `strobe help` and to editors; nothing loads it.
-- luacheck: ignore 212

--- A function that runs beside others, and may wait; made by async.create_task. asyncio.Task
---@class strobe.Task : strobe.Future
local Task = {}

---@class strobe.TaskWait
---@field kind string      "sleep", "future", "futures", "lock", "queue item", "read", …
---@field what? string     "Task-7", "<Queue size=0 maxsize=0 getters=1>", …
---@field task? integer    the number of the task that is awaited
---@field file? string     where in the user's code
---@field line? integer
---@field since number     loop time in seconds
---@field deadline? number of a sleep, an I/O timeout, or a scope as async.timeout

---What a task does, or how it ended: frozen is one that is not resumed, as while its unit is reloaded; cancelling one
---that was cancelled and has not ended yet; closed one that did not end by itself while it was frozen.
---@alias strobe.TaskState "ready"|"running"|"waiting"|"frozen"|"cancelling"|"returned"|"failed"|"cancelled"|"closed"

---@class strobe.TaskRecord
---@field id integer          its number, which is never used again
---@field name string
---@field state strobe.TaskState
---@field parent? integer     the task that made it
---@field group? integer      the task that leads its group: the input at a console from which it comes
---@field unit? string        whose code it runs
---@field gen? integer        of the unit
---@field created number      loop time in seconds
---@field defined? string     file:line of the function it runs, while it lives
---@field created_by? string  in debug mode: the traceback of its making
---@field resumes integer     how often it ran
---@field last_resume? number when it last ran, in loop time
---@field waiters? integer[]  the tasks that wait for it
---@field shielded? boolean   who awaits it cannot cancel it, see async.shield
---@field cancelling integer  see Task:cancelling
---@field cancelled? {by?: integer, reason?: string, at: number} the last cancel: the number of the task that asked
---@field waiting_on? strobe.TaskWait
---@field run_time? number     seconds it has run, and the longest it ran without waiting, while that is measured
---@field max_run_time? number
---@field ended? number       loop time in seconds, if it is one of the last 100
---@field trace? string       of a failed one: the error and its traceback, at most 2 KiB

--- Asks the task to end: CancelledError is raised where it waits, or will wait next; its `<close>` variables and
--- handlers run, and may wait. A task that awaits another has that one cancelled. The task may refuse by catching the
--- error, so await it to know. asyncio.Task.cancel
---@param message? string of the CancelledError; reports and Task:get_record tell it
---@return boolean asked false when it has ended already
function Task:cancel(message)
end

--- How many cancellations were asked for and not taken back. asyncio.Task.cancelling
---@return integer
function Task:cancelling()
end

--- Takes back one cancellation; at none, one that was not raised yet is dropped. asyncio.Task.uncancel
---@return integer left
function Task:uncancel()
end

--- Its name, by default "Task-" and its number. asyncio.Task.get_name
---@return string
function Task:get_name()
end

--- Gives it a name, for reports, stacks and graphs. asyncio.Task.set_name
---@param name any tostring(name) is taken
function Task:set_name(name)
end

--- "running", "ready", "finished", "failed", "cancelled", or the kind of what it waits for: "sleep", "future", "lock".
---@return string
function Task:state()
end

--- Its Lua threads, the innermost first: the bodies of the generators that run in it, then its own. None once it has
--- ended. For the debug library; only the scheduler resumes them.
---@return thread[]
function Task:threads()
end

--- The Future or Task it awaits now, or nil.
---@return strobe.Future?
function Task:awaited()
end

return Task
