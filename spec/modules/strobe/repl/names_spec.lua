local names = require "strobe.repl.names"

describe("the names a prompt knows", function()
  it("stand for modules, which are loaded when they are used", function()
    for name in pairs(names.modules) do
      assert.equal(require("strobe." .. name), names.module(name))
    end
    assert.is_nil(names.module "nothing")
    assert.is_nil(names.module(1))
  end)

  it("are told from others", function()
    assert.is_true(names.is_known "async")
    assert.is_true(names.is_known "print")
    assert.is_true(names.is_known "utf8")
    assert.is_false(names.is_known "x")
  end)
end)
