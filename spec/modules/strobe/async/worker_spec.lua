local Folder = require "spec.support.folder"
local Barrier = require "spec.support.barrier"
local async = require "strobe.async"
local errors = require "spec.support.errors"
local strobe = require("spec.support.shell").lua

local raised_by = errors.raised_by

describe("a worker", function()
  it("requires what its maker would: our modules, modules of C, files of package.path", function()
    local folder <close> = Folder.new { ["spec_account.lua"] = "return { balance = 7, ... }" }
    local path = package.path
    package.path = folder.path .. "/?.lua;" .. path
    local ex <close> = async.ThreadPoolExecutor(1)
    package.path = path
    local got = ex:submit(function()
      return require("strobe.json").encode { 1 }, require("cjson").encode { 2 }, require("spec_account").balance,
        type(require("luv").loop_alive())
    end)
    assert.same({ "[1]", "[2]", 7, "boolean" }, { got:await() })
  end)

  it("takes a module that is an upvalue from there, and an object of a class in it", function()
    local folder <close> = Folder.new { ["spec_point.lua"] = [[
      local Point = {}
      Point.__index = Point
      function Point.new(x) return setmetatable({ x = x }, Point) end
      function Point:twice() return Point.new(2 * self.x) end
      return Point]] }
    local path = package.path
    package.path = folder.path .. "/?.lua;" .. path
    local ex <close> = async.ThreadPoolExecutor(1)
    local Point = require "spec_point"
    package.path = path
    local point = ex:submit(function(p)
      return Point.new(p:twice().x + 1)
    end, Point.new(4)):await()
    package.loaded.spec_point = nil
    assert.equal(Point, getmetatable(point))
    assert.equal(9, point.x)
  end)

  it("keeps its globals and modules from job to job", function()
    local ex <close> = async.ThreadPoolExecutor(1)
    local function count()
      counter = (counter or 0) + 1 -- luacheck: ignore
      return counter -- luacheck: ignore
    end
    assert.equal(1, ex:submit(count):await())
    assert.equal(2, ex:submit(count):await())
    assert.is_nil(counter) -- luacheck: ignore
  end)

  it("has a name, and the script's arguments", function()
    local ex <close> = async.ThreadPoolExecutor { max_workers = 1, thread_name_prefix = "digger" }
    local name, argument = ex:submit(function()
      return require("strobe.async").current_task():get_name(), arg[0]
    end):await()
    assert.equal("digger_0", name)
    assert.equal(arg and arg[0], argument)
  end)

  it("has a loop of its own, on which a job may do all that a script may", function()
    local results = async.to_thread(function()
      local inside = require "strobe.async"
      local net = require "strobe.net"
      local near, far = net.pipe()
      local group <close> = inside.TaskGroup()
      local reader = group:create_task(far.read, far, 5)
      near:write "hello"
      local results = { reader:await(), inside.gather(inside.create_task(inside.sleep, 1, "slept"), reader) }
      near:close()
      far:close()
      results[#results + 1] = inside.run(function()
        return "run"
      end)
      return results
    end)
    assert.same({ "hello", "slept", "hello", "run" }, results)
  end)

  it("ends what a job leaves running", function()
    local ex <close> = async.ThreadPoolExecutor(1)
    local barrier <close> = Barrier.new()
    local path = barrier.path
    ex:submit(function()
      local inside = require "strobe.async"
      inside.create_task(function()
        local _ <close> = setmetatable({}, { __close = function()
          io.open(path .. "/here", "w"):close()
        end })
        inside.sleep(1000)
      end)
      inside.sleep(0)
    end):await()
    barrier:reached()
    assert.equal(1, ex:submit(function()
      return #require("strobe.async").all_tasks() - 1 -- the job, and what runs it
    end):await())
  end)

  it("may have an executor of its own", function()
    assert.equal(12, async.to_thread(function()
      local inside = require "strobe.async"
      local ex <close> = inside.ThreadPoolExecutor(2)
      local sum = 0
      for n in ex:map(function(n)
        return 2 * n
      end, { 1, 2, 3 }) do
        sum = sum + n
      end
      return sum
    end))
  end)

  it("cannot end the process", function()
    assert.matches("os.exit: a worker thread cannot end the process", raised_by(async.to_thread, function()
      os.exit(3)
    end))
  end)

  it("prints whole lines", function()
    local output, status = strobe [[
      local function lines(name)
        for i = 1, 500 do print(name, name, i) end
      end
      local ex <close> = async.ThreadPoolExecutor(3)
      ex:submit(lines, "a")
      ex:submit(lines, "b")
      lines "main" ]]
    local count = 0
    for line in output:gmatch "[^\n]*\n" do
      assert.matches("^(%w+)\t%1\t%d+\n$", line)
      count = count + 1
    end
    assert.equal(1500, count)
    assert.equal(0, status)
  end)

  it("reports on its own what goes wrong in a task that nobody awaits", function()
    local output = strobe [[
      async.to_thread(function()
        local inside = require "strobe.async"
        inside.create_task(error, "on its own")
        inside.sleep(0)
        collectgarbage()
      end)]]
    assert.matches("exception was never retrieved\non its own", output)
  end)

  it("takes no notice of a step that is long", function()
    local output = strobe [[async.to_thread(function() require "luv".sleep(200) end) print "done"]]
    assert.not_matches("strobe_0 ran", output)
    assert.matches("done\n$", output)
  end)

  describe("begins with the initializer", function()
    it("which gets its arguments, and may set globals", function()
      local ex <close> = async.ThreadPoolExecutor { max_workers = 2, initializer = function(a, b)
        initialized = { a, b } -- luacheck: ignore
        require("strobe.async").sleep(1)
      end, initargs = { 1, { "two" } } }
      for _ = 1, 3 do
        assert.same({ 1, { "two" } }, ex:submit(function()
          return initialized -- luacheck: ignore
        end):await())
      end
    end)

    it("and when that fails, so do all jobs, and those that come later", function()
      local ex <close> = async.ThreadPoolExecutor { max_workers = 1, initializer = function()
        error "no table"
      end }
      local jobs = {}
      for i = 1, 3 do
        local ok, job = pcall(ex.submit, ex, print, i)
        jobs[i] = ok and job or nil
      end
      for _, job in ipairs(jobs) do
        local e = errors.raised(async.BrokenThreadPool, job.await, job)
        assert.matches("^A thread initializer failed, the thread pool is not usable anymore: [^\n]*no table", e.message)
      end
      errors.raised(async.BrokenThreadPool, ex.submit, ex, print)
      errors.raised(async.BrokenThreadPool, function()
        for _ in ex:map(print, { 1 }) do
          error "not reached"
        end
      end)
    end)

    it("that waits for ever has failed", function()
      local ex <close> = async.ThreadPoolExecutor { max_workers = 1, initializer = function()
        require("strobe.async").Event():wait()
      end }
      local job = ex:submit(print)
      assert.matches("it waits for ever", errors.raised(async.BrokenThreadPool, job.await, job).message)
    end)
  end)

  describe("with a memory_limit", function()
    local ex

    before_each(function()
      ex = async.ThreadPoolExecutor { max_workers = 1, memory_limit = 8 << 20 }
    end)

    after_each(function()
      ex:shutdown()
    end)

    it("raises what Lua says when there is no more, and can do the next job", function()
      for _ = 1, 5 do
        assert.matches("not enough memory", raised_by(function()
          ex:submit(function()
            local t = {}
            while true do
              t[#t + 1] = ("x"):rep(#t)
            end
          end):await()
        end))
        assert.equal(1000000, #ex:submit(string.rep, "x", 1000000):await())
      end
    end)

    it("does not take arguments that are too large, nor results", function()
      assert.matches("not enough memory", raised_by(function()
        ex:submit(function() end, ("x"):rep(16 << 20)):await()
      end))
      local many = {}
      for i = 1, 200000 do
        many[i] = {}
      end
      assert.matches("not enough memory", raised_by(function()
        ex:submit(function() end, many):await()
      end))
      assert.equal(7, ex:submit(function()
        return 7
      end):await())
    end)

    it("gives memory back after each job", function()
      for i = 1, 30 do
        assert.equal(i, ex:submit(function(text, n)
          return n, text .. text
        end, ("x"):rep(1 << 20), i):await())
      end
    end)
  end)
end)
