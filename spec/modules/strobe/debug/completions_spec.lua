local DebugClient = require "spec.support.debug_client"

local SCRIPT = [[
local up = { inner = 1, method = function() end }
local function f(first)
  local second, unset = "text"
  return first, second, unset, up
end
return f({ field = true })]]

-- Stops in the function; the client and the frame.
local function stopped()
  local client = DebugClient.here { ["main.lua"] = SCRIPT }
  client:breakpoints("main.lua", { 4 })
  client:run "main.lua"
  return client, (client:top(client:event("stopped").threadId))
end

-- The labels for a text with the cursor at its end, and the first target.
local function complete(client, text, more)
  local request = { text = text, column = #text + 1 }
  for key, value in pairs(more or {}) do
    request[key] = value
  end
  local targets, labels = client:must("completions", request).targets, {}
  for i, target in ipairs(targets) do
    labels[i] = target.label
  end
  return labels, targets[1]
end

describe("completions in the debug console", function()
  it("are the frame's variables, also those that are nil, and what is in them", function()
    local client <close>, frame = stopped()
    local of = { frameId = frame.id }
    assert.same({ "first" }, (complete(client, "firs", of)))
    assert.same({ "second" }, (complete(client, "1 + sec", of)))
    assert.same({ "unset" }, (complete(client, "uns", of)))
    assert.same({ "field" }, (complete(client, "first.", of)))
    assert.same({ "method" }, (complete(client, "up:", of)))
    assert.same({ "inner" }, (complete(client, "f(up.i", of)))
    assert.same({}, (complete(client, "first.field.", of)))
  end)

  it("are globals, words of Lua and modules without one, and no variable of it", function()
    local client <close> = stopped()
    assert.same({ "tostring" }, (complete(client, "tostr")))
    assert.same({ "return" }, (complete(client, "retur")))
    assert.same({}, (complete(client, "firs")))
    assert.same({ "strobe.async" }, (complete(client, 'require "strobe.asy')))
  end)

  it("tell what they replace, in UTF-16 units", function()
    local client <close>, frame = stopped()
    local text = '"é😀" .. up.in .. x'
    local _, target = complete(client, text, { frameId = frame.id, column = 15 })
    assert.same({ label = "inner", type = "field", start = 13, length = 2, sortText = "0001" }, target)
    local _, unit = complete(client, "x = 1\nsec\ny", { frameId = frame.id, line = 2, column = 4 })
    assert.same({ "second", 1, 3 }, { unit.label, unit.start, unit.length })
    client.session.dialect = require("strobe.debug.dialect").new { columnsStartAt1 = false }
    _, target = complete(client, text, { frameId = frame.id, column = 14 })
    assert.same({ "inner", 12, 2 }, { target.label, target.start, target.length })
  end)

  it("are none at places that are none, and what makes no sense is refused", function()
    local client <close>, frame = stopped()
    assert.same({}, (complete(client, "[[\nfir", { line = 2, column = 4 })))
    assert.same({}, (complete(client, "-- fir")))
    for _, place in ipairs { { line = 9 }, { line = -1 }, { column = 1e6 }, { column = -5 } } do
      assert.is_table(complete(client, "a\nb", place))
    end
    for _, wrong in ipairs { {}, { text = 7, column = 1 }, { text = "x" }, { text = "x", column = 1, line = "y" },
      { text = "x", column = 1, frameId = frame.id + 99 } } do
      assert.is_nil((client:request("completions", wrong)))
    end
  end)
end)
