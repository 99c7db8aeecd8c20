local help = require "strobe.help"
local sh = require("spec.support.shell").run

local function run(words)
  return sh("$S help " .. words)
end

describe("strobe help", function()
  it("without a name tells the usage", function()
    local output, status = run ""
    assert.equal(0, status)
    assert.matches("^usage: strobe FILE", output)
  end)

  it("shows a function: its signature, its text, and that it may wait", function()
    local output, status = run "gather"
    assert.equal(0, status)
    assert.matches("tasks.gather%(...%)   %(strobe.async.task%)", output)
    assert.matches("Runs awaitables concurrently", output)
    assert.matches("may wait", output)
  end)

  it("shows a module: what it is about, and the names in it", function()
    local output, status = run "strobe.net"
    assert.equal(0, status)
    assert.matches("Connections and servers", output)
    assert.matches("net.listen%(host, port, options%)", output)
  end)

  it("names what is near when it knows no such thing", function()
    local output, status = run "gathr"
    assert.equal(1, status)
    assert.matches("nothing is called 'gathr'; near: gather,", output)
  end)

  it("has a text for every entry", function()
    local entries = help.entries()
    assert.is_true(#entries > 150)
    for _, entry in ipairs(entries) do
      assert.is_true(#entry.text > 0, entry.full)
    end
  end)
end)
