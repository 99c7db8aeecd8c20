local Attached = require("spec.support.attached").Attached

describe("the operation vars", function()
  it("tells the variables of a session, by name", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    assert.same({}, raw:ask('{"id":1,"op":"vars"}').variables)
    raw:ask '{"id":2,"op":"eval","code":"b, a, c = 1.5, {}, print return 7"}'
    local told = raw:ask('{"id":3,"op":"vars"}').variables
    assert.same({ { name = "a", type = "table", text = "{}" }, { name = "b", type = "float", text = "1.5" } },
      { told[1], told[2] })
    assert.equal(3, #told)
    assert.same({}, attached:raw("rw"):ask('{"id":1,"op":"vars"}').variables)
  end)

  it("has no effect on what they hold", function()
    local attached <close> = Attached.new()
    local raw = attached:raw "rw"
    raw:ask '{"id":1,"op":"eval","code":"trap = setmetatable({}, {__index = function() error \'touched\' end})"}'
    assert.equal("{}", raw:ask('{"id":2,"op":"vars"}').variables[1].text)
  end)
end)
