local sh = require("spec.support.shell").run

describe("print", function()
  it("prints what Lua's own does, which it takes the place of once there are threads", function()
    local output, status = sh("$S $F", [[
      local async = require "strobe.async"
      local odd = setmetatable({}, { __tostring = function() return "odd" end })
      local function lines()
        print()
        print(nil, 1, 1.0, "x\0y", true, odd, nil)
        print(select("#"))
      end
      local own = print
      lines()
      local _ = async.ThreadPoolExecutor(1)
      assert(print ~= own)
      lines() ]])
    local half = #output // 2
    assert.equal(0, status)
    assert.equal("\nnil\t1\t1.0\tx\0y\ttrue\todd\tnil\n0\n", output:sub(1, half))
    assert.equal(output:sub(1, half), output:sub(half + 1))
  end)
end)
