local async = require "strobe.async"
local program = require "strobe.debug.program"

describe("the program that is debugged", function()
  it("begins when its client has set all up", function()
    program.expect()
    local waiting = async.create_task(program.wait)
    async.sleep(10)
    assert.is_false(waiting:done())
    local session = { how = {} }
    program.configured(session)
    assert.equal(session, waiting:await())
    assert.equal(session, program.wait()) -- it has begun
  end)

  it("waits anew when it is expected anew", function()
    program.expect()
    assert.is_false((async.move_on_after(5, program.wait)))
    program.configured {}
  end)
end)
