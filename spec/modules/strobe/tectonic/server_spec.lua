local async = require "strobe.async"
local frame = require "strobe.tectonic.frame"
local our_server = require "spec.modules.strobe.tectonic.our_server"
local tectonic = require "strobe.tectonic"

local serve, dial, client, row = our_server.serve, our_server.dial, our_server.client, our_server.row
local read_all, settle = our_server.read_all, our_server.settle

describe("a server", function()
  describe("with subscribers", function()
    it("gives every one of them every update in order, whatever it speaks", function()
      local server <close> = serve()
      local tasks = {}
      for i = 1, 10 do
        tasks[i] = async.create_task(function()
          local db <close> = client(server, i % 2 == 0 and "poll" or "push")
          local expected = 1
          for tick in db:ticks "btc_usd" do
            assert.equal(expected, tick.seq)
            if tick.seq == 500 then
              return tick.seq
            end
            expected = expected + 1
          end
        end)
      end
      server:wait_subscribers(10)
      for seq = 1, 500 do
        server:insert(row(seq), "btc_usd")
        if seq % 50 == 0 then
          async.sleep(0.05)
        end
      end
      for _, task in ipairs(tasks) do
        assert.equal(500, task:await())
      end
      settle(server)
      local s = server:stats()
      assert.equal(5000, s.published)
      assert.equal(5000, s.delivered)
      assert.equal(0, s.dropped + s.discarded + s.queued)
    end)

    it("publishes what clients insert, whatever they speak", function()
      local server <close> = serve()
      local db <close> = client(server, "poll")
      local other <close> = client(server, "push")
      db:subscribe "default"
      other:insert(row(1))
      other:bulk({ row(2), row(3) }, "default")
      for seq = 1, 3 do
        assert.equal(seq, db:next_tick().seq)
      end
      assert.equal("3", (select(2, other:count())))
    end)

    it("keeps so many updates for each, drops the oldest and counts them", function()
      local server <close> = serve { queue_limit = 10 }
      local db <close> = client(server, "poll")
      db:subscribe "btc_usd"
      for seq = 1, 25 do
        server:insert(row(seq), "btc_usd")
      end
      assert.equal(16, db:next_tick().seq)
      local s = server:stats()
      assert.equal(15, s.dropped)
      assert.equal(9, s.queued)
    end)

    it("counts what a client had not fetched when it went", function()
      local server <close> = serve()
      local db = client(server, "poll")
      db:subscribe "btc_usd"
      for seq = 1, 25 do
        server:insert(row(seq), "btc_usd")
      end
      db:close()
      settle(server)
      assert.equal(25, server:stats().discarded)
      assert.equal(0, server:stats().subscribers)
    end)

    it("loses nobody's updates to a client that never reads, and bounds its memory", function()
      local server <close> = serve { book_limit = 100 }
      local stuck = dial(server)
      stuck:write(frame.encode_request "SUBSCRIBE btc_usd")
      server:wait_subscribers(1)
      local db <close> = client(server, "poll")
      db:subscribe "btc_usd"
      collectgarbage()
      local before = collectgarbage "count"
      local seq = 0
      repeat
        for _ = 1, 1000 do
          seq = seq + 1
          server:insert(row(seq), "btc_usd")
        end
        for expected = seq - 999, seq do
          assert.equal(expected, db:next_tick().seq)
        end
      until server:stats().dropped > 100 or seq > 1000000
      local s = server:stats()
      assert.is_true(s.dropped > 100)
      assert.equal(s.published, s.delivered + s.dropped)
      collectgarbage()
      assert.is_true(collectgarbage "count" - before < 4096)
      stuck:abort()
    end)

    it("waits until all was fetched, or for so long", function()
      local server <close> = serve()
      local db <close> = client(server, "poll")
      db:subscribe "btc_usd"
      server:insert(row(1), "btc_usd")
      assert.is_false(server:wait_delivered(1))
      db:poll()
      assert.is_true(server:wait_delivered(1))
    end)
  end)

  describe("with as many connections as it takes", function()
    local function full(places)
      return frame.encode_reply(false,
        ("ERR: Too many connections: this server takes %d, try again later.\n"):format(places))
    end

    it("tells one more why it is closed, and counts it", function()
      local server <close> = serve { max_connections = 2 }
      local first <close> = client(server, "poll")
      local second <close> = client(server, "push")
      assert.same({ true, "PONG" }, { first:ping() })
      assert.same({ true, "PONG" }, { second:ping() })
      for count, request in ipairs { "", "PING\n", frame.encode_request "PING" } do
        local third <close> = dial(server)
        third:send(request)
        third:shutdown()
        assert.equal(full(2), (read_all(third)))
        assert.equal(count, server:stats().turned_away)
      end
      assert.equal(0, server:stats().refused)
    end)

    it("leaves the others alone", function()
      local server <close> = serve { max_connections = 2 }
      local poller <close> = client(server, "poll")
      local pushed <close> = client(server, "push")
      poller:subscribe "btc_usd"
      pushed:subscribe "btc_usd"
      for seq = 1, 20 do
        local third <close> = dial(server)
        server:insert(row(seq), "btc_usd")
        assert.equal(seq, poller:next_tick().seq)
        assert.equal(full(2), third:read_exactly(#full(2)))
      end
      pushed:ping()
      for seq = 1, 20 do
        assert.equal(seq, pushed:next_tick().seq)
      end
      assert.equal(20, server:stats().turned_away)
      assert.equal(2, server:stats().connections)
    end)

    it("takes another one as soon as one has gone, also one that said nothing", function()
      local server <close> = serve { max_connections = 1 }
      for _ = 1, 3 do
        local quiet = dial(server)
        quiet:close()
        async.sleep(0.1)
        local db = client(server, "poll")
        assert.same({ true, "PONG" }, { db:ping() })
        db:close()
        async.sleep(0.1)
      end
      assert.equal(0, server:stats().turned_away)
    end)

    it("gives clients of either protocol the reason", function()
      local server <close> = serve { max_connections = 1 }
      local first <close> = client(server, "poll")
      first:ping()
      local poller <close> = client(server, "poll")
      assert.same({ false, full(1):sub(10) }, { poller:ping() })
      local pushed <close> = client(server, "push")
      async.sleep(0.1)
      local success, message, code = pushed:ping()
      assert.is_nil(success)
      assert.matches("not connected %(ERR: Too many connections: .+%); reconnect%(%) connects again", message)
      assert.equal("ENOTCONN", code)
    end)

    it("tells only some of a crowd, and is well again when the crowd has gone", function()
      local server <close> = serve { max_connections = 1 }
      local first <close> = client(server, "poll")
      first:ping()
      local crowd, told = {}, 0
      for i = 1, 100 do
        crowd[i] = dial(server)
      end
      async.sleep(1)
      for _, connection in ipairs(crowd) do
        told = told + (connection:read() == full(1) and 1 or 0)
      end
      assert.equal(100, server:stats().turned_away)
      assert.equal(64, told)
      assert.same({ true, "PONG" }, { first:ping() })
      async.sleep(10) -- those who stay are closed by then
      local late <close> = dial(server)
      assert.equal(full(1), late:read_exactly(#full(1)))
      first:close()
      settle(server)
      late:abort()
      for _, connection in ipairs(crowd) do
        connection:abort()
      end
      assert.equal(101, server:stats().turned_away)
    end)

    it("ends while it turns clients away", function()
      local server = serve { max_connections = 1 }
      local first <close> = client(server, "poll")
      first:ping()
      local third <close> = dial(server)
      third:read_exactly(#full(1))
      server:close()
      assert.equal("", (third:read()) or "")
    end)
  end)

  describe("close", function()
    it("ends all connections and tasks, and closing again is harmless", function()
      local server = serve()
      local idle = dial(server)
      local poller = client(server, "poll")
      poller:subscribe "a"
      local pushed = client(server, "push")
      pushed:subscribe "a"
      local stuck = dial(server)
      for seq = 1, 20000 do
        server:insert(row(seq), "default")
      end
      stuck:send(("GET ALL AS JSON\n"):rep(20))
      async.sleep(1)
      server:close()
      server:close()
      assert.equal(0, server:stats().connections)
      assert.equal("", (idle:read()) or "")
      assert.is_nil((poller:poll()))
      assert.is_nil((pushed:ping()))
      for _, connection in ipairs { idle, stuck } do
        connection:abort()
      end
    end)

    it("frees the port", function()
      local server = serve()
      local port = server:port()
      server:close()
      local again <close> = assert(tectonic.serve { port = port })
      assert.equal(port, again:port())
    end)

    it("wakes clients that wait in ticks()", function()
      local server = serve()
      local db <close> = client(server, "push")
      local task = async.create_task(function()
        for _ in db:ticks "a" do end -- luacheck: ignore
      end)
      server:wait_subscribers(1)
      server:close()
      assert.is_false(pcall(task.await, task))
    end)
  end)

  describe("that was asked for in a wrong way", function()
    it("tells which option is wrong, and what is expected", function()
      for message, options in pairs {
        ["port: a port from 0 to 65535 expected, got 65536"] = { port = 65536 },
        ["protocol: auto, poll or push expected, got http"] = { protocol = "http" },
        ["max_connections: an integer above 0 expected, got 0"] = { max_connections = 0 },
        ["queue_limit: an integer above 0 expected, got 1.5"] = { queue_limit = 1.5 },
        ["idle_timeout: a number of seconds above 0 expected, got -1"] = { idle_timeout = -1 },
        ["flush: a function expected, got true"] = { flush = true },
        ["unsubscribe_all: everyone or own expected, got all"] = { unsubscribe_all = "all" },
      } do
        assert.has_error(function()
          tectonic.serve(options)
        end, "tectonic.serve: " .. message)
      end
    end)
  end)

  describe("with a function for FLUSH", function()
    it("gives it the rows of a book, and forgets them", function()
      local written = {}
      local server <close> = serve { flush = function(name, ticks)
        written[name] = #ticks
        return true
      end }
      local db <close> = client(server, "push")
      db:bulk({ row(1), row(2) }, "default")
      assert.same({ true, "1" }, { db:flush() })
      assert.same({ default = 2 }, written)
      assert.same({ true, "\n" }, { db:get "all" })
      assert.same({ true, "2" }, { db:count() })
    end)
  end)

  describe("of a port that is taken", function()
    it("is nil, a message and EADDRINUSE", function()
      local server <close> = serve()
      local other, message, code = tectonic.serve { port = server:port() }
      assert.is_nil(other)
      assert.equal(("tectonic.serve: listen on 127.0.0.1:%d: address already in use"):format(server:port()), message)
      assert.equal("EADDRINUSE", code)
    end)
  end)
end)
