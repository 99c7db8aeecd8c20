local peer = require "spec.support.peer"
local width = require "strobe.editor.width"

local VERSION = "14.0.0" -- of Unicode, after which modules/strobe/editor/width.lua is made

local python = peer.python "unicodedata"

-- What Python's tables say; nil if they are of another version.
local function table_of()
  local pipe = assert(io.popen(("%s %s"):format(python[1], peer.file "unicode_widths.py")))
  local text = pipe:read "a"
  assert(pipe:close())
  return text:match("^" .. VERSION:gsub("%.", "%%.") .. "\n(.*)$")
end

local text = python and table_of()

describe("the widths of characters", function()
  local it_has = peer.stories(_ENV, text, ("no Python with Unicode %s"):format(VERSION))

  it_has("are those of Unicode, wherever it has said something", function()
    local ranges, wrong = 0, {}
    for first, last, columns in text:gmatch "(%d+) (%d+) (%-?%d+)\n" do
      ranges = ranges + 1
      for codepoint = tonumber(first), tonumber(last) do
        if width.of(codepoint) ~= tonumber(columns) then
          wrong[#wrong + 1] = ("U+%04X: %d, not %s"):format(codepoint, width.of(codepoint), columns)
        end
      end
    end
    assert.is_true(ranges > 1000)
    assert.same({}, wrong)
  end)
end)
