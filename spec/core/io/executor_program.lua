--- Executors, for allocation_test.c: whatever fails here for want of memory must fail alone.

local async = require "strobe.async"

local begin = begin or function() end -- luacheck: ignore

local helper_count = 0

local function helper(value)
  helper_count = helper_count + 1
  return value
end

local parts = {
  function()
    local ex <close> = async.ThreadPoolExecutor(1)
    local shared = { 1, 2, name = "shared" }
    local got = ex:submit(function(a, b)
      return { helper(a), b, shared }
    end, shared, { inner = shared }):await()
    assert(rawequal(got[1], got[3]))
  end,
  function()
    local ex <close> = async.ThreadPoolExecutor { max_workers = 1, initializer = helper, initargs = { {} } }
    for n in ex:map(helper, { 1, 2, 3 }, { chunksize = 2 }) do
      assert(n)
    end
  end,
  function()
    return pcall(async.to_thread, error, { code = 1 })
  end,
  function()
    return pcall(async.to_thread, helper, { print })
  end,
  function()
    local ex <close> = async.ThreadPoolExecutor(1)
    local jobs = { ex:submit(helper, 1), ex:submit(helper, 2) }
    jobs[2]:cancel()
    jobs[1]:await()
    ex:shutdown { cancel_futures = true }
  end,
}

begin()
for _, part in ipairs(parts) do
  pcall(function()
    async.create_task(part):await()
  end)
end
