local sh = require("spec.support.shell").run

describe("examples/two_flip_flop_counter.lua", function()
  it("counts from 0 to 3 and begins again", function()
    local output, status = sh "$S --clock=virtual examples/two_flip_flop_counter.lua"
    assert.equal(table.concat({
      "0.25 s: 00 = 0",
      "1.25 s: 01 = 1",
      "2.25 s: 10 = 2",
      "3.25 s: 11 = 3",
      "4.25 s: 00 = 0",
      "5.25 s: 01 = 1\n",
    }, "\n"), output)
    assert.equal(0, status)
  end)
end)
