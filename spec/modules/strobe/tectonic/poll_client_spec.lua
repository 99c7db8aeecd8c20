local async = require "strobe.async"
local fake_server = require "spec.modules.strobe.tectonic.fake_server"
local frame = require "strobe.tectonic.frame"
local tectonic = require "strobe.tectonic"
local tick = require "strobe.tectonic.tick"

describe("a poll client", function()
  local function update(seq)
    return tick.to_json { ts = 1505177459.685, seq = seq, is_trade = true, is_bid = false, price = 0.1, size = 7 }
  end

  -- A server that takes a second for each answer: "1", "2", … are updates for polls, the requests themselves
  -- for all others; "-" is NONE.
  local function answers(polls)
    local n = 0
    return fake_server.plays(function(connection)
      while true do
        local request = connection:read_until "\n"
        if not request then
          return
        end
        async.sleep(1)
        local text = request:sub(1, -2)
        if text == "" then
          n = n + 1
          local seq = polls:sub(n, n)
          text = seq == "-" and "NONE" or update(tonumber(seq))
        end
        connection:send(frame.encode_reply(true, text))
      end
    end)
  end

  local function connect(server)
    return assert(tectonic.connect { host = "127.0.0.1", port = server.port, protocol = "poll" })
  end

  local function cancelled_poll(db)
    assert.is_false(pcall(async.wait_for, async.create_task(db.poll, db), 0.5))
  end

  it("keeps the update of a poll that was cancelled for the next one", function()
    local server <close> = answers "123"
    local db <close> = connect(server)
    cancelled_poll(db)
    assert.equal(1, db:next_tick().seq)
    assert.equal(2, db:next_tick().seq)
    cancelled_poll(db)
    assert.same({ true, "PING" }, { db:ping() })
    assert.same({ true, update(3) }, { db:poll() })
  end)

  it("keeps nothing of a cancelled poll that found nothing", function()
    local server <close> = answers "-2"
    local db <close> = connect(server)
    cancelled_poll(db)
    assert.equal(2, db:next_tick().seq)
  end)

  it("keeps no update over a new subscription, or its end", function()
    local server <close> = answers "1234"
    local db <close> = connect(server)
    cancelled_poll(db)
    assert.same({ true, "SUBSCRIBE another" }, { db:subscribe "another" })
    assert.equal(2, db:next_tick().seq)
    cancelled_poll(db)
    assert.same({ true, "UNSUBSCRIBE" }, { db:unsubscribe() })
    assert.equal(4, db:next_tick().seq)
  end)

  it("keeps no update over a new connection", function()
    local server <close> = answers "12"
    local db <close> = connect(server)
    cancelled_poll(db)
    assert.same({ true, "PING" }, { db:ping() })
    assert.is_true(db:reconnect())
    assert.equal(2, db:next_tick().seq)
  end)

  it("does not take the answer of another cancelled request for an update", function()
    local server <close> = answers "1"
    local db <close> = connect(server)
    assert.is_false(pcall(async.wait_for, async.create_task(db.ping, db), 0.5))
    assert.equal(1, db:next_tick().seq)
  end)
end)
