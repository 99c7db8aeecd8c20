local surface = require "strobe.reference.surface"

describe("what strobe offers", function()
  local function module(name)
    for _, each in ipairs(surface.model().modules) do
      if each.name == name then
        return each
      end
    end
  end

  it("is the public modules, by name, and none of those that commands are made of", function()
    local last = ""
    for _, each in ipairs(surface.model().modules) do
      assert.is_true(each.name > last, each.name)
      assert.is_true(#each.head > 0, each.name)
      last = each.name
    end
    assert.is_table(module "strobe.async")
    assert.is_table(module "strobe.gpio.i2c")
    assert.is_nil(module "strobe.report")
  end)

  it("is what the living modules have, and the same things", function()
    local async = require "strobe.async"
    for _, item in ipairs(module("strobe.async").items) do
      local owner = async
      for name in item.short:gmatch "([%w_]+)%." do
        owner = owner[name]
      end
      assert.equal(owner[item.short:match "[%w_]+$"], item.live, item.name)
    end
  end)

  it("knows the place of a Lua function, and none of one in C", function()
    local path, line = surface.place(surface.model)
    assert.equal("modules/strobe/reference/surface.lua", path)
    assert.is_true(line > 1)
    assert.is_nil(surface.place(string.rep))
  end)

  it("is worked out once", function()
    assert.equal(surface.model(), surface.model())
  end)
end)
