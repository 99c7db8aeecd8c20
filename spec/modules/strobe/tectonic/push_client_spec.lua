local async = require "strobe.async"
local fake_server = require "spec.modules.strobe.tectonic.fake_server"
local frame = require "strobe.tectonic.frame"
local report = require "strobe.report"
local tectonic = require "strobe.tectonic"
local tick = require "strobe.tectonic.tick"

describe("a push client", function()
  local function row(seq)
    return { ts = 1505177459.685, seq = seq, is_trade = true, is_bid = false, price = 0.1, size = 7.65 }
  end

  local function connect(port, options)
    options = options or {}
    options.host, options.port, options.protocol = "127.0.0.1", port, "push"
    return assert(tectonic.connect(options))
  end

  describe("against our server", function()
    local function with_client(options, f)
      local server <close> = assert(tectonic.serve { port = 0 })
      local db <close> = connect(server:port(), options)
      f(db, server)
    end

    it("gets updates without asking, with their book, as f32", function()
      with_client({}, function(db, server)
        db:subscribe "btc_usd"
        server:insert(row(1), "btc_usd")
        db:ping()
        local value = db:next_tick()
        assert.same({ ts = 1505177459.685, seq = 1, is_trade = true, is_bid = false, book = "btc_usd",
          price = tick.f32(0.1), size = tick.f32(7.65) }, value)
      end)
    end)

    it("gets its own inserts too when it has subscribed", function()
      with_client({}, function(db)
        db:subscribe "default"
        assert.same({ true, "" }, { db:insert(row(5)) })
        assert.equal(5, db:next_tick().seq)
      end)
    end)

    it("keeps a bounded number of updates, counts what did not fit, and says so once", function()
      local said = {}
      report.set_handler(function(context)
        table.insert(said, report.text(context))
      end)
      with_client({ queue = 10 }, function(db, server)
        db:subscribe "btc_usd"
        for i = 1, 25 do
          server:insert(row(i), "btc_usd")
        end
        db:ping()
        assert.equal(15, db.dropped)
        assert.equal(16, db:next_tick().seq)
      end)
      report.set_handler(nil)
      assert.equal(1, #said)
      assert.matches("warning: tectonic 127.0.0.1:%d+: updates of btc_usd come faster than they are taken", said[1])
    end)

    it("gets no update of a book that it has left", function()
      with_client({}, function(db, server)
        db:subscribe "a"
        db:subscribe "b"
        assert.same({ true, "Unsubscribed from a" }, { db:unsubscribe "a" })
        server:insert(row(1), "a")
        server:insert(row(2), "b")
        db:ping()
        assert.equal("b", db:next_tick().book)
        assert.same({ nil, "NONE" }, { db:next_tick() })
      end)
    end)

    it("gets no update of a book whose subscription was refused", function()
      with_client({}, function(db, server)
        local long = ("x"):rep(65)
        assert.is_false((db:subscribe(long)))
        server:insert(row(1), long)
        db:ping()
        assert.same({ nil, "NONE" }, { db:next_tick() })
      end)
    end)

    it("serves several ticks() at once, each with the updates of its book", function()
      with_client({}, function(db, server)
        local function first_of(book)
          local ticks <close> = db:ticks(book)
          local value = ticks:next()
          return value.book .. value.seq
        end
        local a = async.create_task(first_of, "a")
        local b = async.create_task(first_of, "b")
        server:wait_subscribers(2)
        server:insert(row(2), "b")
        server:insert(row(1), "a")
        assert.equal("a1", a:await())
        assert.equal("b2", b:await())
      end)
    end)

    it("refuses two ticks() of one book", function()
      with_client({}, function(db, server)
        local one = async.create_task(function()
          local ticks <close> = db:ticks "a"
          ticks:next()
        end)
        server:wait_subscribers(1)
        local ok, e = pcall(db:ticks "a")
        assert.is_false(ok)
        assert.equal("EBUSY", e.code)
        assert.matches("ticks a: this connection has them already", tostring(e))
        server:insert(row(1), "a")
        one:await()
      end)
    end)
  end)

  describe("against an awkward server", function()
    it("gets an update that comes in one segment with the answer to SUBSCRIBE", function()
      local update = frame.encode_reply(true, frame.encode_insert(row(7), "btc_usd"))
      local server <close> = fake_server.says(frame.encode_reply(true, "Subscribed to btc_usd") .. update .. update)
      local db <close> = connect(server.port)
      assert.is_true((db:subscribe "btc_usd"))
      assert.equal(7, db:next_tick().seq)
      assert.equal(7, db:next_tick().seq)
    end)

    it("skips updates that make no sense", function()
      local server <close> = fake_server.says(frame.encode_reply(true, "ra?") .. frame.encode_reply(true, "PONG"))
      local db <close> = connect(server.port)
      assert.same({ true, "PONG" }, { db:ping() })
    end)

    it("has its updates left to be taken when the connection ends, then the reason", function()
      local update = frame.encode_reply(true, frame.encode_insert(row(7), "btc_usd"))
      local server <close> = fake_server.plays(function(connection)
        connection:read()
        connection:send(frame.encode_reply(true, "Subscribed to btc_usd") .. update)
        async.sleep(1)
      end)
      local db <close> = connect(server.port)
      db:subscribe "btc_usd"
      async.sleep(2)
      assert.equal(7, db:next_tick().seq)
      local value, message, code = db:next_tick()
      assert.is_nil(value)
      assert.matches("stream ended", message)
      assert.equal("EOF", code)
      assert.same({ nil, message, "EOF" }, { db:poll() })
    end)

    it("gives the error that a server hangs up with for the reason", function()
      local server <close> = fake_server.plays(function(connection)
        connection:send(frame.encode_reply(false, "ERR: Too many connections\n"))
      end)
      local db <close> = connect(server.port)
      async.sleep(1)
      local value, message, code = db:next_tick()
      assert.is_nil(value)
      assert.matches("^tectonic 127.0.0.1:%d+: ERR: Too many connections$", message)
      assert.equal("ECONNREFUSED", code)
    end)

    it("does not take silence between updates for a failure", function()
      local server <close> = fake_server.says(frame.encode_reply(true, "Subscribed to btc_usd"))
      local db <close> = connect(server.port, { timeout = 1 })
      db:subscribe "btc_usd"
      async.sleep(100)
      assert.same({ true, "NONE" }, { db:poll() })
    end)
  end)
end)
