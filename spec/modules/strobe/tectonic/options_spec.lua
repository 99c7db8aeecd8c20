local options = require "strobe.tectonic.options"

describe("options of tectonic", function()
  local function refusal(given, expected)
    local ok, message = pcall(options.check, "tectonic.serve", given, expected)
    assert.is_false(ok)
    return message
  end

  it("are all optional", function()
    options.check("tectonic.serve", {}, options.serve)
    options.check("tectonic.connect", {}, options.connect)
  end)

  it("are refused by name, with what is expected and what came", function()
    for name, case in pairs {
      port = { 65536, "a port from 0 to 65535 expected, got 65536" },
      protocol = { "udp", "auto, poll or push expected, got udp" },
      max_connections = { 0, "an integer above 0 expected, got 0" },
      idle_timeout = { -1, "a number of seconds above 0 expected, got -1" },
      flush = { "x", "a function expected, got x" },
    } do
      local message = refusal({ [name] = case[1] }, options.serve)
      assert.truthy(message:find(("tectonic.serve: %s: %s"):format(name, case[2]), 1, true), message)
    end
  end)

  it("take port 0 to serve, and not to connect", function()
    options.check("tectonic.serve", { port = 0 }, options.serve)
    assert.matches("a port from 1 to 65535 expected, got 0", refusal({ port = 0 }, options.connect))
  end)
end)
