local sh = require("spec.support.shell").run

local LINES = "1 (10 characters): naïve café\n"
  .. "2 (0 characters): \n"
  .. "3 (8 characters): 3,50 € 😀\n"
  .. "4 (24 characters): no newline at the end: ü\n"

describe("examples/chunk_pipeline.lua", function()
  it("gives the same whole lines by generators and by a chain, wherever the bytes are cut", function()
    local output, status = sh "$S --clock=virtual examples/chunk_pipeline.lua"
    assert.equal("-- generators\n" .. LINES .. "-- a chain\n" .. LINES, output)
    assert.equal(0, status)
  end)
end)
