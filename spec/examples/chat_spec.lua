local sh = require("spec.support.shell").run

describe("examples/chat.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/chat.lua"
  end)

  -- What one guest heard, in order.
  local function heard(name)
    local lines = {}
    for line in output:gmatch("[^\n]+") do
      lines[#lines + 1] = line:match("^" .. name .. "%s+hears%s+(.*)$")
    end
    return lines
  end

  it("ends well", function()
    assert.equal(0, status, output)
  end)

  it("lets everybody hear what is said while they are there, in order", function()
    assert.same({ "Ada is here", "Ada: hello", "Bob is here", "Ada: anybody?", "Bob: yes!" }, heard "Ada")
    assert.same({ "Bob is here", "Ada: anybody?", "Bob: yes!", "Ada has left" }, heard "Bob")
    assert.same({ "Eve is here", "Eve: echo" }, heard "Eve")
  end)
end)
