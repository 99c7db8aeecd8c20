local Attached = require("spec.support.attached").Attached
local ops = require "strobe.attach.ops"

describe("the operations", function()
  it("are those that the protocol names, and some that the console needs besides", function()
    for name, rights in pairs {
      open = "ro", ping = "ro", ps = "ro", tree = "ro", where = "ro", ended = "ro", streams = "ro", inbox = "ro",
      lag = "ro", help = "ro", src = "ro", complete = "ro",
      gens = "ro", metrics = "ro", log = "ro", untail = "ro", clock = "ro", eval = "rw",
      interrupt = "rw", cancel = "rw", reload = "rw", rollback = "rw", loglevel = "rw", heap = "rw", prof = "rw",
      advance = "rw", step = "rw", time = "rw", timeit = "rw", top = "ro", watch = "rw", unwatch = "ro", pry = "rw",
      vars = "ro",
    } do
      assert.equal(rights, ops.find(name).rights, name)
    end
    assert.equal("ro", ops.find("tail").rights { stream = "x" })
    assert.equal("rw", ops.find("tail").rights { stream = "x", expr = "m" })
    assert.is_nil(ops.find "dance")
  end)

  it("that change something, or run code, are refused to those who look on", function()
    local attached <close> = Attached.new()
    local raw, count = attached:raw "ro", 0
    for i, name in ipairs(ops.names()) do
      if ops.find(name).rights == "rw" then
        count = count + 1
        assert.equal("rights", raw:ask(('{"id":%d,"op":"%s"}'):format(i, name)).code, name)
      end
    end
    assert.is_true(count >= 16, count)
  end)

  it("can be added to, by other names", function()
    local name = "spec_" .. #ops.names()
    ops.add {
      [name] = {
        rights = "ro",
        run = function(session, request)
          return { sum = request.a + session.number }
        end,
      },
    }
    local attached <close> = Attached.new()
    assert.equal(6, attached:raw():ask(('{"id":1,"op":"%s","a":5}'):format(name)).sum)
    assert.error_matches(function()
      ops.add { ping = ops.find(name) }
    end, "there is an operation 'ping' already")
  end)
end)
