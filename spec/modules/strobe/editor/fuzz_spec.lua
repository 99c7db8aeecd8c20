local type_anything = require "spec.support.random_typing"

describe("the line editor", function()
  it("shows what it has, whatever is typed (./run fuzz types for longer)", function()
    for seed = 1, 40 do
      local ok, message = pcall(type_anything, seed, 60)
      assert(ok, ("seed %d: %s"):format(seed, message))
    end
  end)
end)
