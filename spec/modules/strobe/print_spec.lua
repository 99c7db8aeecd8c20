local sh = require("spec.support.shell").run

describe("print in a thread", function()
  it("prints what it does in a script", function()
    local output, status = sh("$S $F", [[
      local async = require "strobe.async"
      local function lines()
        local odd = setmetatable({}, { __tostring = function() return "odd" end })
        print()
        print(nil, 1, 1.0, "x\0y", true, odd, nil)
        print(select("#"))
      end
      lines()
      async.to_thread(lines) ]])
    local half = #output // 2
    assert.equal(0, status)
    assert.equal("\nnil\t1\t1.0\tx\0y\ttrue\todd\tnil\n0\n", output:sub(1, half))
    assert.equal(output:sub(1, half), output:sub(half + 1))
  end)
end)
