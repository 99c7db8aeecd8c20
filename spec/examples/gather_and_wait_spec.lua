local sh = require("spec.support.shell").run

-- What each lesson prints, by the first words of its title.
local function lessons()
  local output, status = sh "$S --clock=virtual examples/gather_and_wait.lua"
  assert.equal(0, status, output)
  local found = {}
  for title, text in output:gmatch "%-%- ([^\n]*)\n([^-]*)" do
    found[title:match "^[^:]*"] = text
  end
  return found
end

describe("examples/gather_and_wait.lua", function()
  local shown

  setup(function()
    shown = lessons()
  end)

  it("gathers in the time of the slowest, in the order of the arguments", function()
    assert.equal(" 2.0 s  page b, page a\n", shown.gather)
  end)

  it("keeps errors among the results when asked to", function()
    assert.equal(" 3.0 s  page a | page c is broken | page b\n", shown["gather with return_exceptions"])
  end)

  it("waits for the first, then for the first failure", function()
    assert.equal(" 1.0 s  done: a; pending: b, c\n 3.0 s  done: a, b, c; pending: 0; c failed: page c is broken\n",
      shown.wait)
  end)

  it("waits no longer than the timeout, which cancels nothing", function()
    assert.equal(" 1.0 s  done: 0; pending: 1\n 3.0 s  page late\n", shown["wait with a timeout"])
  end)

  it("takes them as they end", function()
    assert.equal(" 1.0 s  page quick\n 2.0 s  page middling\n 3.0 s  page slow\n", shown.as_completed)
  end)

  it("cancels what takes longer than wait_for gives it", function()
    assert.equal(" 1.0 s  false: TimeoutError; cancelled: true\n", shown.wait_for)
    assert.equal(" 1.0 s  false, timeout\n", shown.move_on_after)
  end)
end)
