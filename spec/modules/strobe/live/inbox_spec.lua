local Inbox = require "strobe.live.inbox"
local async = require "strobe.async"

-- An inbox in which these wait.
local function with(options, ...)
  local inbox = Inbox.new(options)
  for _, data in ipairs { ... } do
    inbox:offer("s", data, 0)
  end
  return inbox
end

-- What can be taken, as "number:data" in a row.
local function taken(inbox)
  local list = {}
  for event in function() return inbox:take() end do
    list[#list + 1] = event.seq .. ":" .. event.data
  end
  return table.concat(list, " ")
end

local function interject(inbox, data, held)
  local event = inbox:event("fills", data, 0)
  inbox:interject(event, held)
  return event
end

describe("an inbox", function()
  it("numbers events as they are taken, once", function()
    local inbox = with({}, "a", "b", "c")
    local first = inbox:take()
    inbox:put_back(first)
    assert.equal("1:a 2:b 3:c", taken(inbox))
    inbox:offer("s", "d", 0)
    assert.equal("4:d", taken(inbox))
  end)

  it("does not number what it drops", function()
    assert.equal("1:b 2:c", taken(with({ size = 2, policy = "drop_oldest" }, "a", "b", "c")))
    assert.equal("1:c", taken(with({ policy = "latest" }, "a", "b", "c")))
  end)

  it("puts what is interjected before all that wait, in the order of the calls", function()
    local inbox = with({}, "a", "b")
    interject(inbox, "x")
    interject(inbox, "y")
    assert.equal(4, #inbox)
    assert.equal("1:x 2:y 3:a 4:b", taken(inbox))
    interject(inbox, "z")
    inbox:offer("s", "c", 0)
    assert.equal("5:z 6:c", taken(inbox))
  end)

  it("gives nothing from what is held on, until that is let go or taken back", function()
    local inbox = with({}, "a")
    interject(inbox, "x")
    local held, next_one = interject(inbox, "y", true), interject(inbox, "z", true)
    assert.equal("1:x", taken(inbox))
    inbox:withdraw(held)
    assert.equal("", taken(inbox))
    next_one.held = nil
    assert.equal("2:z 3:a", taken(inbox))
    inbox:withdraw(held)
  end)

  it("never drops nor replaces what was interjected", function()
    local inbox = with({ size = 2, policy = "drop_oldest" }, "a", "b")
    interject(inbox, "x")
    inbox:offer("s", "c", 0)
    inbox:offer("s", "d", 0)
    inbox:offer("s", "e", 0)
    assert.equal("1:x 2:d 3:e", taken(inbox))
    interject(inbox, "y")
    interject(inbox, "z")
    inbox:offer("s", "f", 0)
    assert.equal(2, #inbox)
    inbox = with({ policy = "latest" }, "a")
    inbox:interject(inbox:event("s", "x", 0))
    inbox:offer("s", "b", 0)
    assert.equal("1:x 2:b", taken(inbox))
  end)

  it("never drops nor replaces what has its number, to be tried again", function()
    local inbox = with({ size = 2, policy = "drop_oldest" }, "a", "b")
    inbox:put_back(inbox:take())
    inbox:offer("s", "c", 0)
    assert.equal("1:a 2:c", taken(inbox))
    inbox = with({ policy = "latest" }, "a")
    inbox:put_back(inbox:take())
    inbox:offer("s", "b", 0)
    inbox:offer("s", "c", 0)
    assert.equal("1:a 2:c", taken(inbox))
  end)

  it("replaces the oldest when it is told to, whatever its policy is", function()
    local inbox = with({ size = 2 }, "a", "b")
    assert.is_true(inbox:replace_oldest("s", "c", 0))
    assert.equal("1:b 2:c", taken(inbox))
    assert.equal(1, inbox.dropped)
  end)

  it("shows each event to meet once, and what that interjects comes before it", function()
    local inbox, met = with({}, "a", "b", "c"), {}
    inbox.meet = function(event)
      table.insert(met, event.data)
      if event.data == "b" then
        interject(inbox, "x")
        interject(inbox, "y")
      end
    end
    local first = inbox:take()
    inbox:put_back(first)
    assert.equal("1:a 2:x 3:y 4:b 5:c", taken(inbox))
    assert.same({ "a", "b", "c" }, met)
  end)

  it("takes no more than its size, and wakes who waits for room", function()
    local inbox = with({ size = 2 }, 1, 2)
    assert.is_false(inbox:offer("s", 3, 0))
    local offering = async.create_task(function()
      while not inbox:offer("s", 3, 0) do
        inbox:wait_room()
      end
    end)
    async.sleep(1)
    assert.is_false(offering:done())
    assert.equal(1, inbox:take().data)
    offering:await()
    assert.equal("2:2 3:3", taken(inbox))
    assert.same({ 2, 0 }, { inbox.peak, inbox.dropped })
  end)

  it("lets the events of some streams be taken out, and makes room by that", function()
    local inbox = Inbox.new { size = 4 }
    for i, stream in ipairs { "a", "b", "a", "c" } do
      inbox:offer(stream, i, i)
    end
    local waiting = async.create_task(inbox.wait_room, inbox)
    async.sleep(0)
    local out = inbox:extract { a = true, c = true }
    waiting:await()
    assert.same({ 1, 3, 4 }, { out[1].data, out[2].data, out[3].data })
    assert.equal("1:2", taken(inbox))
  end)
end)
