local manual = require "strobe.reference.manual"

describe("the manual", function()
  it("tells all about a name: how it is called, what it takes and what comes of it", function()
    local text = assert(manual.text "async.gather")
    assert.matches("^async%.gather%(%.%.%.%)", text)
    assert.matches("\n  may wait\n", text)
    assert.matches("\n  takes\n.*\n  returns\n", text)
  end)

  it("knows Python's names", function()
    assert.matches("gather", (assert(manual.text "asyncio.gather")))
  end)

  it("names the nearest, when nothing is called so", function()
    local text, message, near = manual.text "ws.conect"
    assert.is_nil(text)
    assert.matches("ws.conect", message)
    assert.equal("connect", near[1])
    assert(#near <= 3, #near)
  end)

  it("takes any name", function()
    for _, name in ipairs { "%a+", "\27[2J", ("x"):rep(10000) } do
      local text, message = manual.text(name)
      assert.is_nil(text)
      assert.is_string(message)
    end
  end)
end)
