local Link = require "strobe.discovery.link"
local async = require "strobe.async"
local interfaces = require "strobe.discovery.interface"
local uv = require "luv"
local with_group = require("spec.support.multicast").with_group

-- A link on the loopback only.
local function open(group)
  local address, port = group:match "^(.*):(%d+)$"
  return assert(Link.open { group = address, port = tonumber(port), interfaces =
    interfaces.among(interfaces.all(), { "127.0.0.1" }) })
end

-- What a link hears, without waiting for more; the virtual clock stands still as long as packets come.
local function heard(link)
  local list = {}
  while true do
    local in_time, bytes = async.move_on_after(0.2, link.receive, link)
    if not in_time then
      return list
    end
    list[#list + 1] = bytes
  end
end

describe("a link", function()
  it("shares its port, and takes what is sent to all with where it came from", with_group(function(group)
    local first <close>, port = open(group), tonumber(group:match ":(%d+)$")
    local second <close> = open(group)
    assert.is_true((first:multicast("hello", 1)))
    for _, link in ipairs { first, second } do
      local bytes, from = link:receive()
      assert.equal("hello", bytes)
      assert.same({ address = "127.0.0.1", port = port, interface = 1, own = true }, from)
    end
  end))

  it("sends to one", with_group(function(group)
    local link <close> = open(group)
    local other = uv.new_udp "inet"
    other:bind("127.0.0.1", 0)
    local arrived = async.Future()
    other:recv_start(function(_, data)
      if data then
        arrived:set_result(data)
      end
    end)
    assert.is_true((link:unicast("for you", "127.0.0.1", other:getsockname().port)))
    assert.equal("for you", arrived:await())
    other:close()
  end))

  it("drops the oldest packets when they come faster than they are taken, and counts them", with_group(function(group)
    local link <close> = open(group)
    for i = 1, 300 do
      assert(link:multicast(tostring(i), 1))
      if i % 100 == 0 then
        async.sleep(0.5) -- the system keeps not much more
      end
    end
    local list = heard(link)
    assert.equal(300, #list + link:dropped())
    assert.equal(256, #list)
    assert.equal("300", list[#list])
  end))

  it("takes no packet that is too large", with_group(function(group)
    local link <close> = open(group)
    link:multicast(("x"):rep(9001), 1)
    link:multicast(("x"):rep(9000), 1)
    local list = heard(link)
    assert.same({ 1, 9000 }, { #list, #list[1] })
  end))

  it("that is closed wakes who receives; sends no more; closes twice", with_group(function(group)
    local link = open(group)
    local receiving = async.create_task(link.receive, link)
    async.sleep(0)
    link:close()
    link:close()
    assert.is_nil((receiving:await()))
    assert.same({ nil, "the link is closed", "ECANCELED" }, { link:multicast("x", 1) })
    assert.same({ nil, "the link is closed", "ECANCELED" }, { link:unicast("x", "127.0.0.1", 1) })
  end))

  it("loses nothing to a receive that is cancelled", with_group(function(group)
    local link <close> = open(group)
    local receiving = async.create_task(link.receive, link)
    async.sleep(0)
    receiving:cancel()
    async.wait { receiving }
    link:multicast("kept", 1)
    assert.equal("kept", (link:receive()))
  end))

  it("says why it cannot be opened", function()
    local all = interfaces.all()
    local _, message, code = Link.open { group = "10.0.0.1", port = 40000, interfaces = all }
    assert.equal("EINVAL", code)
    assert.matches(": EINVAL: invalid argument$", message)
    assert.same({ nil, "no interface is up", "ENODEV" }, { Link.open { group = "239.1.2.3", port = 40000,
      interfaces = {} } })
    local taken = uv.new_udp "inet"
    taken:bind("0.0.0.0", 0)
    _, message, code = Link.open { group = "239.1.2.3", port = taken:getsockname().port, interfaces = all }
    assert.same({ "EADDRINUSE: address already in use", "EADDRINUSE" }, { message, code })
    taken:close()
  end)
end)
