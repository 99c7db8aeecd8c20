local dice = require "spec.support.dice"
local frame = require "strobe.tectonic.frame"
local store = require "strobe.tectonic.store"
local tick = require "strobe.tectonic.tick"

local function new_store(options)
  options = options or {}
  options.now = options.now or function() return 1517000000.25 end
  return store.new(options)
end

local function update(seq)
  return { ts = 1505177459.658, seq = seq or 1, is_trade = true, is_bid = true, price = 0.5, size = 2.0 }
end

local function assert_nothing_lost(shared)
  local stats = shared:stats()
  assert.equal(stats.published, stats.delivered + stats.dropped + stats.discarded + stats.queued)
  return stats
end

describe("store", function()
  describe("new", function()
    it("has the book default and asks for its clock", function()
      assert.equal("default", new_store():list()[1].name)
      assert.same({ connections = 0, books = 1, rows = 0, rows_dropped = 0, inserted = 0, subscribers = 0,
        published = 0, delivered = 0, dropped = 0, discarded = 0, queued = 0 }, new_store():stats())
      assert.error_matches(function() store.new({}) end, "now: a function that returns seconds")
      assert.error_matches(function() store.new() end, "now: a function that returns seconds")
    end)
  end)

  describe("create and replace", function()
    it("make books, listed in order", function()
      local shared = new_store()
      shared:create("b")
      shared:replace("a")
      local names = {}
      for i, one in ipairs(shared:list()) do
        names[i] = one.name
      end
      assert.same({ "default", "b", "a" }, names)
    end)

    it("differ for a book that exists", function()
      local shared = new_store()
      shared:create("btc")
      shared:insert(update(), "btc")
      local one, _, code = shared:create("btc")
      assert.is_nil(one)
      assert.equal("EEXIST", code)
      assert.equal(1, shared:book("btc"):count())
      shared:replace("btc")
      assert.equal(0, shared:book("btc"):count())
      assert.equal(2, #shared:list())
    end)

    it("refuse a book above the bound, but replace one within it", function()
      local shared = new_store { max_books = 2 }
      assert.truthy(shared:create("a"))
      local one, message, code = shared:create("b")
      assert.is_nil(one)
      assert.equal("Too many books.", message)
      assert.equal("ENOSPC", code)
      assert.truthy(shared:replace("a"))
    end)
  end)

  describe("insert", function()
    it("appends to the book and reaches its subscribers only", function()
      local shared = new_store()
      shared:create("btc")
      local mine, other = shared:subscribe("btc"), shared:subscribe("eth")
      assert.is_true(shared:insert(update(), "btc"))
      assert.equal(1, shared:book("btc"):count())
      assert.equal(tick.to_json(update()), mine:poll())
      assert.is_nil(other:poll())
    end)

    it("refuses a book that does not exist, and what is not a tick", function()
      local shared = new_store()
      local ok, message, code = shared:insert(update(), "nope")
      assert.is_nil(ok)
      assert.equal("DB nope not found.", message)
      assert.equal("ENOENT", code)
      assert.equal("EINVAL", select(3, shared:insert({ ts = 1 }, "default")))
      assert.equal(0, shared:stats().inserted)
    end)
  end)

  describe("publish", function()
    it("needs no book, and tells how many subscribers there are", function()
      local shared = new_store()
      assert.equal(0, shared:publish(update(), "btc"))
      local one, two = shared:subscribe("btc"), shared:subscribe("btc")
      assert.equal(2, shared:publish(update(), "btc"))
      assert.equal(one:poll(), two:poll())
      assert.is_nil(shared:book("btc"))
    end)

    it("encodes an update once for all pollers and once for all pushes", function()
      local shared, got = new_store(), {}
      local to_json, encode_insert = spy.on(tick, "to_json"), spy.on(frame, "encode_insert")
      for _ = 1, 3 do
        shared:subscribe("btc")
        shared:subscribe("btc", function(text) got[#got + 1] = text end)
      end
      shared:publish(update(), "btc")
      assert.spy(to_json).was.called(1)
      assert.spy(encode_insert).was.called(1)
      to_json:revert()
      encode_insert:revert()
      local whole = frame.encode_reply(true, frame.encode_insert(update(), "btc"))
      assert.same({ whole, whole, whole }, got)
    end)

    it("lets a slow client lose its own updates and nobody else's", function()
      local shared = new_store { queue_limit = 3 }
      local slow, quick, received = shared:subscribe("btc"), shared:subscribe("btc"), 0
      for seq = 1, 10 do
        shared:publish(update(seq), "btc")
        received = received + (quick:poll() and 1 or 0)
      end
      assert.equal(10, received)
      assert.equal(7, slow.dropped)
      assert.equal(0, quick.dropped)
      assert.truthy(slow:poll():find('"seq":8', 1, true))
      local stats = assert_nothing_lost(shared)
      assert.equal(2, stats.queued)
      assert.equal(7, stats.dropped)
    end)

    it("queues 65,536 updates unless told otherwise", function()
      local shared = new_store()
      local slow, value = shared:subscribe("btc"), update()
      for _ = 1, 65537 do
        shared:publish(value, "btc")
      end
      assert.equal(65536, slow:queued())
      assert.equal(1, slow.dropped)
    end)

    it("goes on when a client leaves, or joins, while it is at work", function()
      local shared, got = new_store(), {}
      local leaver, late
      shared:subscribe("btc", function()
        shared:unsubscribe(leaver)
        late = late or shared:subscribe("btc")
      end)
      leaver = shared:subscribe("btc", function() got[#got + 1] = "leaver" end)
      shared:subscribe("btc", function() got[#got + 1] = "last" end)
      shared:publish(update(), "btc")
      assert.same({ "last" }, got)
      assert.equal(0, late:queued())
      shared:publish(update(), "btc")
      assert.equal(1, late:queued())
    end)

    it("goes on when a push raises", function()
      local shared = new_store()
      local broken = shared:subscribe("btc", function() error("gone") end)
      local sound = shared:subscribe("btc")
      shared:publish(update(), "btc")
      assert.equal(1, sound:queued())
      assert.truthy(broken.failure:find("gone"))
      assert_nothing_lost(shared)
    end)
  end)

  describe("subscribe", function()
    it("refuses a name that no push can carry", function()
      assert.error_matches(function()
        new_store():subscribe(("n"):rep(65), function() end)
      end, "name: 65 bytes, a push carries at most 64")
      local shared, name, got = new_store(), ("n"):rep(64), nil
      shared:subscribe(name, function(text) got = text end)
      shared:publish(update(), name)
      assert.equal(name, select(2, frame.decode_insert(got:sub(10))))
    end)
  end)

  describe("unsubscribe", function()
    it("ends the flow, discards the queue and counts it; twice is harmless", function()
      local shared = new_store()
      local one = shared:subscribe("btc")
      shared:publish(update(), "btc")
      shared:unsubscribe(one)
      shared:unsubscribe(one)
      assert.equal(0, shared:publish(update(), "btc"))
      local stats = assert_nothing_lost(shared)
      assert.equal(1, stats.discarded)
      assert.equal(0, stats.subscribers)
    end)

    it("leaves the other subscribers of the book", function()
      local shared, members = new_store(), {}
      for i = 1, 4 do
        members[i] = shared:subscribe("btc")
      end
      for left = 3, 0, -1 do
        shared:unsubscribe(table.remove(members, 2) or table.remove(members))
        assert.equal(left, shared:stats().subscribers)
        assert.equal(left, shared:publish(update(), "btc"))
        for _, member in ipairs(members) do
          assert.truthy(member:poll())
        end
      end
    end)
  end)

  describe("unsubscribe_all", function()
    it("closes those that are pushed to, who have nothing queued", function()
      local shared, got = new_store(), {}
      local one = shared:subscribe("btc", function(text) got[#got + 1] = text end)
      shared:unsubscribe_all()
      shared:publish(update(), "btc")
      assert.is_true(one.closed)
      assert.same({}, got)
      assert_nothing_lost(shared)
    end)

    it("ends the flow to everyone, but leaves what is queued", function()
      local shared = new_store()
      local one = shared:subscribe("btc")
      shared:publish(update(1), "btc")
      shared:unsubscribe_all()
      shared:publish(update(2), "btc")
      assert.equal(1, assert_nothing_lost(shared).queued)
      assert.truthy(one:poll():find('"seq":1', 1, true))
      assert.is_nil(one:poll())
    end)
  end)

  describe("flush", function()
    it("keeps all rows without a function that writes them", function()
      local shared = new_store()
      shared:insert(update(), "default")
      assert.is_true(shared:flush())
      assert.same({ 1, 1 }, { shared:count() })
    end)

    it("writes one book, or all", function()
      local written = {}
      local shared = new_store { flush = function(name, ticks)
        written[#written + 1] = name .. " " .. #ticks
        return true
      end }
      shared:create("btc")
      shared:insert(update(), "default")
      shared:insert(update(), "btc")
      shared:flush("btc")
      assert.same({ "btc 1" }, written)
      shared:flush()
      assert.same({ "btc 1", "default 1" }, written)
      assert.same({ 2, 0 }, { shared:count() })
    end)

    it("goes on after a book that cannot be written, and names the first failure", function()
      local shared = new_store { flush = function(name)
        if name == "btc" then
          return true
        end
        return nil, "no " .. name
      end }
      shared:create("btc")
      shared:create("eth")
      shared:insert(update(), "eth")
      shared:insert(update(), "default")
      shared:insert(update(), "btc")
      local ok, message, code = shared:flush()
      assert.is_nil(ok)
      assert.equal("no default", message)
      assert.equal("EIO", code)
      assert.equal(1, shared:book("default"):count())
      assert.equal(0, shared:book("btc"):count())
    end)
  end)

  describe("clear", function()
    it("forgets the rows of one book, or of all", function()
      local shared = new_store()
      shared:create("btc")
      shared:insert(update(), "default")
      shared:insert(update(), "btc")
      shared:clear("btc")
      assert.same({ 1, 1 }, { shared:count() })
      shared:clear()
      assert.same({ 0, 0 }, { shared:count() })
    end)
  end)

  describe("sample", function()
    it("keeps a bounded history by the given clock", function()
      local time = 100.9
      local shared = new_store { samples = 2, now = function() return time end }
      for _ = 1, 3 do
        shared:sample()
        shared:insert(update(), "default")
        time = time + 30
      end
      assert.same({ { 130, 1 }, { 160, 2 } }, shared.history.default:list())
      assert.same({ { 130, 1 }, { 160, 2 } }, shared.history.total:list())
    end)
  end)

  describe("stats", function()
    it("counts rows a full book dropped, also of a book replaced since", function()
      local shared = new_store { book_limit = 2 }
      for seq = 1, 5 do
        shared:insert(update(seq), "default")
      end
      local stats = shared:stats()
      assert.equal(5, stats.inserted)
      assert.equal(2, stats.rows)
      assert.equal(3, stats.rows_dropped)
      shared:replace("default")
      assert.equal(3, shared:stats().rows_dropped)
    end)

    it("always adds up, whatever clients do", function()
      local shared, members, random = new_store { queue_limit = 4 }, {}, dice(31)
      local published = 0
      for step = 1, 4000 do
        local action = random(12)
        if action <= 6 then
          published = published + shared:publish(update(step), "book" .. random(3))
        elseif action <= 9 and members[1] then
          members[random(#members)]:poll()
        elseif action == 10 then
          local refuse = random(2) == 1
          members[#members + 1] = shared:subscribe("book" .. random(3),
            random(2) == 1 and function() return not refuse end or nil)
        elseif action == 11 and members[1] then
          shared:unsubscribe(table.remove(members, random(#members)))
        elseif action == 12 and random(50) == 1 then
          shared:unsubscribe_all()
        end
        assert.equal(published, assert_nothing_lost(shared).published)
      end
      local stats = shared:stats()
      assert.is_true(stats.delivered > 0 and stats.dropped > 0 and stats.discarded > 0)
    end)
  end)
end)
