local Attached = require("spec.support.attached").Attached

describe("the operation heap", function()
  it("tells rows by type and owner, the largest first", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    local told = raw:ask '{"id":1,"op":"heap","n":5}'
    assert.equal(5, #told.rows)
    assert.is_true(told.complete and told.objects > 1000 and told.more > 0)
    for i = 2, 5 do
      assert.is_true(told.rows[i - 1].bytes >= told.rows[i].bytes)
    end
    assert.equal("bad_request", raw:ask('{"id":2,"op":"heap","n":"x"}').code)
  end)

  it("is counted for one at a time", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:send '{"id":1,"op":"heap","n":1}'
    raw:send '{"id":2,"op":"heap","n":1}'
    local codes = {}
    for _ = 1, 2 do
      local answer = raw:receive()
      codes[#codes + 1] = answer.ok and "ok" or answer.code
    end
    table.sort(codes)
    assert.is_true(codes[1] == "busy" and codes[2] == "ok" or codes[1] == "ok" and codes[2] == "ok")
    assert.is_true(raw:ask('{"id":3,"op":"heap","n":1}').ok)
  end)
end)
