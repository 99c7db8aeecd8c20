--- Queues between tasks. asyncio.Queue, LifoQueue, PriorityQueue
--
-- The three differ only in where they keep their items: in a deque, a stack or a
-- heap. A put wakes one task that waits for an item; whoever runs first gets it,
-- and a woken task that finds nothing waits again.

local Deque = require "strobe.async.deque"
local Heap = require "strobe.async.heap"
local mistake = require "strobe.mistake"
local Waitlist = require "strobe.async.waitlist"
local errors = require "strobe.async.error"
local timeouts = require "strobe.async.timeout"
local lot = require "strobe.core.lot"

local queues = {}

---@class strobe.Queue a queue between tasks
---@field maxsize number          the most items it holds; 0 or less: any number
---@field private name string
---@field private items table     with push, shift, unshift, pop and count
---@field private getters strobe.Waitlist
---@field private putters strobe.Waitlist
---@field private joiners userdata
---@field private unfinished integer  items for which task_done was not called
---@field private closed? boolean
---@field private discarding? boolean after shutdown(true)
local Queue = {}
Queue.__index = Queue
Queue.__name = "Queue"

local function is_full(queue)
  return queue.maxsize > 0 and queue.items.count >= queue.maxsize
end

--- How many items are in the queue. asyncio.Queue.qsize
---@return integer
function Queue:qsize()
  return self.items.count
end

--- Whether there is no item. asyncio.Queue.empty
---@return boolean
function Queue:empty()
  return self.items.count == 0
end

--- Whether there are `maxsize` items. asyncio.Queue.full
---@return boolean
function Queue:full()
  return is_full(self)
end

local function shut_down_error()
  return errors.QueueShutDown "the queue was shut down"
end

local function refuse_nil(method)
  error(("Queue:%s: nil cannot be an item (use false, or a table)"):format(method), 3)
end

local function add(queue, item)
  queue.items:push(item)
  queue.unfinished = queue.unfinished + 1
  if queue.getters.inside > 0 then
    queue.getters:wake(1)
  end
end

local function take(queue)
  local item = queue.items:shift()
  if queue.putters.inside > 0 then
    queue.putters:wake(1)
  end
  return item
end

-- Waits until there is room.
local function wait_for_room(queue)
  local ok, e, woken = queue.putters:park()
  if not ok then
    if woken and not is_full(queue) then
      queue.putters:wake(1)
    end
    error(e, 0)
  end
end

-- Waits until there may be an item.
local function wait_for_item(queue)
  local ok, e, woken = queue.getters:park()
  if not ok then
    if woken and queue.items.count > 0 then
      queue.getters:wake(1)
    end
    error(e, 0)
  end
end

--- Puts an item into the queue; waits while it is full. asyncio.Queue.put
---
--- Raises QueueShutDown when the queue is, or gets meanwhile, shut down.
---@async
---@param item any anything but nil
function Queue:put(item)
  if item == nil then
    refuse_nil "put"
  end
  while not self.closed and is_full(self) do
    wait_for_room(self)
  end
  if self.closed then
    error(shut_down_error(), 0)
  end
  add(self, item)
end

--- Puts an item into the queue, or raises QueueFull. asyncio.Queue.put_nowait
---
--- Raises QueueShutDown when the queue is shut down.
---@param item any anything but nil
function Queue:put_nowait(item)
  if item == nil then
    refuse_nil "put_nowait"
  elseif self.closed then
    error(shut_down_error(), 0)
  elseif is_full(self) then
    error(errors.QueueFull(("the queue has its %g items"):format(self.maxsize)), 0)
  end
  add(self, item)
end

-- The next item, or nil when the queue is shut down and empty.
local function next_item(queue)
  while queue.items.count == 0 do
    if queue.closed then
      return nil
    end
    wait_for_item(queue)
  end
  return take(queue)
end

--- Takes the next item; waits for one. asyncio.Queue.get
---
--- Raises QueueShutDown when the queue is shut down and empty. A get that is
--- cancelled takes nothing.
---@async
---@return any item
function Queue:get()
  local item = next_item(self)
  if item == nil then
    error(shut_down_error(), 0)
  end
  return item
end

--- Takes the next item, or raises QueueEmpty. asyncio.Queue.get_nowait
---
--- Raises QueueShutDown when the queue is shut down and empty.
---@return any item
function Queue:get_nowait()
  if self.items.count > 0 then
    return take(self)
  elseif self.closed then
    error(shut_down_error(), 0)
  end
  error(errors.QueueEmpty "the queue has no item", 0)
end

--- Iterates over the items; waits for them; ends when the queue is shut down and
--- empty: `for item in q:iter() do … end`. Several tasks may share the work.
---@async
---@return fun(): any
function Queue:iter()
  return function()
    return next_item(self)
  end
end

-- Moves items into the batch, waiting for them if told to.
local function fill(queue, batch, most, may_wait)
  while #batch < most do
    if queue.items.count > 0 then
      batch[#batch + 1] = take(queue)
    elseif queue.closed or not may_wait then
      return
    else
      wait_for_item(queue)
    end
  end
end

local function finish(queue, count)
  queue.unfinished = math.max(queue.unfinished - count, 0)
  if queue.unfinished == 0 then
    queue.joiners:wake()
  end
end

-- Items of a batch that nobody will get are first in the queue again. There may be
-- more than maxsize of them then: to lose one would be worse.
local function put_back(queue, batch)
  if queue.discarding then
    finish(queue, #batch)
    return
  end
  for i = #batch, 1, -1 do
    queue.items:unshift(batch[i])
    queue.getters:wake(1)
  end
end

-- What is there when the time is up belongs to the batch as well.
local function fill_within(queue, batch, most, within)
  if within == nil then
    fill(queue, batch, most, true)
    return
  end
  fill(queue, batch, most, false)
  if #batch < most and within > 0 and not queue.closed then
    timeouts.move_on_after(within, fill, queue, batch, most, true)
    fill(queue, batch, most, false)
  end
end

--- Checks the options of a batch, for the caller of who calls this.
---@param options {max?: integer, within?: number}
---@return number most   items; math.huge for any number
---@return number? within seconds
function queues.check_batch(options)
  if type(options) ~= "table" then
    error("batch: options expected, as in batch{max=100, within=0.05}", 3)
  end
  local most, within = options.max or math.huge, options.within
  if type(most) ~= "number" or most < 1 or most < math.huge and most % 1 ~= 0 or most ~= most then
    error(("batch: max has to be a whole number of 1 or more, not %s"):format(tostring(most)), 3)
  elseif within ~= nil and (type(within) ~= "number" or within < 0 or within ~= within) then
    error(("batch: within has to be 0 or more seconds, not %s"):format(tostring(within)), 3)
  elseif most == math.huge and within == nil then
    error("batch: max or within is needed, or it would never end", 3)
  end
  return most, within
end

--- Takes a list of items: as soon as there are `max`, or `within` seconds after
--- the first one came, or when the queue is shut down.
---
--- Waits for the first item, so that a batch is never empty; when the queue is shut
--- down and empty it returns nil. So this loop ends with the queue:
--- `for batch in function() return q:batch{max=100, within=0.05} end do`. A batch
--- that is cancelled puts its items back to where they were.
---@async
---@param options {max?: integer, within?: number} at least one of them; seconds
---@return any[]? batch
function Queue:batch(options)
  local most, within = queues.check_batch(options)
  local first = next_item(self)
  if first == nil then
    return nil
  end
  local batch = { first }
  local ok, e = pcall(fill_within, self, batch, most, within)
  if not ok then
    put_back(self, batch)
    error(e, 0)
  end
  return batch
end

--- Says that the work on an item, which was taken before, is done. Raises when
--- called more often than items were put. asyncio.Queue.task_done
function Queue:task_done()
  if self.unfinished <= 0 then
    error("Queue:task_done: called too many times", 2)
  end
  finish(self, 1)
end

--- Waits until task_done was called for every item. asyncio.Queue.join
---@async
function Queue:join()
  if self.unfinished > 0 then
    self.joiners:park()
  end
end

--- Ends the queue: put raises QueueShutDown from now on, and get does when the
--- items that are left were taken. asyncio.Queue.shutdown
---@param immediate? boolean throw away the items that are left; they count as done
function Queue:shutdown(immediate)
  self.closed = true
  if immediate then
    self.discarding = true
    local left = self.items.count
    while self.items.count > 0 do
      self.items:pop()
    end
    finish(self, left)
  end
  self.getters:wake()
  self.putters:wake()
end

function Queue:__tostring()
  local parts = { ("<%s size=%d maxsize=%g"):format(self.name, self.items.count, self.maxsize) }
  local function note(name, count)
    parts[#parts + 1] = count > 0 and ("%s=%d"):format(name, count) or nil
  end
  note("getters", #self.getters)
  note("putters", #self.putters)
  note("tasks", self.unfinished)
  parts[#parts + 1] = self.closed and "shutdown" or nil
  return table.concat(parts, " ") .. ">"
end

local function create(name, maxsize, items)
  if maxsize ~= nil and (type(maxsize) ~= "number" or maxsize ~= maxsize) then
    error(("%s: a number expected as maxsize, got %s"):format(name, tostring(maxsize)), 3)
  end
  return setmetatable({
    name = name,
    maxsize = maxsize or 0,
    items = items,
    getters = Waitlist.new "queue item",
    putters = Waitlist.new "room in queue",
    joiners = lot.new "queue join",
    unfinished = 0,
  }, Queue)
end

-- A stack needs only other names: its next item is the newest.
local Stack = setmetatable({ shift = Deque.pop, unshift = Deque.push }, { __index = Deque })
Stack.__index = Stack

--- A queue: first in, first out.
---@param maxsize? number 0 or less, the default: any number of items
---@return strobe.Queue
function queues.Queue(maxsize)
  return create("Queue", maxsize, Deque.new())
end

--- A queue that gives the newest item first.
---@param maxsize? number 0 or less, the default: any number of items
---@return strobe.Queue
function queues.LifoQueue(maxsize)
  return create("LifoQueue", maxsize, setmetatable(Deque.new(), Stack))
end

--- A queue that gives the least item first, and of equal ones the oldest.
---
--- Items are numbers, strings, tables with `__lt`, or lists, which are compared as
--- Python's tuples: `{priority, item}`; or anything, with a function of your own.
---@param maxsize? number 0 or less, the default: any number of items
---@param options? {less?: fun(a, b): boolean} whether a comes before b
---@return strobe.Queue
function queues.PriorityQueue(maxsize, options)
  local less = mistake.options("PriorityQueue", options).less
  if less ~= nil and type(less) ~= "function" then
    error(("PriorityQueue: a function expected as less, got %s"):format(type(less)), 2)
  end
  return create("PriorityQueue", maxsize, Heap.new(less))
end

return queues
