local async = require "strobe.async"
local fake_server = require "spec.modules.strobe.tectonic.fake_server"
local report = require "strobe.report"
local tectonic = require "strobe.tectonic"

describe("ticks", function()
  local function row(seq)
    return { ts = 1505177459.685, seq = seq, is_trade = true, is_bid = false, price = 100, size = 1 }
  end

  local function connect(port, protocol, options)
    options = options or {}
    options.host, options.port, options.protocol = "127.0.0.1", port, protocol
    return assert(tectonic.connect(options))
  end

  -- A server of the given port; the leak check wants it closed inside the `it`.
  local function serve(port)
    return assert(tectonic.serve { port = port or 0 })
  end

  -- Collects the seqs of a book in a task, which ends after seq `last`.
  local function collect(db, book, last, options)
    local seqs = {}
    local task = async.create_task(function()
      for value in db:ticks(book, options) do
        table.insert(seqs, value.seq)
        if value.seq == last then
          break
        end
      end
    end)
    return task, seqs
  end

  -- The text of what is reported while f runs.
  local function reported(f)
    local texts = {}
    report.set_handler(function(context)
      table.insert(texts, report.text(context))
    end)
    local ok, e = pcall(f)
    report.set_handler(nil)
    assert(ok, e)
    return table.concat(texts, "\n")
  end

  for _, protocol in ipairs { "poll", "push" } do
    describe("of the " .. protocol .. " protocol", function()
      it("are a book's updates from now on, decoded, in order", function()
        local server <close> = serve()
        local db <close> = connect(server:port(), protocol)
        server:insert(row(1), "btc_usd")
        local task, seqs = collect(db, "btc_usd", 102)
        server:wait_subscribers(1)
        for seq = 2, 102 do
          server:insert(row(seq), "btc_usd")
          server:insert(row(seq), "another")
        end
        task:await()
        assert.equal(101, #seqs)
        for i, seq in ipairs(seqs) do
          assert.equal(i + 1, seq)
        end
      end)

      it("end their subscription when the loop is left", function()
        local server <close> = serve()
        local db <close> = connect(server:port(), protocol)
        local task = collect(db, "btc_usd", 1)
        server:wait_subscribers(1)
        server:insert(row(1), "btc_usd")
        task:await()
        server:insert(row(2), "btc_usd")
        assert.same({ true, "PONG" }, { db:ping() })
        assert.not_equal('{"ts"', (select(2, db:poll())):sub(1, 5))
        assert.same({ true, "Subscribed to again" }, { db:subscribe "again" })
      end)

      it("can be had again, and of another book, on the same connection", function()
        local server <close> = serve()
        local db <close> = connect(server:port(), protocol)
        for n, book in ipairs { "a", "b", "a" } do
          local task, seqs = collect(db, book, n)
          async.sleep(1)
          server:insert(row(n), book)
          task:await()
          assert.same({ n }, seqs)
        end
      end)

      it("are cancelled with the task that iterates, and the connection stays in step", function()
        local server <close> = serve()
        local db <close> = connect(server:port(), protocol)
        local task = collect(db, "btc_usd")
        server:wait_subscribers(1)
        async.sleep(1)
        task:cancel()
        async.wait { task }
        assert.is_true(task:cancelled())
        assert.same({ true, "PONG" }, { db:ping() })
      end)

      it("leave a silent server without waiting for ever", function()
        local server <close> = fake_server.plays(fake_server.ignore_requests)
        local db <close> = connect(server.port, protocol)
        local task = collect(db, "btc_usd")
        async.sleep(1)
        task:cancel()
        async.wait { task }
        assert.is_true(task:cancelled())
        assert.is_true(async.time() <= 10)
      end)

      it("raise when the connection breaks, with the code", function()
        local server <close> = serve()
        local db <close> = connect(server:port(), protocol)
        local task = collect(db, "btc_usd")
        server:wait_subscribers(1)
        server:close()
        local ok, e = pcall(task.await, task)
        assert.is_false(ok)
        assert.matches("tectonic 127.0.0.1:%d+: ", tostring(e))
        assert.truthy(({ EOF = true, ECONNRESET = true, EPIPE = true })[e.code], e.code)
      end)

      it("come back after a break and tell the gap", function()
        local server = serve()
        local port = server:port()
        local db <close> = connect(port, protocol)
        local gaps = {}
        local task, seqs = collect(db, "btc_usd", 8, {
          reconnect = true,
          on_gap = function(gap)
            table.insert(gaps, gap)
          end,
        })
        server:wait_subscribers(1)
        server:insert(row(3), "btc_usd")
        async.sleep(1)
        server:close()
        async.sleep(2)
        local again <close> = serve(port)
        again:wait_subscribers(1)
        again:insert(row(7), "btc_usd")
        again:insert(row(8), "btc_usd")
        task:await()
        assert.same({ 3, 7, 8 }, seqs)
        assert.equal(1, #gaps)
        local gap = gaps[1]
        assert.equal("btc_usd", gap.book)
        assert.equal(3, gap.after)
        assert.equal(7, gap.before)
        assert.equal(3, gap.missed)
        -- attempts at 0, 0.1, 0.3, 0.7, 1.5 and 3.1 s
        assert.equal(6, gap.attempts)
        assert.is_true(gap.seconds > 2.9 and gap.seconds < 3.3)
        assert.is_string(gap.reason)
        assert.equal(1, db.gaps)
      end)

      it("report the gap when nobody asked for it", function()
        local server = serve()
        local port = server:port()
        local db <close> = connect(port, protocol)
        local text = reported(function()
          local task = collect(db, "btc_usd", 5, { reconnect = { initial = 1, factor = 3 } })
          server:wait_subscribers(1)
          server:insert(row(1), "btc_usd")
          async.sleep(0.1)
          server:close()
          async.sleep(0.5)
          local again <close> = serve(port)
          again:wait_subscribers(1)
          again:insert(row(5), "btc_usd")
          task:await()
        end)
        assert.matches("warning: tectonic 127.0.0.1:%d+: connection lost %(.+%), back after 1[%d.]* s and "
          .. "2 attempt%(s%); book btc_usd: 3 update%(s%) missed", text)
      end)

      it("say that a gap cannot be known when the numbers begin again", function()
        local server = serve()
        local port = server:port()
        local db <close> = connect(port, protocol)
        local text = reported(function()
          local task = collect(db, "btc_usd", 1, { reconnect = true })
          server:wait_subscribers(1)
          server:insert(row(50), "btc_usd")
          async.sleep(0.1)
          server:close()
          local again <close> = serve(port)
          again:wait_subscribers(1)
          again:insert(row(1), "btc_usd")
          task:await()
        end)
        assert.matches("book btc_usd: what was missed is not known", text)
      end)

      it("give up after so many attempts", function()
        local server = serve()
        local db <close> = connect(server:port(), protocol)
        local task = collect(db, "btc_usd", 1, { reconnect = { initial = 1, factor = 2, most = 3, attempts = 4 } })
        server:wait_subscribers(1)
        server:close()
        local began = async.time()
        local ok, e = pcall(task.await, task)
        assert.is_false(ok)
        assert.matches("gave up after 4 attempts", tostring(e))
        assert.equal("ECONNREFUSED", e.code)
        local took = async.time() - began -- at 0, 1, 3 and 6 s
        assert.is_true(took > 5.9 and took < 6.2, took)
      end)

      it("connect by themselves when the client is not connected yet", function()
        local server <close> = serve()
        local db <close> = connect(server:port(), protocol)
        db:close()
        local task, seqs = collect(db, "btc_usd", 1, { reconnect = true })
        server:wait_subscribers(1)
        server:insert(row(1), "btc_usd")
        task:await()
        assert.same({ 1 }, seqs)
        assert.is_nil(db.gaps)
      end)

      it("do not hammer a server that hangs up on every connection", function()
        local count = 0
        local server <close> = fake_server.plays(function(connection)
          count = count + 1
          connection:read()
          connection:send "\1\0\0\0\0\0\0\0\23Subscribed to btc_usd.."
        end)
        local db <close> = connect(server.port, protocol)
        local task = collect(db, "btc_usd", 1, { reconnect = { initial = 1, factor = 2, most = 60 } })
        async.sleep(100)
        assert.is_true(count <= 10, count)
        task:cancel()
        async.wait { task }
      end)
    end)
  end

  describe("of the poll protocol", function()
    it("poll again 10 ms after they found nothing", function()
      local server <close> = serve()
      local db <close> = connect(server:port(), "poll")
      local at = {}
      local poll = db.poll
      function db:poll()
        table.insert(at, async.time())
        return poll(self)
      end
      local task = collect(db, "btc_usd")
      async.sleep(1)
      task:cancel()
      async.wait { task }
      assert.is_true(#at > 90 and #at <= 101, #at)
      assert.is_true(at[2] - at[1] >= 0.01)
    end)

    it("refuse a second book on one connection, where it would take the place of the first", function()
      local server <close> = serve()
      local db <close> = connect(server:port(), "poll")
      local task = collect(db, "a", 1)
      server:wait_subscribers(1)
      local ok, e = pcall(db:ticks "b")
      assert.is_false(ok)
      assert.equal("EBUSY", e.code)
      assert.matches("this connection has the ticks of a already", tostring(e))
      server:insert(row(1), "a")
      task:await()
    end)

    it("raise for an update that is none", function()
      local server <close> = fake_server.plays(function(connection)
        connection:read()
        connection:send "\1\0\0\0\0\0\0\0\23Subscribed to btc_usd.."
        connection:read()
        connection:send "\1\0\0\0\0\0\0\0\2{}"
        connection:read()
      end)
      local db <close> = connect(server.port, "poll")
      local ok, e = pcall(db:ticks "btc_usd")
      assert.is_false(ok)
      assert.equal("EPROTO", e.code)
      assert.matches("Unable to parse update: ts: seconds since 1970 expected", tostring(e))
    end)
  end)

  describe("of the push protocol", function()
    it("raise when the server refuses the book, and say which and why", function()
      local server <close> = serve()
      local db <close> = connect(server:port(), "push")
      local long = ("n"):rep(65)
      local ok, e = pcall(db:ticks(long))
      assert.is_false(ok)
      assert.matches("tectonic 127.0.0.1:%d+: subscribe " .. long .. ": ERR: Bad format%.$", tostring(e))
      assert.equal("EPROTO", e.code)
      assert.same({ true, "PONG" }, { db:ping() })
    end)

    it("of several books share one connection, and one new connection after a break", function()
      local server = serve()
      local port = server:port()
      local db <close> = connect(port, "push")
      local options = { reconnect = true, on_gap = function() end }
      local a, a_seqs = collect(db, "a", 2, options)
      local b, b_seqs = collect(db, "b", 2, options)
      server:wait_subscribers(2)
      server:insert(row(1), "a")
      server:insert(row(1), "b")
      async.sleep(0.1)
      server:close()
      async.sleep(1)
      local again <close> = serve(port)
      again:wait_subscribers(2)
      assert.equal(1, again:stats().connections)
      again:insert(row(2), "b")
      again:insert(row(2), "a")
      a:await()
      b:await()
      assert.same({ 1, 2 }, a_seqs)
      assert.same({ 1, 2 }, b_seqs)
    end)
  end)
end)
