local path = require "strobe.console.commands.path"

describe("a path that is typed", function()
  it("is below the user's home behind ~/, and else as it is", function()
    local home = os.getenv "HOME"
    assert.equal(home .. "/a.lua", path.expand "~/a.lua")
    for _, typed in ipairs { "a.lua", "/a~/b", "~", "~ada/x", "./~/x" } do
      assert.equal(typed, path.expand(typed))
    end
  end)
end)
