local sh = require("spec.support.shell").run

describe("examples/executors.lua", function()
  local output, status = sh "$S examples/executors.lua"

  local function prints(line)
    assert.matches("\n" .. line:gsub("[%-%.%(%)]", "%%%0") .. "\n", "\n" .. output)
  end

  it("runs what blocks in threads, while the loop goes on", function()
    assert.equal(0, status, output)
    prints "default pool\t100\tbytes"
    prints "to_thread\t100\tbytes\tit blocked: true\tthe loop went on: true"
  end)

  it("adds up in parts", function()
    prints "pool:map\t333332833333500000\tright: true"
  end)

  it("shows what is refused, and what is raised", function()
    assert.matches("\nrefused\t[^\n]*upvalue 'log' is userdata %(FILE%*%)", output)
    assert.matches("\nraised\texamples/executors.lua:%d+: no such part\n", output)
  end)

  it("tells in its first three lines what the Python did", function()
    local count = 0
    for line in io.lines "examples/executors.lua" do
      if not line:find "^%-%- " then
        break
      end
      count = count + 1
    end
    assert.equal(3, count)
  end)
end)
