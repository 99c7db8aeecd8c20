local sh = require("spec.support.shell").run

describe("examples/factory.lua", function()
  it("makes objects by constructors that wait, and leaves nothing open when one fails", function()
    local output, status = sh "$S --clock=virtual examples/factory.lua"
    assert.equal(0, status, output)
    assert.equal([[
db.example: version 3, 1 open
  afterwards: closed, 0 open
  afterwards: old.example speaks version 1, at least 2 is needed, 0 open
  afterwards: no route to down.example, 0 open
two after 1.5 s, 2 open
given 1.2 s: TimeoutError, 0 open
]], output)
  end)
end)
