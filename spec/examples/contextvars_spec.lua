local sh = require("spec.support.shell").run

describe("examples/contextvars.lua", function()
  local output, status

  setup(function()
    output, status = sh "$S --clock=virtual examples/contextvars.lua"
  end)

  it("keeps the requests apart, each with its id and user to its end", function()
    assert.equal(0, status, output)
    for id, request in pairs { r1 = { "ada", 3 }, r2 = { "grace", 1 }, r3 = { "barbara", 2 } } do
      local name, seconds = table.unpack(request)
      local expected = ("%.1f s  [%s] query of %s done\n"):format(seconds, id, name)
      assert.is_truthy(output:find(expected, 1, true), expected)
      assert.is_truthy(output:find(("%.1f s  [%s] ends\n"):format(seconds, id), 1, true))
    end
  end)

  it("keeps what a child task sets from its parent, and what all of them set from outside", function()
    assert.not_matches("%[changed by audit%]", output)
    assert.matches("%[%-%] outside nothing has changed\n", output)
  end)

  it("takes a value back by its token, and keeps one in a context", function()
    assert.matches("%[maintenance%] with another id\n[%d.]+ s  %[%-%] and back\n", output)
    assert.matches("%[inside run%] here\n[%d.]+ s  %[%-%] out here; in the context it is still 'inside run'\n$", output)
  end)
end)
