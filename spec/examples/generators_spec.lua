local sh = require("spec.support.shell").run

describe("examples/generators.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/generators.lua"
  end)

  it("loops over values that come in time", function()
    assert.equal(0, status, output)
    assert.matches("\n1 s: 3\n2 s: 2\n3 s: 1\n", output)
  end)

  it("closes when the loop is left, before the next line", function()
    assert.matches("\nline 1\nline 2\nclosed\n%-%- send", output)
  end)

  it("takes what is sent", function()
    assert.matches("\nready\t10.0\t15.0\t30.0\n", output)
  end)

  it("hands on what another generator yields", function()
    assert.matches("\n2 1 a b\n", output)
  end)

  it("shows the trap of one table for all items", function()
    assert.matches("\ntotal: 306\nkept: 103 103 103\ncopies: 101 102 103\n$", output)
  end)
end)
