local Attached = require("spec.support.attached").Attached

describe("the operation", function()
  it("open gives rights and the number of the console, and takes a name", function()
    local attached <close> = Attached.new { rights = "ro" }
    attached:raw()
    local raw = attached:raw()
    assert.same({ id = 1, ok = true, rights = "ro", console = 2 },
      (raw:ask(('{"id":1,"op":"open","rights":"rw","name":"%s"}'):format(("n"):rep(100)))))
    assert.matches('name="' .. ("n"):rep(64) .. '" op=open ro$', attached:logged()[3])
    for _, fields in ipairs { '"rights":5', '"rights":"x"', '"name":{}' } do
      assert.equal("bad_request", raw:ask('{"id":1,"op":"open",' .. fields .. "}").code)
    end
  end)

  it("ping answers", function()
    local attached <close> = Attached.new()
    assert.same({ id = "é", ok = true }, (attached:raw():ask '{"id":"é","op":"ping"}'))
  end)
end)
