local sh = require("spec.support.shell").run

describe("examples/concepts.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/concepts.lua"
  end)

  it("runs to its end", function()
    assert.equal(0, status, output)
  end)

  it("shows that a coroutine object has not run, and runs once", function()
    assert.matches("\n1%.0 s  nothing has run yet: <coroutine object greeting>\n2%.0 s  hello, Grace\n", output)
    assert.matches("\n2%.0 s  a second time: cannot reuse already awaited coroutine 'greeting'\n", output)
  end)

  it("shows that a task runs meanwhile", function()
    assert.matches("\n2%.0 s  made; done: false\n2%.5 s  we go on meanwhile; done: false\n", output)
    assert.matches("\n4%.0 s  hello, Barbara; done: true\n", output)
  end)

  it("shows a future with two results, and an object of one's own that is awaited", function()
    assert.matches("\n4%.0 s  done: false\n5%.0 s  from a callback, 42\n", output)
    assert.matches("\n7%.0 s  green tea\n", output)
  end)

  it("shows who takes turns in which order", function()
    local last = output:match "(7%.0 s  this goes on.*)%-%- what is never"
    assert.equal("7.0 s  this goes on until it waits\n7.0 s  a callback of the next turn\n"
      .. "7.0 s  a task, which begins in the next turn\n7.0 s  now both have run\n", last)
  end)

  it("ends with the warning about what was never awaited, and its line", function()
    local number, wanted = 0, nil
    for line in io.lines "examples/concepts.lua" do
      number = number + 1
      wanted = line == 'greeting "nobody"' and number or wanted
    end
    local text = "coroutine 'greeting' was never awaited (made at examples/concepts.lua:%d)"
    assert.is_truthy(output:find(text:format(wanted), 1, true), output)
  end)
end)
