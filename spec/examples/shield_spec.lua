local sh = require("spec.support.shell").run

describe("examples/shield.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/shield.lua"
  end)

  it("cancels the handler at once, with its cleanup", function()
    assert.equal(0, status, output)
    assert.matches("\n1%.0 s  handler: ends by CancelledError\n1%.0 s  handler cancelled: true; ada has 60, grace 0\n",
      output)
    assert.not_matches("200 OK", output)
  end)

  it("lets the shielded update go on to its end, and waits for it", function()
    assert.matches("\n2%.0 s  update: 40 given to grace\n2%.0 s  ada has 60, grace 40: 100 in all\n$", output)
  end)
end)
