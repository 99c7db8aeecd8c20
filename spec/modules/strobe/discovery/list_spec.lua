local Folder = require "spec.support.folder"
local list = require "strobe.discovery.list"
local sh = require("spec.support.shell").run

-- What a program with that STROBE_SERVICES finds.
local function find(value, name, options)
  return (sh(("STROBE_SERVICES='%s' $S -e '%s'"):format(value, ([[
    local s, message, code = require "strobe.discovery".find("%s", %s)
    print(s and s.host .. " " .. s.port .. " " .. #s.addresses or message, code)]]):format(name, options or "{}"))))
end

describe("the list of services", function()
  it("has places by name", function()
    assert.same({
      iopin = { host = "192.168.1.5", port = 8765 },
      buzzer = { host = "pi.example", port = 1 },
      six = { host = "::1", port = 65535 },
      ["my pin"] = { host = "localhost", port = 80 },
    }, list.read " iopin=192.168.1.5:8765,buzzer = pi.example:1,,six=[::1]:65535\nmy pin=localhost:80, # x=1\n# y\n")
    assert.same({}, list.read "")
    assert.same({ a = { host = "b", port = 1 } }, list.read "a=b:1,a=c:2")
  end)

  it("says which place is none", function()
    for _, entry in ipairs { "iopin", "iopin=", "=1.2.3.4:5", "iopin=1.2.3.4", "iopin=a:0", "iopin=a:65536",
      "iopin=a:b", "iopin=::1:80", "iopin=a b:80", "iopin=[x]:80" } do
      local places, message = list.read("good=a:1, " .. entry .. " ,x=y:1")
      assert.is_nil(places)
      assert.equal(("name=host:port expected, got '%s'"):format(entry), message)
    end
  end)

  it("comes from STROBE_SERVICES, and is asked before the network", function()
    assert.equal("192.168.1.5 8765 1\tnil\n", find("iopin=192.168.1.5:8765,buzzer=pi:9000", "iopin"))
    assert.equal("pi 9000 0\tnil\n", find("iopin=192.168.1.5:8765,buzzer=pi:9000", "buzzer"))
  end)

  it("may be in a file, a line each", function()
    local folder <close> = Folder.new { ["places.txt"] = "# ours\niopin = 10.0.0.1:80\nbuzzer=10.0.0.2:80 # loud\n" }
    assert.equal("10.0.0.2 80 1\tnil\n", find(folder.path .. "/places.txt", "buzzer"))
    assert.matches("^find x: STROBE_SERVICES: .*nowhere: No such file or directory\tEINVAL\n$",
      find(folder.path .. "/nowhere", "x"))
    assert.matches("^find x: STROBE_SERVICES: .*directory\tEINVAL\n$", find(folder.path, "x"))
  end)

  it("of the options comes before that of the environment", function()
    assert.equal("::1 2 1\tnil\n", find("iopin=10.0.0.1:1", "iopin", [[{ services = { iopin = "[::1]:2" } }]]))
    assert.equal("10.0.0.1 1 1\tnil\n", find("iopin=10.0.0.1:1", "iopin", [[{ services = { other = "[::1]:2" } }]]))
  end)

  it("that is wrong is told as such", function()
    assert.equal("find iopin: STROBE_SERVICES: name=host:port expected, got 'iopin=here'\tEINVAL\n",
      find("iopin=here", "iopin"))
    assert.equal('services: a table expected, as in {iopin = "127.0.0.1:8765"}, got string', list.mistake "a=b:1")
    assert.equal("services: iopin: 'host:port' expected, got here", list.mistake { iopin = "here" })
    assert.is_nil(list.mistake { iopin = "here:1" })
  end)
end)
