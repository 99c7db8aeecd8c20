local sh = require("spec.support.shell").run

describe("examples/mock_http.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/mock_http.lua"
  end)

  it("shows each kind of answer, and that a retry helps", function()
    assert.equal(0, status, output)
    assert.matches("^ 0.0 s  hello, Ada\n ?0.%d s  flaky: well\n", output)
    assert.matches("slow: ETIMEDOUT\n.* gone: ECONNREFUSED\n.* ordered BTC: 201, 5 bytes\n", output)
  end)

  it("waits for the slow one as long as its limit says, and for the one that is gone not at all", function()
    local flaky, slow, gone = output:match "([%d.]+) s  flaky.-([%d.]+) s  slow.-([%d.]+) s  gone"
    assert.is_true(math.abs(slow - flaky - 2) < 0.15, output)
    assert.equal(slow, gone)
  end)

  it("asks six times, and nobody", function()
    assert.matches("\n6 requests, and nobody was asked\n$", output)
  end)
end)
