local failures = require "strobe.attach.failure"
local subscriptions = require "strobe.attach.subscriptions"

local function new_session()
  return { stops = {}, sub_count = 0, last_sub = 0 }
end

describe("subscriptions of a session", function()
  it("have numbers, by which they are ended once", function()
    local session, ended = new_session(), {}
    for i = 1, 2 do
      assert.equal(i, subscriptions.add(session, function(sub)
        return function()
          ended[#ended + 1] = sub
        end
      end))
    end
    assert.same({}, subscriptions.stop(session, { sub = 2.0 }))
    assert.same({ 2 }, ended)
    local ok, e = pcall(subscriptions.stop, session, { sub = 2 })
    assert.is_false(ok)
    assert.is_true(failures.is(e) and e.code == "not_found")
    assert.is_false(pcall(subscriptions.stop, session, { sub = "rates" }))
  end)

  it("are sixteen at most, those that ended not counted", function()
    local session = new_session()
    local function begin()
      return function() end
    end
    for _ = 1, 16 do
      subscriptions.add(session, begin)
    end
    local ok, e = pcall(subscriptions.add, session, begin)
    assert.is_false(ok)
    assert.equal("too_many", e.code)
    subscriptions.forget(session, 3)
    assert.is_nil(subscriptions.forget(session, 3))
    assert.equal(17, subscriptions.add(session, begin))
  end)
end)
