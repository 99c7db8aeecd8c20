local argument = require "strobe.console.commands.argument"

describe("the argument of a command", function()
  for line, expected in pairs {
    [":"] = { "COMMAND", "" },
    [":canc"] = { "COMMAND", "canc" },
    [":cancel "] = { "TASK", "" },
    ["  :cancel spec.sl"] = { "TASK", "spec.sl" },
    [":cancel spec.sleeper spec.sl"] = { "WHY", "spec.sl" },
    [":cancel a why not"] = {},
    [":time x = acc"] = { "LUA", "x = acc" },
    [":h account.ca"] = { "LUA", "account.ca" },
    [":tail BTC"] = { "STREAM", "BTC" },
    [":tail BTC m.p > lim"] = { "LUA", "BTC m.p > lim" },
    [":load ~/t"] = { "FILE", "~/t" },
    [":save! t"] = { "FILE", "t" },
    [":reload m"] = { "UNIT", "m" },
    [":prof stop f"] = { "FILE", "f" },
    [":nosuch x"] = {},
    [":q "] = {},
  } do
    it(("at the end of %q is %s"):format(line, expected[1] or "nothing"), function()
      assert.same(expected, { argument.at(line) })
    end)
  end
end)
