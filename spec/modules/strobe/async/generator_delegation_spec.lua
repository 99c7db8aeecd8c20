local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"
local reports = require "spec.support.reports"

describe("a generator among others", function()
  local count = async.generator(function(yield, n)
    for i = 1, n do
      async.sleep(1)
      yield(i)
    end
  end)

  -- The collector closes what was left in the middle: here, not in the next `it`.
  after_each(collector.collect)

  describe("yield.from", function()
    it("yields all that another generator yields, then goes on", function()
      local gen = async.generator(function(yield)
        yield "begin"
        yield.from(count(2))
        yield "end"
      end)
      local seen = {}
      for v in gen() do
        table.insert(seen, v)
      end
      assert.same({ "begin", 1, 2, "end" }, seen)
      assert.equal(2, async.time())
    end)

    it("takes any iterator", function()
      local gen = async.generator(function(yield)
        yield.from(ipairs { "a", "b" })
        yield.from(("x y"):gmatch "%a")
      end)
      local seen = {}
      for v, w in gen() do
        table.insert(seen, { v, w })
      end
      assert.same({ { 1, "a" }, { 2, "b" }, { "x" }, { "y" } }, seen)
    end)

    it("sends on what is sent, and returns what the other generator returned", function()
      local log = {}
      local inner = async.generator(function(yield)
        log[1] = yield "a"
        log[2] = yield "b"
        return "inner's", "results"
      end)
      local outer = async.generator(function(yield)
        log[3], log[4] = yield.from(inner())
        yield "end"
      end)()
      assert.equal("a", outer:next())
      assert.equal("b", outer:send(1))
      assert.equal("end", outer:send(2))
      assert.same({ 1, 2, "inner's", "results" }, log)
      outer:close()
    end)

    it("raises in the other generator what is thrown", function()
      local inner = async.generator(function(yield)
        local ok, e = pcall(yield, "a")
        yield { ok, e }
      end)
      local outer = async.generator(function(yield)
        yield.from(inner())
      end)()
      outer:next()
      assert.same({ false, "thrown" }, outer:throw "thrown")
      assert.is_nil(outer:next())
    end)

    it("raises what the other generator does not catch", function()
      local inner = async.generator(function(yield)
        yield "a"
      end)
      local outer = async.generator(function(yield)
        local ok, e = pcall(yield.from, inner())
        yield { ok, e }
      end)()
      outer:next()
      assert.same({ false, "thrown" }, outer:throw "thrown")
      outer:close()
    end)

    it("closes the other generator when it is closed itself", function()
      local log = {}
      local inner = async.generator(function(yield)
        local _ <close> = cleanup(function()
          async.sleep(1)
          table.insert(log, "inner")
        end)
        yield(1)
      end)
      local outer = async.generator(function(yield)
        local _ <close> = cleanup(function()
          table.insert(log, "outer")
        end)
        local delegate = inner()
        yield.from(delegate)
      end)
      for _ in outer() do -- luacheck: ignore
        break
      end
      assert.same({ "inner", "outer" }, log)
      assert.equal(1, async.time())
    end)

    it("passes errors of the other generator", function()
      local bad = async.generator(function()
        error("bad", 0)
      end)
      local outer = async.generator(function(yield)
        yield.from(bad())
      end)
      assert.has_error(function()
        outer():next()
      end, "bad")
    end)

    it("goes a thousand generators deep", function()
      local nested = async.generator(function(yield)
        yield "bottom"
      end)
      for _ = 1, 1000 do
        local inner = nested
        nested = async.generator(function(yield)
          yield.from(inner())
        end)
      end
      local seen = {}
      for v in nested() do
        table.insert(seen, v)
      end
      assert.same({ "bottom" }, seen)
    end)
  end)

  describe("dropped in the middle", function()
    it("gets its cleanup, which may wait, when it is collected", function()
      local log = {}
      local gen = async.generator(function(yield)
        local _ <close> = cleanup(function(_, e)
          async.sleep(1)
          table.insert(log, tostring(e))
        end)
        yield(1)
        yield(2)
      end)
      do
        local g = gen()
        g:next()
      end
      collector.collect()
      async.sleep(2)
      assert.same({ "GeneratorExit: the generator was closed" }, log)
    end)

    it("before its start is collected without a word", function()
      local begun = false
      assert.same({}, reports.of(function()
        async.generator(function()
          begun = true
        end)()
      end))
      assert.is_false(begun)
    end)

    it("whose cleanup fails is reported", function()
      local gen = async.generator(function(yield)
        local _ <close> = cleanup(function()
          error("broken cleanup", 0)
        end)
        yield(1)
      end)
      local seen = reports.of(function()
        local g = gen()
        g:next()
      end)
      assert.equal(1, #seen)
      assert.equal("broken cleanup", seen[1].failure.error)
    end)

    it("leaves no memory behind", function()
      local gen = async.generator(function(yield)
        yield(1)
      end)
      local function drop()
        for _ = 1, 2000 do
          local g = gen()
          g:next()
        end
        collectgarbage()
        async.sleep(1)
        collectgarbage()
        collectgarbage()
        return collectgarbage "count"
      end
      drop()
      local before = drop()
      assert(drop() < before + 100)
    end)
  end)
end)
