local Layout = require "strobe.editor.layout"
local dice = require "spec.support.dice"

local function rows_of(layout)
  layout:has_row(math.maxinteger)
  local rows = {}
  for row = 1, layout.count do
    local first, last = layout:range(row)
    rows[row] = { first, last, layout.indents[row], layout.leads[row] }
  end
  return rows
end

describe("the rows of a text", function()
  it("are the same after any edits as anew", function()
    local random = dice(3)
    local parts = { "a", "bc ", "\n", "世", "\u{301}", "\xe4", "\xb8", "\x96", "\t", "🇩🇪", ("x"):rep(11) }
    for columns = 1, 12 do
      local layout, text = Layout.new(columns, "> ", "..."), ""
      for _ = 1, 150 do
        local first = random(#text + 1)
        text = text:sub(1, first - 1) .. parts[random(#parts)] .. text:sub(first + (random(3) - 1) * random(6))
        layout:set_text(text)
        if random(2) == 1 then
          layout:locate(random(#text + 1))
        end
        if random(3) == 1 then
          local new = Layout.new(columns, "> ", "...")
          new:set_text(text)
          assert.same(rows_of(new), rows_of(layout), ("%d columns: %q"):format(columns, text))
        end
      end
    end
  end)

  it("are looked for no further than is asked", function()
    local layout = Layout.new(80, "> ", "> ")
    layout:set_text(("x"):rep(100000))
    layout:locate(1)
    assert.is_true(layout.count <= 2)
    assert.is_true(layout:has_row(20))
    assert.equal(20, layout.count)
    layout:set_text("y" .. ("x"):rep(100000))
    assert.is_true(layout.count <= 2)
    assert.is_false(layout:has_row(5000))
  end)
end)
