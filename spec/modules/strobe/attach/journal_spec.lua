local Journal = require "strobe.attach.journal"

local function texts(lines)
  local list = {}
  for i, line in ipairs(lines) do
    list[i] = line.text
  end
  return list
end

describe("the journal of log lines", function()
  it("keeps the last 200, the oldest first", function()
    local journal = Journal.new()
    assert.same({}, journal:lines())
    for i = 1, 450 do
      journal:add("info", tostring(i), { unit = "mm", gen = 2, seq = i })
    end
    local lines = journal:lines()
    assert.equal(200, #lines)
    assert.same({ "251", "450" }, { lines[1].text, lines[200].text })
    assert.same({ "mm", 2, 450 }, { lines[200].unit, lines[200].gen, lines[200].seq })
  end)

  it("tells those of a level and worse", function()
    local journal = Journal.new()
    for _, level in ipairs { "debug", "info", "warning", "error", "odd" } do
      journal:add(level, level)
    end
    assert.same({ "debug", "info", "warning", "error", "odd" }, texts(journal:lines()))
    assert.same({ "warning", "error" }, texts(journal:lines "warning"))
  end)
end)
