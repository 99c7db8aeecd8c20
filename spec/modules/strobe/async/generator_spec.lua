local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local collector = require "spec.support.collector"

describe("a generator", function()
  local count = async.generator(function(yield, n)
    for i = 1, n do
      async.sleep(1)
      yield(i)
    end
  end)

  -- The collector closes what was left in the middle: here, not in the next `it`.
  after_each(collector.collect)

  describe("a for loop", function()
    it("gets what the body yields and ends with it", function()
      local seen = {}
      for v in count(3) do
        table.insert(seen, { v, async.time() })
      end
      assert.same({ { 1, 1 }, { 2, 2 }, { 3, 3 } }, seen)
    end)

    it("gets several values at once", function()
      local pairs_of = async.generator(function(yield)
        yield("a", 1)
        yield("b", nil, 3)
      end)
      local seen = {}
      for k, v, w in pairs_of() do
        table.insert(seen, { k, v, w })
      end
      assert.same({ { "a", 1 }, { "b", nil, 3 } }, seen)
    end)

    it("over an empty body runs not once", function()
      for _ in count(0) do
        error "there is none"
      end
    end)

    it("passes an error of the body to the one who loops", function()
      local e = { "an error" }
      local gen = async.generator(function(yield)
        yield(1)
        error(e)
      end)
      local seen = {}
      local ok, raised = pcall(function()
        for v in gen() do
          table.insert(seen, v)
        end
      end)
      assert.is_false(ok)
      assert.equal(e, raised)
      assert.same({ 1 }, seen)
    end)

    it("that is left closes the generator, whose cleanup may wait", function()
      local log = {}
      local gen = async.generator(function(yield)
        local _ <close> = cleanup(function()
          async.sleep(2)
          table.insert(log, "clean")
        end)
        for i = 1, 10 do
          yield(i)
        end
      end)
      for v in gen() do
        if v == 2 then
          break
        end
      end
      table.insert(log, "left")
      assert.same({ "clean", "left" }, log)
      assert.equal(2, async.time())
    end)

    it("that fails closes the generator and passes its own error", function()
      local closed = false
      local gen = async.generator(function(yield)
        local _ <close> = cleanup(function()
          async.sleep(1)
          closed = true
        end)
        yield(1)
      end)
      assert.has_error(function()
        for _ in gen() do
          error("mine", 0)
        end
      end, "mine")
      assert.is_true(closed)
    end)

    it("that is cancelled closes the generator", function()
      local log = {}
      local gen = async.generator(function(yield)
        local _ <close> = cleanup(function(_, e)
          async.sleep(1)
          table.insert(log, tostring(e))
        end)
        yield(1)
      end)
      local t = async.create_task(function()
        for _ in gen() do
          async.sleep(100)
        end
      end)
      async.sleep(1)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.same({ "GeneratorExit: the generator was closed" }, log)
      assert.equal(2, async.time())
    end)

    it("can be over one generator after another, nested", function()
      local seen = {}
      for a in count(2) do
        for b in count(2) do
          table.insert(seen, a .. b)
        end
      end
      assert.same({ "11", "12", "21", "22" }, seen)
    end)
  end)

  describe("next", function()
    it("starts the body only when it is first asked", function()
      local begun = false
      local g = async.generator(function(yield)
        begun = true
        yield(1)
      end)()
      async.sleep(1)
      assert.is_false(begun)
      assert.equal("created", g:state())
      assert.equal(1, g:next())
      assert.equal("suspended", g:state())
    end)

    it("returns nothing once the body has ended", function()
      local g = count(1)
      assert.equal(1, g:next())
      assert.is_nil(g:next())
      assert.equal("ended", g:state())
      assert.is_nil(g:next())
    end)

    it("returns nothing once the body has failed", function()
      local g = async.generator(function()
        error("once", 0)
      end)()
      assert.has_error(function()
        g:next()
      end, "once")
      assert.is_nil(g:next())
    end)

    it("may be called by one task after another", function()
      local g = count(2)
      local a = async.create_task(g.next, g):await()
      local b = async.create_task(g.next, g):await()
      assert.same({ 1, 2 }, { a, b })
    end)

    it("is refused while another task is in it", function()
      local g = count(1)
      local t = async.create_task(g.next, g)
      async.sleep(0)
      assert.equal("running", g:state())
      for _, method in ipairs { g.next, g.send, g.close } do
        local ok, message = pcall(method, g)
        assert.is_false(ok)
        assert.matches("the generator is already running", message)
      end
      assert.equal(1, t:await())
    end)

    it("is refused inside its own body", function()
      local g, message
      g = async.generator(function()
        message = select(2, pcall(g.next, g))
      end)()
      g:next()
      assert.matches("the generator is already running", message)
    end)

    it("that is cancelled raises inside the body", function()
      local caught
      local g = async.generator(function(yield)
        local ok, e = pcall(async.sleep, 100)
        caught = not ok and e
        yield "went on"
      end)()
      local t = async.create_task(g.next, g)
      async.sleep(1)
      t:cancel()
      assert.equal("went on", t:await())
      assert.is_true(async.is(caught, async.CancelledError))
    end)

    it("that is cancelled ends a body which lets it pass", function()
      local g = count(5)
      local t = async.create_task(g.next, g)
      async.sleep(0.5)
      t:cancel()
      pcall(t.await, t)
      assert.is_true(t:cancelled())
      assert.equal("ended", g:state())
      assert.is_nil(g:next())
    end)
  end)

  describe("send", function()
    it("gives its values to the yield that waits", function()
      local received = {}
      local g = async.generator(function(yield)
        table.insert(received, table.pack(yield "first"))
        table.insert(received, table.pack(yield "second"))
      end)()
      assert.equal("first", g:next())
      assert.equal("second", g:send("a", nil))
      assert.is_nil(g:next())
      assert.same({ { n = 2, "a", nil }, { n = 0 } }, received)
    end)

    it("starts a body that has not begun; there is no yield yet for its values", function()
      local g = async.generator(function(yield, ...)
        yield(select("#", ...))
      end)()
      assert.equal(0, g:send "x")
    end)

    it("keeps a running total", function()
      local g = async.generator(function(yield)
        local total = 0
        while true do
          total = total + yield(total)
        end
      end)()
      g:next()
      assert.equal(3, g:send(3))
      assert.equal(7, g:send(4))
      g:close()
    end)
  end)

  describe("throw", function()
    it("raises where the body yields, and returns what it yields next", function()
      local e, caught = { "an error" }, nil
      local g = async.generator(function(yield)
        local ok, raised = pcall(yield, 1)
        caught = not ok and raised
        async.sleep(1)
        yield "after"
      end)()
      g:next()
      assert.equal("after", g:throw(e))
      assert.equal(e, caught)
      assert.equal(1, async.time())
    end)

    it("raises at the caller what the body does not catch", function()
      local g = count(2)
      g:next()
      assert.has_error(function()
        g:throw "out"
      end, "out")
      assert.equal("ended", g:state())
    end)

    it("into a body that has not begun ends it without a start", function()
      local begun = false
      local g = async.generator(function()
        begun = true
      end)()
      assert.has_error(function()
        g:throw "out"
      end, "out")
      assert.is_nil(g:next())
      assert.is_false(begun)
    end)

    it("into one that has ended raises the error", function()
      local g = count(0)
      g:next()
      assert.has_error(function()
        g:throw "out"
      end, "out")
    end)
  end)

  describe("close", function()
    it("raises GeneratorExit where the body yields", function()
      local caught
      local g = async.generator(function(yield)
        local ok, e = pcall(yield, 1)
        caught = not ok and e
        error(e, 0)
      end)()
      g:next()
      g:close()
      assert.equal("GeneratorExit: the generator was closed", tostring(caught))
      assert.equal("ended", g:state())
    end)

    it("twice is harmless, and before the start, and after the end", function()
      local g, unstarted, ended = count(2), count(2), count(0)
      g:next()
      ended:next()
      for _, each in ipairs { g, unstarted, ended } do
        each:close()
        each:close()
        assert.equal("ended", each:state())
        assert.is_nil(each:next())
      end
    end)

    it("takes a body that returns instead", function()
      local g = async.generator(function(yield)
        pcall(yield, 1)
        return "done"
      end)()
      g:next()
      g:close()
      assert.equal("ended", g:state())
    end)

    it("raises when the body goes on to yield", function()
      local g = async.generator(function(yield)
        pcall(yield, 1)
        yield(2)
      end)()
      g:next()
      local ok, message = pcall(g.close, g)
      assert.is_false(ok)
      assert.matches("the generator ignored its closing: it yielded again", message)
      g:close()
      assert.equal("ended", g:state())
    end)

    it("raises the error of a cleanup that fails", function()
      local g = async.generator(function(yield)
        local _ <close> = cleanup(function()
          async.sleep(1)
          error("broken cleanup", 0)
        end)
        yield(1)
      end)()
      g:next()
      assert.has_error(function()
        g:close()
      end, "broken cleanup")
    end)

    it("happens at the end of a scope", function()
      local g
      do
        local scoped <close> = count(3)
        g = scoped
        g:next()
      end
      assert.equal("ended", g:state())
    end)

    it("may be cancelled, and closes still", function()
      local cleaned
      local g = async.generator(function(yield)
        local _ <close> = cleanup(function()
          cleaned = pcall(async.sleep, 100)
        end)
        yield(1)
      end)()
      g:next()
      local t = async.create_task(g.close, g)
      async.sleep(1)
      t:cancel()
      async.wait { t }
      assert.is_false(cleaned)
      assert.equal("ended", g:state())
    end)
  end)

  describe("yield", function()
    it("works at any depth of calls and protected calls", function()
      local function deep(yield, n)
        if n == 0 then
          return yield "bottom"
        end
        local ok, v = pcall(deep, yield, n - 1)
        assert(ok)
        return v
      end
      local g = async.generator(function(yield)
        yield(deep(yield, 50))
      end)()
      assert.equal("bottom", g:next())
      assert.equal("up", g:send "up")
    end)

    it("is refused outside the generator's own body", function()
      local escaped
      local g = async.generator(function(yield)
        escaped = yield
        yield(1)
      end)()
      g:next()
      local messages = {}
      local function try()
        table.insert(messages, select(2, pcall(escaped, 2)))
      end
      try()
      async.create_task(try):await()
      coroutine.wrap(try)()
      async.generator(try)():next()
      for i = 1, 4 do
        assert.matches("yield called outside its generator's body", messages[i])
      end
      assert.is_nil(g:next())
    end)
  end)

  describe("making one", function()
    it("passes the arguments to the body", function()
      local g = async.generator(function(yield, ...)
        yield(...)
      end)(nil, "b", nil)
      assert.same({ n = 3, nil, "b", nil }, table.pack(g:next()))
    end)

    it("takes a function only", function()
      local ok, message = pcall(async.generator, 5)
      assert.is_false(ok)
      assert.matches("async.generator: a function expected, got number", message)
    end)

    it("gives an object that tells its state", function()
      local g = count(1)
      assert.matches("^<generator created at ", tostring(g))
    end)
  end)
end)
