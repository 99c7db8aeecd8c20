local sh = require("spec.support.shell").run

describe("examples/stdin_lines.lua", function()
  for _, way in ipairs { "", "--generator" } do
    local name = way == "" and "by async.stdin" or "by a generator"

    it("numbers the lines of a pipe " .. name, function()
      local output, status = sh("printf 'one\\n\\nthree' | $S examples/stdin_lines.lua " .. way)
      assert.equal("1: one\n2: \n3: three\n3 lines, in 0 seconds or a little more\n", output)
      assert.equal(0, status)
    end)

    it("numbers the lines of a file, also of an empty one, " .. name, function()
      local output = sh("$S examples/stdin_lines.lua " .. way .. " <$F", "a\nb\n")
      assert.matches("^1: a\n2: b\n2 lines", output)
      assert.matches("^0 lines", (sh("$S examples/stdin_lines.lua " .. way .. " </dev/null")))
    end)
  end

  it("ends when nobody reads what it prints", function()
    local output = sh "{ yes 2>/dev/null | $S examples/stdin_lines.lua; echo status $? >&2; } | head -n 1"
    assert.matches("^1: y\nstrobe: stdout: broken pipe [^\n]*\nstatus 141\n$", output)
  end)
end)
