local contracts = require "strobe.live.contract"
local refusals = require "strobe.live.refusal"

local function f() end

-- A good unit with these fields; false takes one away.
local function unit_with(fields)
  local unit = { version = 1, subscribe = { "ticks" }, on_event = f }
  for name, value in pairs(fields) do
    unit[name] = value or nil
  end
  return unit
end

local function refused(unit, is_unsafe)
  local ok, e = pcall(contracts.check, "/mm.lua", unit, is_unsafe)
  assert.is_false(ok)
  assert.is_true(refusals.is(e), tostring(e))
  assert.equal("/mm.lua:1", e.place)
  return e.code, e.message
end

describe("a unit's contract", function()
  it("is a table with a version, and one of on_event, on_batch and main", function()
    for _, fields in ipairs { {}, { on_event = false, main = f },
      { on_event = false, on_batch = f }, { subscribe = false }, { subscribe = {} },
      { init = f, migrate = f, dispose = f, on_rollback = f, unsafe = false, version = 7 } } do
      local unit = unit_with(fields)
      local checked, warnings = contracts.check("/mm.lua", unit)
      assert.equal(unit, checked)
      assert.same({}, warnings)
    end
  end)

  it("says what is wrong with it", function()
    local cases = {
      ["version: a whole number of 1 or more expected, got nil"] = { version = false },
      ["version: a whole number of 1 or more expected, got 0"] = { version = 0 },
      ["version: a whole number of 1 or more expected, got 1.0"] = { version = 1.0 },
      ["version: a whole number of 1 or more expected, got 1"] = { version = "1" },
      ["exactly one of main, on_event and on_batch expected, got main and on_event"] = { main = f },
      ["exactly one of main, on_event and on_batch expected, got none"] = { on_event = false },
      ["on_event: a function expected, got table"] = { on_event = {} },
      ["init: a function expected, got string"] = { init = "x" },
      ["migrate: a function expected, got boolean"] = { migrate = true },
      ["dispose: a function expected, got number"] = { dispose = 1 },
      ["on_rollback: a function expected, got number"] = { on_rollback = 1 },
      ["unsafe: a boolean expected, got string"] = { unsafe = "yes" },
      ["subscribe: a list of streams expected, got string"] = { subscribe = "ticks" },
      ["subscribe[1]: a stream's name expected, got nil"] = { subscribe = { name = "ticks" } },
      ["subscribe[2]: a stream's name expected, got nil"] = { subscribe = { "a", nil, "c" } },
      ["subscribe[2]: a stream's name expected, got 5"] = { subscribe = { "a", 5 } },
      ["subscribe[1]: a stream's name expected, got "] = { subscribe = { "" } },
      ["subscribe[3]: 'a' is in the list already"] = { subscribe = { "a", "b", "a" } },
    }
    for text, fields in pairs(cases) do
      assert.same({ "contract", text }, { refused(unit_with(fields)) })
    end
  end)

  it("is no contract at all when it is no table", function()
    assert.same({ "empty", "/mm.lua returned nil, not the unit's table" }, { refused(nil) })
    assert.equal("empty", (refused(f)))
  end)

  it("warns of fields that nobody asks for", function()
    local _, warnings = contracts.check("/mm.lua", unit_with { on_evnt = f, [5] = 1 })
    assert.same({ "the contract has no field '5'", "the contract has no field 'on_evnt'" }, warnings)
  end)

  it("is as unsafe as its text says", function()
    local _, warnings = contracts.check("/mm.lua", unit_with { unsafe = true }, true)
    assert.same({ "unsafe = true: the new code is not on probation" }, warnings)
    assert.equal("contract", (refused(unit_with { unsafe = true }, false)))
    assert.equal("contract", (refused(unit_with {}, true)))
  end)
end)
