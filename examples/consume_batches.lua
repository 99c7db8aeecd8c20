-- Batches from a queue, full or after a while, each stored by a worker thread; then join, and the end of the consumer.
-- In Python the consumer collects with get and wait_for, runs the job by run_in_executor, and loses what it has
-- collected when it is cancelled. Here `queue:batch` collects, and puts that back; a job that runs is shielded.

local async = require "strobe.async"

local MOST, WITHIN = 4, 0.5 -- items of a batch; seconds after its first one

local start = async.time()

local function say(text, ...)
  print(("%4.2f s  " .. text):format(async.time() - start, ...))
end

-- Runs on a thread of its own, with copies of its arguments: as slow as writing to a disk.
local function store(batch)
  local sum = 0
  for _, item in ipairs(batch) do
    sum = sum + item
  end
  return sum
end

-- Items come in bursts with pauses.
local function produce(queue)
  for item = 1, 10 do
    queue:put(item)
    if item % 5 == 0 then
      async.sleep(1)
    end
  end
end

-- What was taken is stored and marked as done even when the consumer is cancelled meanwhile.
local function store_and_mark(queue, batch)
  local sum = async.to_thread(store, batch)
  for _ = 1, #batch do
    queue:task_done()
  end
  say("stored %s: sum %d", table.concat(batch, " "), sum)
end

local function consume(queue)
  while true do
    local batch = queue:batch { max = MOST, within = WITHIN }
    async.shield(async.create_task(store_and_mark, queue, batch)):await()
  end
end

local function stop(task)
  task:cancel()
  pcall(task.await, task)
end

local queue = async.Queue()
local consumer = async.create_task(consume, queue)
produce(queue)
queue:join()
say "all is stored"
stop(consumer)

print "-- cancelled in the middle of a batch: nothing is lost"
consumer = async.create_task(consume, queue)
queue:put "one"
queue:put "two"
async.sleep(WITHIN / 2) -- two of four items, and half of the time: it waits for more
stop(consumer)
say("%d items are in the queue again; the first is %s", queue:qsize(), queue:get())
