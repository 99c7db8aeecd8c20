local Kill = require "strobe.editor.kill"

describe("the kill ring", function()
  it("yanks the newest, and rotates to the older ones and around", function()
    local kill = Kill.new()
    assert.is_nil(kill:yank())
    kill:add "a"
    kill:add "b"
    kill:add "c"
    assert.equal("c", kill:yank())
    assert.same({ "b", "a", "c" }, { kill:rotate(), kill:rotate(), kill:rotate() })
    kill:rotate()
    assert.equal("c", kill:yank())
  end)

  it("joins what is cut away in a row, on the side where it was", function()
    local kill = Kill.new()
    kill:add("b", "behind")
    kill:add("c", "behind")
    kill:add("a", "before")
    assert.equal("abc", kill:yank())
    assert.equal("abc", kill:rotate())
  end)

  it("keeps the last ten", function()
    local kill = Kill.new()
    for i = 1, 12 do
      kill:add(tostring(i))
    end
    assert.equal("12", kill:yank())
    local oldest
    for _ = 1, 9 do
      oldest = kill:rotate()
    end
    assert.equal("3", oldest)
    assert.equal("12", kill:rotate())
  end)
end)
