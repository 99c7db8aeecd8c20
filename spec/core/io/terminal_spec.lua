local Terminal = require "spec.support.terminal"
local terminal = require "strobe.core.terminal"
local uv = require "luv"

describe("the size of a terminal", function()
  it("is nil where there is none", function()
    local pipe = assert(uv.pipe())
    assert.is_nil(terminal.size(pipe.read))
    assert(uv.fs_close(pipe.read))
    assert(uv.fs_close(pipe.write))
    assert.is_nil(terminal.size(pipe.read)) -- closed
    assert.is_nil(terminal.size(-1))
    assert.has_error(function() terminal.size "x" end)
  end)

  local shows = Terminal.stories(_ENV)
  local SIZE = 'print(require("strobe.core.terminal").size(1))'

  shows("is its columns and rows; 0 and 0 where it does not know", function()
    for _, size in ipairs { { 24, 80 }, { 1, 300 }, { 0, 0 } } do
      local screen <close> = Terminal.open({ "-e", SIZE }, { rows = size[1], columns = size[2] })
      assert.equal(0, screen.process:wait())
      assert.equal(("%d\t%d\r\n"):format(size[2], size[1]), screen:output())
    end
  end)

  shows("is asked for without a change to how others write to it", function()
    local screen <close> = Terminal.open { "-e", SIZE .. " for i = 1, 20000 do print(i) end" }
    assert.equal(0, screen:wait())
    assert.matches("\r\n20000\r\n$", screen:output())
  end)
end)
