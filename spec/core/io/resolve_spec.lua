local async = require "strobe.async"
local resolve = require("strobe.core.resolve").resolve

describe("resolve", function()
  it("of a numeric address is that, at once", function()
    for _, address in ipairs { "127.0.0.1", "::1", "2001:db8::1" } do
      assert.same({ address }, resolve(address))
    end
  end)

  it("of localhost is an address of this machine", function()
    for _, address in ipairs(assert(resolve "localhost")) do
      assert.is_true(address == "::1" or address:find "^127%." ~= nil)
    end
  end)

  it("of a name that no system has fails and names it", function()
    local addresses, message, code = resolve "no..such..name"
    assert.is_nil(addresses)
    assert.matches("^resolve no%.%.such%.%.name: ", message)
    assert.matches("^EAI_", code)
  end)

  it("of no string is a mistake", function()
    assert.is_false(pcall(resolve, nil))
    assert.is_false(pcall(resolve, {}))
  end)

  it("can be cancelled before, while and after the answer comes", function()
    for turns = 0, 20 do
      local t = async.create_task(resolve, "localhost")
      for _ = 1, turns do
        async.sleep(0)
      end
      t:cancel()
      async.wait { t }
    end
    async.sleep(1)
  end)

  it("answers many questions at once", function()
    local tasks = {}
    for i = 1, 100 do
      tasks[i] = async.create_task(resolve, "localhost")
    end
    for _, addresses in ipairs(async.gather(tasks)) do
      assert.is_true(#addresses > 0)
    end
  end)
end)
