local sh = require("spec.support.shell").run

describe("examples/tasks.lua", function()
  local function run()
    return sh "$S --clock=virtual examples/tasks.lua"
  end

  it("prints what its comments promise", function()
    local output, status = run()
    assert.equal(0, status)
    assert.matches("^%-%- one after another\n 0.0 s  Waiting for 2\n 2.0 s  Waited for 2\n", output)
    assert.matches(table.concat({
      "-- three tasks",
      " 0.0 s  Waiting for 5",
      " 0.0 s  Waiting for 10",
      " 0.0 s  Waiting for 4",
      " 4.0 s  Waited for 4",
      " 5.0 s  Waited for 5",
      " 8.0 s  Waited for 4",
    }, "\n"):gsub("%p", "%%%0"), output)
    assert.matches("\n20.0 s  Waited for 10\n%-%- gather\n", output)
    assert.matches("\n 8.0 s  gathered 4, 2, 8, 6\n", output)
  end)

  it("prints line by line what the same program prints in Python", function()
    local python, status = sh "python3 spec/examples/tasks.py"
    if status == 127 then
      pending "there is no python3 here"
      return
    end
    assert.equal(python, (run()))
  end)
end)
