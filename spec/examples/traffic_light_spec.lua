local sh = require("spec.support.shell").run

describe("examples/traffic_light.lua", function()
  it("lets those on foot cross when they have asked for it", function()
    local output, status = sh "$S --clock=virtual examples/traffic_light.lua"
    assert.equal(table.concat({
      " 0.0 s: GREEN",
      " 1.0 s: somebody presses the button",
      " 3.0 s: YELLOW",
      " 4.0 s: RED",
      " 5.0 s: RED WALK",
      " 9.0 s: RED",
      "10.0 s: RED YELLOW",
      "11.0 s: GREEN",
      "15.0 s: somebody presses the button",
      "15.0 s: YELLOW",
      "16.0 s: RED",
      "17.0 s: RED WALK",
      "21.0 s: RED",
      "22.0 s: RED YELLOW",
      "23.0 s: GREEN\n",
    }, "\n"), output)
    assert.equal(0, status)
  end)
end)
