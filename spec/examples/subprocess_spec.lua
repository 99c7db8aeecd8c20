local examples = require "examples.subprocess"
local sh = require("spec.support.shell").run

describe("examples/subprocess.lua", function()
  it("asks another process for the date", function()
    local before, date, after = os.date "!%Y-%m-%d", examples.get_date "%Y-%m-%d", os.date "!%Y-%m-%d"
    assert.is_true(date == before or date == after)
    assert.matches("%d", examples.get_date())
  end)

  it("tells how a line of the shell went", function()
    assert.equal("echo hello: exited with 0\n  [stdout] hello\n", examples.run "echo hello")
    assert.equal("echo no >&2; exit 3: exited with 3\n  [stderr] no\n", examples.run "echo no >&2; exit 3")
  end)

  it("gives up what takes too long, and leaves nothing behind", function()
    assert.equal("sleep 1000: given up after 0.05 s\n", examples.run_within("sleep 1000", 0.05))
  end)

  it("runs", function()
    local output, status = sh "$S examples/subprocess.lua"
    assert.equal(0, status, output)
    assert.matches("^Current date: [^\n]+\necho hello: exited with 0\n  %[stdout%] hello\nls /zzz: exited with %d\n"
      .. "  %[stderr%] ls: [^\n]+\nsleep 10: given up after 0.2 s\n$", output)
  end)
end)
