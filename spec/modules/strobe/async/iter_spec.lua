local async = require "strobe.async"
local cleanup = require "spec.support.cleanup"
local counter = require "spec.support.counter"

-- A generator that gives the values and then raises the error.
local function failing(e, ...)
  return async.generator(function(yield, ...)
    for _, value in ipairs { ... } do
      yield(value)
    end
    error(e, 0)
  end)(...)
end

local function even(i)
  return i % 2 == 0
end

local function double(i)
  return i * 2
end

describe("async.iter", function()
  describe("of", function()
    it("a list gives its items", function()
      assert.same({ 1, false, 3 }, async.iter({ 1, false, 3 }):to_list())
      assert.same({}, async.iter({}):to_list())
    end)

    it("a generator gives what it yields", function()
      assert.same({ 1, 2, 3 }, async.iter(counter(3, 1)):to_list())
      assert.equal(3, async.time())
    end)

    it("an iterator function gives its values", function()
      assert.same({ "a", "b" }, async.iter(("a b"):gmatch "%a"):to_list())
      local seen = {}
      for key, value in async.iter(ipairs { "x", "y" }) do
        seen[key] = value
      end
      assert.same({ "x", "y" }, seen)
    end)

    it("a queue or a channel gives its items until its end", function()
      local queue, channel = async.Queue(), async.Channel.drop_oldest(5)
      for i = 1, 3 do
        queue:put_nowait(i)
        channel:send(i)
      end
      queue:shutdown()
      channel:close()
      assert.same({ 1, 2, 3 }, async.iter(queue):to_list())
      assert.same({ 1, 2, 3 }, async.iter(channel):to_list())
    end)

    it("a chain is that chain", function()
      local chain = async.iter { 1 }
      assert.equal(chain, async.iter(chain))
    end)

    it("anything else is refused", function()
      assert.error_matches(function()
        async.iter(5)
      end, "async.iter: an iterator, queue, channel or list expected, got number")
    end)
  end)

  it("chains steps for a for loop", function()
    local seen = {}
    for value in async.iter(counter(100)):filter(even):map(double):take(3) do
      seen[#seen + 1] = value
    end
    assert.same({ 4, 8, 12 }, seen)
  end)

  it("reads nothing before somebody wants it", function()
    local read = 0
    local chain = async.iter(function()
      read = read + 1
      return read
    end):map(double):filter(even)
    assert.equal(0, read)
    assert.equal(2, chain())
    assert.equal(1, read)
  end)

  it("ends for good: the source is not asked again", function()
    local asked = 0
    local chain = async.iter(function()
      asked = asked + 1
      return asked < 3 and asked or nil
    end):chunks(5)
    assert.same({ 1, 2 }, chain())
    assert.is_nil(chain())
    assert.is_nil(chain())
    assert.equal(3, asked)
  end)

  describe("map", function()
    it("refuses to lose a value by returning nil", function()
      assert.error_matches(function()
        async.iter({ 1 }):map(function() end):to_list()
      end, "iter:map: the function returned nil")
    end)

    it("and filter get and keep all values", function()
      local seen = {}
      local chain = async.iter(ipairs { "a", "b", "c" }):filter(function(i)
        return i ~= 2
      end):map(function(i, name)
        return name, i
      end)
      for name, i in chain do
        seen[name] = i
      end
      assert.same({ a = 1, c = 3 }, seen)
    end)

    it("may wait", function()
      local chain = async.iter({ 1, 2 }):map(function(i)
        async.sleep(i)
        return i
      end)
      assert.same({ 1, 2 }, chain:to_list())
      assert.equal(3, async.time())
    end)
  end)

  describe("take", function()
    it("closes the source as soon as it has the last value", function()
      local log = {}
      for value in async.iter(counter(100, nil, log)):take(2) do
        log[#log + 1] = value
        if value == 2 then
          break
        end
      end
      assert.same({ 1, "closed", 2 }, log)
    end)

    it("of more than there are takes all, of none reads nothing", function()
      assert.same({ 1, 2 }, async.iter({ 1, 2 }):take(5):to_list())
      assert.same({}, async.iter(failing "never read"):take(0):to_list())
    end)
  end)

  it("drop leaves out the first", function()
    assert.same({ 3, 4 }, async.iter({ 1, 2, 3, 4 }):drop(2):to_list())
    assert.same({}, async.iter({ 1, 2 }):drop(5):to_list())
  end)

  it("chunks makes lists, of which the last may be shorter", function()
    assert.same({ { 1, 2 }, { 3 } }, async.iter({ 1, 2, 3 }):chunks(2):to_list())
    assert.same({ { 1, false } }, async.iter({ 1, false }):chunks(2):to_list())
  end)

  describe("decode", function()
    it("makes text of bytes that are cut within a character", function()
      local chunks = { "na\xC3", "\xAFve \xE2", "\x82", "", "\xAC" }
      assert.same({ "na", "ïve ", "€" }, async.iter(chunks):decode("utf-8"):to_list())
      assert.same({ "naïve €" }, async.iter(chunks):decode():lines():to_list())
    end)

    it("does with what is wrong as it is told", function()
      local chunks = { "a\xFF", "b\xE2\x82" }
      assert.same({ "a\u{FFFD}", "b", "\u{FFFD}" }, async.iter(chunks):decode("utf-8", "replace"):to_list())
      assert.same({ "a", "b" }, async.iter(chunks):decode("utf-8", "ignore"):to_list())
      local log = {}
      local chain = async.iter(counter(3, nil, log)):map(function(i)
        return ("é"):rep(i - 1) .. (i == 3 and "\xFF" or "")
      end):decode()
      assert.equal("é", chain())
      local ok, e = pcall(chain)
      assert.is_false(ok)
      assert.is_true(async.is(e, async.UnicodeDecodeError))
      assert.equal(6, e.offset)
      assert.same({ "closed" }, log)
      assert.is_nil(chain())
    end)

    it("refuses at once what it does not know", function()
      assert.error_matches(function()
        async.iter({}):decode "ebcdic"
      end, 'encoding: "utf%-8" expected, got ebcdic')
    end)
  end)

  it("lines keeps ends when told to, and has a second name", function()
    assert.same({ "a\r\n", "b" }, async.iter({ "a\r", "\nb" }):lines({ keepends = true }):to_list())
    assert.same({ "a", "b" }, async.iter({ "a\r", "\nb" }):split_lines():to_list())
  end)

  it("lines joins what was cut", function()
    local chunks = { "fir", "st\r", "\nsecond\nth", "", "ird" }
    assert.same({ "first", "second", "third" }, async.iter(chunks):lines():to_list())
    local ok, e = pcall(function()
      async.iter({ "123", "45" }):lines({ limit = 4 }):to_list()
    end)
    assert.is_false(ok)
    assert.is_true(async.is(e, async.LimitOverrunError))
  end)

  it("enumerate counts", function()
    local seen = {}
    for i, value in async.iter({ "a", "b" }):enumerate() do
      seen[i] = value
    end
    assert.same({ "a", "b" }, seen)
    assert.equal(0, (async.iter({ "a" }):enumerate(0)()))
  end)

  it("reduce, for_each and to_list read to the end", function()
    local function add(a, b)
      return a + b
    end
    assert.equal(6, async.iter({ 1, 2, 3 }):reduce(add))
    assert.equal(16, async.iter({ 1, 2, 3 }):reduce(add, 10))
    assert.equal(10, async.iter({}):reduce(add, 10))
    assert.error_matches(function()
      async.iter({}):reduce(add)
    end, "iter:reduce: there are no values")
    local seen = {}
    async.iter(ipairs { "a", "b" }):for_each(function(i, value)
      seen[i] = value
    end)
    assert.same({ "a", "b" }, seen)
  end)

  describe("zip", function()
    it("gives values side by side until one source ends, and closes all", function()
      local log, seen = {}, {}
      for a, b, c in async.iter(counter(9, nil, log)):zip({ "x", "y" }, counter(9, nil, log)) do
        seen[#seen + 1] = { a, b, c }
      end
      assert.same({ { 1, "x", 1 }, { 2, "y", 2 } }, seen)
      assert.same({ "closed", "closed" }, log)
    end)
  end)

  describe("leaving the loop", function()
    it("closes the source, with each()", function()
      local log = {}
      for value in async.iter(counter(9, nil, log)):map(double):each() do
        if value == 4 then
          break
        end
      end
      assert.same({ "closed" }, log)
    end)

    it("closes the source, with a closing value", function()
      local log = {}
      do
        local chain <close> = async.iter(counter(9, nil, log)):filter(even)
        assert.equal(2, chain:next())
      end
      assert.same({ "closed" }, log)
    end)

    it("closes the source when a step raises", function()
      local log = {}
      local ok, e = pcall(function()
        for _ in async.iter(counter(9, nil, log)):map(function()
          error("oops", 0)
        end) do
          log[#log + 1] = "never"
        end
      end)
      assert.is_false(ok)
      assert.equal("oops", e)
      assert.same({ "closed" }, log)
    end)

    it("closes the source when the task is cancelled", function()
      local log = {}
      local task = async.create_task(function()
        for _ in async.iter(counter(9, 10, log)):map(double) do
          log[#log + 1] = "value"
        end
      end)
      async.sleep(15)
      task:cancel()
      pcall(task.await, task)
      assert.is_true(task:cancelled())
      assert.same({ "value", "closed" }, log)
    end)

    it("closes the fourth value of an iterator", function()
      local log = {}
      async.iter(counter(9, nil, log), nil, nil, cleanup(function()
        log[#log + 1] = "closing value"
      end)):take(1):to_list()
      assert.same({ "closing value" }, log)
    end)

    it("twice is harmless", function()
      local log = {}
      local chain = async.iter(counter(9, nil, log))
      chain()
      chain:close()
      chain:close()
      assert.is_nil(chain())
      assert.same({ "closed" }, log)
    end)
  end)

  it("names the caller's mistake", function()
    local cases = {
      { "map", 5, "iter:map: a function expected, got number" },
      { "filter", nil, "iter:filter: a function expected, got nil" },
      { "take", -1, "iter:take: a number of 0 or more expected, got %-1" },
      { "drop", 1.5, "iter:drop: a number of 0 or more expected, got 1.5" },
      { "chunks", 0, "iter:chunks: a number of 1 or more expected, got 0" },
      { "lines", { limit = 0 }, "iter:lines: a number of 1 or more expected" },
      { "reduce", "+", "iter:reduce: a function expected, got string" },
      { "batch", {}, "max or within is needed" },
      { "batch", 5, "options expected" },
    }
    for _, case in ipairs(cases) do
      local chain = async.iter { 1 }
      assert.error_matches(function()
        chain[case[1]](chain, case[2])
      end, case[3])
    end
  end)
end)

describe("merge", function()
  it("gives the values of all sources as they come", function()
    local seen = {}
    for value in async.iter(counter(3, 2)):map(double):merge(counter(2, 2.5), { "list" }) do
      seen[#seen + 1] = { async.time(), value }
    end
    assert.same({ { 0, "list" }, { 2, 2 }, { 2.5, 1 }, { 4, 4 }, { 5, 2 }, { 6, 6 } }, seen)
  end)

  it("lets a source be only a little ahead of the loop", function()
    local read = 0
    local chain = async.iter(function()
      read = read + 1
      return read
    end):merge {}
    for i = 1, 1000 do
      assert.equal(i, chain())
    end
    assert.is_true(read < 1100)
    chain:close()
  end)

  it("refuses what is no source", function()
    assert.error_matches(function()
      async.iter({ 1 }):merge({}, 5)
    end, "an iterator, queue, channel or list expected, got number")
  end)

  it("that is left cancels its tasks and closes all sources", function()
    local log = {}
    local living = #async.all_tasks()
    for value in async.iter(counter(9, 1, log)):merge(counter(9, 100, log)):each() do
      if value == 3 then
        break
      end
    end
    assert.same({ "closed", "closed" }, log)
    assert.equal(living, #async.all_tasks())
    assert.equal(3, async.time())
  end)

  it("that was never read closes its sources", function()
    local log = {}
    local first, second = counter(9, nil, log), counter(9, nil, log)
    first()
    second()
    async.iter(first):merge(second):close()
    assert.same({ "closed", "closed" }, log)
  end)

  it("with take ends its tasks", function()
    local log = {}
    assert.same({ 1, 1, 2 }, async.iter(counter(9, 1, log)):merge(counter(9, 1, log)):take(3):to_list())
    assert.same({ "closed", "closed" }, log)
  end)

  it("raises the error of a source, after what came before it, and ends the others", function()
    local log, seen = {}, {}
    local ok, e = pcall(function()
      for value in async.iter(failing("feed lost", "a", "b")):merge(counter(9, 1, log)) do
        seen[#seen + 1] = value
      end
    end)
    assert.is_false(ok)
    assert.equal("feed lost", e)
    assert.same({ "a", "b" }, seen)
    assert.same({ "closed" }, log)
  end)

  it("is closed when its consumer is cancelled", function()
    local log = {}
    local task = async.create_task(function()
      return async.iter(counter(9, 1, log)):merge(counter(9, 1, log)):to_list()
    end)
    async.sleep(2.5)
    task:cancel()
    pcall(task.await, task)
    assert.is_true(task:cancelled())
    assert.same({ "closed", "closed" }, log)
  end)

  it("raises what goes wrong in the cleanup of a source", function()
    local source = async.generator(function(yield)
      local _ <close> = cleanup(function()
        error("cannot close", 0)
      end)
      yield(1)
      async.sleep(100)
    end)()
    local ok, e = pcall(function()
      local chain <close> = async.iter(source):merge {}
      assert.equal(1, chain())
    end)
    assert.is_false(ok)
    assert.equal("cannot close", e)
  end)

  it("that is dropped ends its tasks when it is collected", function()
    local log = {}
    assert.equal(1, async.iter(counter(9, 1, log)):merge(counter(9, 50, log))())
    collectgarbage()
    collectgarbage()
    async.sleep(1)
    assert.same({ "closed", "closed" }, log)
  end)
end)

describe("batch", function()
  it("gives lists by number and by time", function()
    local batches = {}
    for batch in async.iter(counter(7, 1)):batch { max = 3, within = 1.5 } do
      batches[#batches + 1] = batch
    end
    assert.same({ { 1, 2 }, { 3, 4 }, { 5, 6 }, { 7 } }, batches)
    assert.equal(7, async.time())
    assert.same({ { 1, 2, 3 }, { 4 } }, async.iter({ 1, 2, 3, 4 }):batch({ max = 3 }):to_list())
  end)

  it("does not lose what came before an error", function()
    local chain = async.iter(failing("feed lost", 1, 2, 3)):batch { max = 2 }
    assert.same({ 1, 2 }, chain())
    assert.same({ 3 }, chain())
    local ok, e = pcall(chain)
    assert.is_false(ok)
    assert.equal("feed lost", e)
  end)

  it("raises an error that comes first", function()
    local ok, e = pcall(async.iter(failing "no feed"):batch { within = 1 })
    assert.is_false(ok)
    assert.equal("no feed", e)
  end)

  it("that is left closes the source", function()
    local log = {}
    do
      local chain <close> = async.iter(counter(9, 1, log)):batch { max = 2 }
      assert.same({ 1, 2 }, chain())
    end
    assert.same({ "closed" }, log)
  end)
end)
