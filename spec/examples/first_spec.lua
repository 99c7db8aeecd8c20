local sh = require("spec.support.shell").run

describe("examples/first.lua", function()
  it("tells what came in each half second, and ends after two", function()
    local output, status = sh "$S --clock=virtual examples/first.lua"
    assert.equal(0, status, output)
    local times = {}
    for time, count in output:gmatch "(%d%.%d) s  (%d) prices, the last one is %d+%.%d%d\n" do
      times[#times + 1] = time .. " " .. count
    end
    assert.same({ "0.5 5", "1.0 5", "1.5 5", "2.0 5" }, times)
    assert.equal(4, select(2, output:gsub("\n", "")))
  end)
end)
