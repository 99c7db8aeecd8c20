local async = require "strobe.async"
local errors = require "spec.support.errors"
local net = require "strobe.net"
local testing = require "strobe.testing"
local uv = require "luv"

local kept -- what a spec leaks on purpose

local function end_kept()
  if kept then
    kept()
    kept = nil
  end
end

describe("testing.leaks", function()
  after_each(end_kept)

  it("finds nothing where all ends", function()
    assert.same({}, testing.leaks(function(seconds)
      local server <close> = assert(net.listen(nil, 0)) -- luacheck: ignore
      async.create_task(async.sleep, seconds):await()
    end, 1))
  end)

  it("tells tasks, timers, handles and descriptors", function()
    for name, leak in pairs {
      ["^task forgotten, which waits for sleep$"] = function()
        local task = async.create_task(async.sleep, 10)
        task:set_name "forgotten"
        kept = function()
          task:cancel()
        end
      end,
      ["^1 timer%(s%)$"] = function()
        local handle = async.get_running_loop():call_later(10, print)
        kept = function()
          handle:cancel()
        end
      end,
      ["^1 handle%(s%) of type tcp descriptor %d+$"] = function()
        local server = assert(net.listen(nil, 0))
        kept = function()
          server:close()
        end
      end,
      ["^descriptor %d+$"] = function()
        local fd = assert(uv.fs_open("/dev/null", "r", 0))
        kept = function()
          uv.fs_close(fd)
        end
      end,
    } do
      assert.matches(name, table.concat(testing.leaks(leak), " "))
      end_kept()
      testing.clock.run_until_idle()
    end
  end)

  it("lets errors through, and takes a function", function()
    assert.equal("oops", errors.raised_by(testing.leaks, function()
      error("oops", 0)
    end))
    assert.matches("testing.leaks: a function expected, got nil", errors.raised_by(testing.leaks))
  end)
end)

describe("testing.assert_no_leaks", function()
  it("returns what the function returns", function()
    assert.same({ 1, nil, 3, n = 3 }, table.pack(testing.assert_no_leaks(function(...)
      return ...
    end, 1, nil, 3)))
  end)

  it("raises what is left over", function()
    local task
    local e = errors.raised_by(testing.assert_no_leaks, function()
      task = async.create_task(async.sleep, 10)
    end)
    assert.matches("left over: task Task%-%d+, which waits for sleep", e)
    task:cancel()
  end)
end)

describe("testing.grows", function()
  it("is false for what gives back what it takes", function()
    assert.is_false(testing.grows(function()
      local near, far = net.pipe()
      near:write(("x"):rep(1000))
      far:read()
      near:close()
      far:close()
      return { {}, {} }
    end))
  end)

  it("is false for a cache that is full after the first calls", function()
    local cache, count = {}, 0
    assert.is_false(testing.grows(function()
      count = count % 20 + 1
      cache[count] = ("x"):rep(1000) .. count
    end, { rounds = 50 }))
    assert.equal(20, #cache)
  end)

  it("tells how much is kept by each call", function()
    local list = {}
    local bytes = testing.grows(function()
      list[#list + 1] = ("x"):rep(1000) .. #list
    end, { rounds = 20 })
    assert.is_true(bytes and bytes > 900 and bytes < 1300, tostring(bytes))
  end)

  it("takes a function and a number of rounds", function()
    assert.matches("testing.grows: a function expected, got table", errors.raised_by(testing.grows, {}))
    assert.matches("testing.grows: rounds: a whole number above 0 expected, got 0",
      errors.raised_by(testing.grows, print, { rounds = 0 }))
  end)
end)
