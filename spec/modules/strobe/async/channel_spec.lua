local async = require "strobe.async"
local raised = require("spec.support.errors").raised

local Channel = async.Channel

local function turn()
  async.sleep(0)
end

local function assert_closed(f, ...)
  assert.matches("the channel is closed", raised(async.QueueShutDown, f, ...).message)
end

local function send_all(channel, ...)
  for _, value in ipairs { ... } do
    channel:send(value)
  end
end

-- Reads a closed channel to its end.
local function rest(source)
  local values = {}
  for value in source:iter() do
    values[#values + 1] = value
  end
  return values
end

-- What every kind can do; `new` returns what to send to, and what to receive from.
local kinds = {
  { "a latest channel", function()
    local channel = Channel.latest(function(value)
      return value
    end)
    return channel, channel
  end },
  { "a drop_oldest channel", function()
    local channel = Channel.drop_oldest(10)
    return channel, channel
  end },
  { "a broadcast channel", function()
    local channel = Channel.broadcast()
    return channel, channel:subscribe()
  end },
}

for _, kind in ipairs(kinds) do
  local name, new = table.unpack(kind)
  describe(name, function()
    it("gives the values in the order in which they were sent", function()
      local sender, receiver = new()
      send_all(sender, 3, 1, 2)
      assert.same({ 3, 1, 2 }, { receiver:recv(), receiver:recv(), receiver:recv() })
    end)

    it("makes recv wait", function()
      local sender, receiver = new()
      local task = async.create_task(receiver.recv, receiver)
      async.sleep(4)
      assert.equal("channel", task:state())
      sender:send "late"
      assert.equal("late", task:await())
      assert.equal(4, async.time())
    end)

    it("loses nothing when recv is cancelled", function()
      local sender, receiver = new()
      local first = async.create_task(receiver.recv, receiver)
      local second = async.create_task(receiver.recv, receiver)
      turn()
      sender:send "a"
      first:cancel()
      assert.equal("a", second:await())
      assert.is_true(first:cancelled())
      local ok = pcall(async.wait_for, receiver.recv, 1, receiver)
      assert.is_false(ok)
      sender:send "b"
      assert.equal("b", receiver:recv())
    end)

    it("ends iterations by close, after the rest was read", function()
      local sender, receiver = new()
      send_all(sender, 1, false, 3)
      sender:close()
      assert.same({ 1, false, 3 }, rest(receiver))
      assert_closed(receiver.recv, receiver)
      assert_closed(sender.send, sender, 4)
      sender:close()
    end)

    it("ends iterations that wait, by close", function()
      local sender, receiver = new()
      local task = async.create_task(rest, receiver)
      turn()
      sender:send "only"
      async.sleep(1)
      sender:close()
      assert.same({ "only" }, task:await())
    end)

    it("refuses nil", function()
      local sender = new()
      assert.error_matches(function()
        sender:send(nil)
      end, "Channel:send: nil cannot be sent")
    end)
  end)
end

describe("a latest channel", function()
  local function quote(symbol, price)
    return { symbol = symbol, price = price }
  end

  local function symbol_of(value)
    return value.symbol
  end

  it("keeps the newest value of each key, at the place of the first", function()
    local channel = Channel.latest(symbol_of)
    send_all(channel, quote("A", 1), quote("B", 10), quote("A", 2), quote("A", 3))
    assert.equal(2, channel.conflated)
    assert.equal("<Channel.latest size=2 conflated=2>", tostring(channel))
    channel:close()
    assert.same({ quote("A", 3), quote("B", 10) }, rest(channel))
  end)

  it("lines a key up again after it was read", function()
    local channel = Channel.latest(symbol_of)
    send_all(channel, quote("A", 1), quote("B", 10))
    assert.equal(1, channel:recv().price)
    send_all(channel, quote("A", 2))
    assert.equal(10, channel:recv().price)
    assert.equal(2, channel:recv().price)
    assert.equal(0, channel.conflated)
  end)

  it("without a key has one slot", function()
    local channel = Channel.latest()
    send_all(channel, 1, 2, false, 3)
    assert.equal(3, channel.conflated)
    assert.equal(3, channel:recv())
  end)

  it("has one slot for values whose key is nil or not a number", function()
    local channel = Channel.latest(function(value)
      return value.key
    end)
    send_all(channel, {}, { key = 0 / 0 }, { name = "last" })
    assert.equal(2, channel.conflated)
    assert.equal("last", channel:recv().name)
  end)

  it("replaces a false value too", function()
    local channel = Channel.latest()
    send_all(channel, false)
    send_all(channel, false)
    assert.equal(1, channel.conflated)
  end)

  it("refuses a key that is no function", function()
    assert.error_matches(function()
      Channel.latest "symbol"
    end, "Channel.latest: a function expected, got string")
  end)
end)

describe("a drop_oldest channel", function()
  it("loses its oldest values and counts them", function()
    local channel = Channel.drop_oldest(2)
    send_all(channel, 1, 2, 3, 4, 5)
    assert.equal(3, channel.dropped)
    assert.equal("<Channel.drop_oldest size=2/2 dropped=3>", tostring(channel))
    channel:close()
    assert.same({ 4, 5 }, rest(channel))
    assert.equal("<Channel.drop_oldest size=0/2 dropped=3 closed>", tostring(channel))
  end)

  it("loses nothing while the receiver keeps up", function()
    local channel = Channel.drop_oldest(1)
    local task = async.create_task(rest, channel)
    for i = 1, 5 do
      channel:send(i)
      turn()
    end
    channel:close()
    assert.same({ 1, 2, 3, 4, 5 }, task:await())
    assert.equal(0, channel.dropped)
  end)

  it("needs a size", function()
    for _, size in ipairs { 0, 1.5, "2", false } do
      assert.error_matches(function()
        Channel.drop_oldest(size)
      end, "Channel.drop_oldest: a size of 1 or more expected")
    end
  end)
end)

describe("a broadcast channel", function()
  it("gives every value to every receiver", function()
    local channel = Channel.broadcast()
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = async.create_task(rest, channel:subscribe())
    end
    send_all(channel, "a", "b")
    turn()
    send_all(channel, "c")
    channel:close()
    for _, task in ipairs(tasks) do
      assert.same({ "a", "b", "c" }, task:await())
    end
  end)

  it("lets a slow receiver lose its own oldest, never the others'", function()
    local channel = Channel.broadcast { size = 2 }
    local slow, fast = channel:subscribe(), channel:subscribe()
    local task = async.create_task(rest, fast)
    for i = 1, 5 do
      channel:send(i)
      turn()
    end
    channel:close()
    assert.same({ 1, 2, 3, 4, 5 }, task:await())
    assert.same({ 4, 5 }, rest(slow))
    assert.equal(0, fast.missed)
    assert.equal(3, slow.missed)
  end)

  it("gives a receiver a buffer of its own size", function()
    local channel = Channel.broadcast { size = 1 }
    local small, large = channel:subscribe(), channel:subscribe(3)
    send_all(channel, 1, 2, 3)
    assert.equal("<Receiver size=1/1 missed=2>", tostring(small))
    assert.equal("<Receiver size=3/3 missed=0>", tostring(large))
  end)

  it("gives a receiver what is sent from its subscription on", function()
    local channel = Channel.broadcast()
    channel:send "before"
    local receiver = channel:subscribe()
    channel:send "after"
    channel:close()
    assert.same({ "after" }, rest(receiver))
  end)

  it("forgets a receiver that is closed, which keeps what it has", function()
    local channel = Channel.broadcast()
    local other = channel:subscribe()
    local receiver = channel:subscribe()
    assert.equal("<Channel.broadcast receivers=2>", tostring(channel))
    channel:send(1)
    receiver:close()
    receiver:close()
    channel:send(2)
    assert.same({ 1 }, rest(receiver))
    assert.equal("<Channel.broadcast receivers=1>", tostring(channel))
    channel:close()
    assert.same({ 1, 2 }, rest(other))
    assert.equal("<Channel.broadcast receivers=0 closed>", tostring(channel))
  end)

  it("unsubscribes with the block of a closing receiver", function()
    local channel = Channel.broadcast()
    do
      local receiver <close> = channel:subscribe()
      channel:send(1)
      assert.equal(1, receiver:recv())
    end
    assert.equal("<Channel.broadcast receivers=0>", tostring(channel))
  end)

  it("that is closed has only closed receivers", function()
    local channel = Channel.broadcast()
    channel:close()
    assert.same({}, rest(channel:subscribe()))
  end)

  it("needs a size of 1 or more", function()
    assert.error_matches(function()
      Channel.broadcast { size = 0 }
    end, "Channel.broadcast: a size of 1 or more expected, got 0")
  end)
end)
