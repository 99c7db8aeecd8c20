local async = require "strobe.async"
local net = require "strobe.net"

describe("a stream", function()
  local left, right

  before_each(function()
    left, right = net.pipe()
  end)

  describe("read_line", function()
    it("returns lines without their ends, the last also when it has none, however they come", function()
      local text, lines = "one\r\n\ntwo\r\r\n\r\nlast\r", {}
      local writing = async.create_task(function()
        for byte in text:gmatch "." do
          left:write(byte)
          async.sleep(0)
        end
      end)
      for i = 1, 4 do
        lines[i] = right:read_line()
      end
      assert.same({ "one", "", "two\r", "" }, lines)
      writing:await()
      left:shutdown()
      assert.equal("last\r", right:read_line())
      assert.same({ n = 1 }, table.pack(right:read_line()))
    end)

    it("refuses a line that is too long, which stays", function()
      left:write "12345678\nx\n"
      assert.equal("EMSGSIZE", select(3, right:read_line(8)))
      assert.equal("12345678", right:read_line(9))
      assert.equal("x", right:read_line(9))
      assert.is_false(pcall(right.read_line, right, 0))
    end)

    it("fails within its time", function()
      right:set_timeout(1)
      left:write "half"
      assert.equal("ETIMEDOUT", select(3, right:read_line()))
      left:write " line\n"
      assert.equal("half line", right:read_line())
    end)
  end)
end)
