local commands = require "strobe.console.commands"
local repl = require "strobe.repl"

describe("strobe.repl", function()
  it("adds commands to the console, and stops tasks there", function()
    repl.command("answer", function(text)
      return "42" .. text
    end, "the answer")
    assert.equal("42!", commands.run({ settings = {} }, ":answer !"))
    assert.is_function(repl.pry)
  end)
end)
