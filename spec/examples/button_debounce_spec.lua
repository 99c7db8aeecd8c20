local sh = require("spec.support.shell").run

describe("examples/button_debounce.lua", function()
  it("counts each press once where the line has a debounce period", function()
    local output, status = sh "$S --clock=virtual examples/button_debounce.lua"
    assert.equal(table.concat({
      "after press 1: without debounce 5 edges, with it 1",
      "after press 2: without debounce 9 edges, with it 2",
      "after press 3: without debounce 14 edges, with it 3\n",
    }, "\n"), output)
    assert.equal(0, status)
  end)
end)
