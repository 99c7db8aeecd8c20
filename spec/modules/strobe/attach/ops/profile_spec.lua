local Attached = require("spec.support.attached").Attached
local async = require "strobe.async"

describe("the operation prof", function()
  it("takes one profile at a time, which outlives a connection", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    assert.is_true(raw:ask('{"id":1,"op":"prof","action":"start"}').running)
    raw.stream:close()
    raw = attached:raw "rw"
    assert.equal("busy", raw:ask('{"id":1,"op":"prof","action":"start"}').code)
    async.create_task(load "for i = 1, 1e5 do local x = i * i end"):await()
    local told = raw:ask '{"id":2,"op":"prof","action":"stop"}'
    assert.is_true(told.samples > 5)
    assert.matches("^script;[^\n]* %d+", told.text)
    assert.equal("not_found", raw:ask('{"id":3,"op":"prof","action":"stop"}').code)
    assert.equal("bad_request", raw:ask('{"id":4,"op":"prof","action":"pause"}').code)
    assert.equal("bad_request", raw:ask('{"id":5,"op":"prof"}').code)
  end)
end)
