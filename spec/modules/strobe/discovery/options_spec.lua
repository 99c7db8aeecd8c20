local options = require "strobe.discovery.options"
local raised_by = require("spec.support.errors").raised_by

describe("the options of discovery", function()
  it("take a group of the caller's", function()
    assert.same({ "239.1.2.3", 5400 }, { options.place { group = "239.1.2.3:5400" } })
    for _, group in ipairs { "239.1.2.3", "10.1.2.3:5400", "239.1.2.3:0", "239.1.2.3:65536", "off", 7 } do
      assert.matches("group: an address and a port, such as 239.1.2.3:5400, expected, got " .. group,
        tostring(raised_by(options.check, "find", { group = group })))
    end
  end)

  it("take types as RFC 6763 has them", function()
    for _, kind in ipairs { "_http._tcp", "_strobe-circuit._tcp", "_a1._udp" } do
      assert.equal(kind, options.check_type("find", kind))
    end
    assert.equal("_strobe._tcp", options.check_type("find", nil))
    for _, kind in ipairs { "http", "_http._sctp", "_http._tcp.local", "_sixteenletters16._tcp", "_a b._tcp", "" } do
      assert.matches("find: type: a type such as _http._tcp", tostring(raised_by(options.check_type, "find", kind)))
    end
  end)
end)
