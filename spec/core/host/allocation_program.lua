--- A little of everything, for allocation_test.c: whatever fails here for want of
-- memory must fail alone, and the program must come to its end.
--
-- It exits with 3 when a task was left waiting for ever. That may happen when a callback
-- failed, which is then reported.

local async = require "strobe.async"
local json = require "strobe.json"
local net = require "strobe.net"

local begin = begin or function() end -- luacheck: ignore

local function echo()
  local server <close> = assert(net.listen("127.0.0.1", 0))
  local serving <close> = async.TaskGroup()
  serving:create_task(function()
    for conn in server:accept() do
      serving:create_task(function()
        local open <close> = conn -- luacheck: ignore
        conn:write(conn:read(4))
      end)
    end
  end)
  local client <close> = assert(net.connect("127.0.0.1", server:port()))
  client:write "ping"
  client:read(4)
  serving:cancel()
end

local parts = {
  function()
    return async.gather(async.create_task(async.sleep, 1, "a"), async.fn(function()
      async.sleep(2)
      return 1, 2, 3
    end)())
  end,
  function()
    local results = async.gather({
      async.create_task(error, "on purpose"),
      async.create_task(async.sleep, 1),
    }, { return_exceptions = true })
    return #results
  end,
  function()
    local queue = async.Queue(2)
    local group <close> = async.TaskGroup()
    group:create_task(function()
      for i = 1, 5 do
        queue:put(i)
      end
      queue:shutdown()
    end)
    for item in queue:iter() do
      assert(item)
    end
  end,
  function()
    local numbers = async.generator(function(yield)
      for i = 1, 3 do
        async.sleep(1)
        yield(i)
      end
    end)
    for n in numbers() do
      assert(n)
    end
  end,
  function()
    local t = async.create_task(async.sleep, 100)
    t:add_done_callback(function() end)
    t:set_name "named"
    async.sleep(1)
    t:cancel "enough"
    return pcall(t.await, t)
  end,
  function()
    return pcall(async.wait_for, async.fn(async.sleep)(9), 1)
  end,
  function()
    local group <close> = async.TaskGroup()
    group:create_task(async.sleep, 1)
    group:create_task(async.sleep, 2)
  end,
  function()
    async.get_running_loop():call_later(1, error, "in a callback")
    async.sleep(2)
  end,
  function()
    return json.decode(json.encode { a = { 1, 2, 3 }, b = "text" })
  end,
  function()
    async.move_on_after(10, echo)
  end,
  function()
    local near, far = net.pipe()
    near:write "hello"
    near:close()
    far:read(5)
    far:close()
  end,
  function()
    local var = async.ContextVar "x"
    var:set(1)
    async.create_task(var.get, var):await()
  end,
}

local function print_tasks()
  for _, each in ipairs(async.all_tasks()) do
    print(each)
    for _, thread in ipairs(each:threads()) do
      print(debug.traceback(thread))
    end
  end
end

-- Each part in a task of its own.
local function try(part)
  local t = async.create_task(part)
  local ok, done = pcall(async.wait, { t }, { timeout = 1000 })
  if ok and #done == 0 then
    print_tasks()
    os.exit(3)
  end
end

begin()
for _, part in ipairs(parts) do
  pcall(try, part)
end
