local program = require("strobe.core.host").program

describe("the base layer", function()
  it("agrees with its models after random operations", function()
    -- Built beside strobe.
    local path = program:gsub("[^/]*$", "") .. "base_test"
    local file = io.open(path)
    if not file then
      pending "base_test is not built: ninja base_test"
      return
    end
    file:close()
    local pipe = assert(io.popen(("'%s' 2>&1"):format(path)))
    local output = pipe:read "a"
    local _, _, status = pipe:close()
    assert.equal("good\n", output)
    assert.equal(0, status)
  end)
end)
