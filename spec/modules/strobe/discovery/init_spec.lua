local async = require "strobe.async"
local child = require "spec.support.child"
local collector = require "spec.support.collector"
local discovery = require "strobe.discovery"
local ether = require "spec.support.ether"
local host = require "strobe.core.host"
local raised_by = require("spec.support.errors").raised_by
local sh = require("spec.support.shell").run
local with_group = require("spec.support.multicast").with_group

local function announce(network, address, more)
  local options = { name = "iopin", port = 8765, host = "0.0.0.0", link = network:join(address) }
  for key, value in pairs(more or {}) do
    options[key] = value
  end
  return discovery.announce(options)
end

describe("discovery.announce", function()
  it("returns when the name is known to be free, or is another one", function()
    local network = ether.new()
    local first <close> = assert(announce(network, "10.0.0.1"))
    assert.equal("iopin", first:name())
    assert.is_true(async.time() >= 0.75 and async.time() < 1.1)
    local second <close> = assert(announce(network, "10.0.0.2", { port = 9000 }))
    assert.equal("iopin-2", second:name())
    assert.equal("<announcement of iopin-2._strobe._tcp>", tostring(second))
  end)

  it("gives up in time, and leaves nothing", function()
    local network = ether.new()
    local _, message, code = announce(network, "10.0.0.1", { timeout = 0.5 })
    assert.same({ "announce iopin: no name like it was free within 0.5 s", "ETIMEDOUT" }, { message, code })
    assert.is_true(network.links[1].closed)
  end)

  it("that is cancelled leaves nothing", function()
    local network = ether.new()
    local task = async.create_task(announce, network, "10.0.0.1")
    async.sleep(0.5)
    task:cancel()
    async.wait { task }
    assert.is_true(task:cancelled())
    assert.is_true(network.links[1].closed)
  end)

  it("where multicast is not allowed says so, and names the list", function()
    local network = ether.new()
    local link = network:join "10.0.0.1"
    link.broken = true
    local _, message, code = discovery.announce { name = "iopin", port = 1, host = "0.0.0.0", link = link }
    assert.equal("announce iopin: multicast is not possible here (ether: EPERM: operation not permitted): others find "
      .. 'it by a list: set STROBE_SERVICES="iopin=HOST:PORT", or the option services', message)
    assert.equal("EPERM", code)
  end)

  it("on an address or an interface that is not there says so", function()
    local _, message, code = discovery.announce { name = "iopin", port = 1, host = "192.0.2.250" }
    assert.same({ "announce iopin: no interface has that address", "EADDRNOTAVAIL" }, { message, code })
    _, message, code = discovery.announce { name = "iopin", port = 1, interfaces = { "nowhere0" } }
    assert.equal("ENODEV", code)
    assert.matches("multicast is not possible here %(there is no such interface%)", message)
  end)

  it("names an argument that is wrong", function()
    for expected, options in pairs {
      ["discovery.announce: options: a table expected, got nil"] = false,
      ["discovery.announce: name: a text of 1 to 63 bytes of UTF-8 expected, got nil"] = {},
      ["discovery.announce: name: a text of 1 to 63 bytes of UTF-8 expected, got "] = { name = "" },
      ["discovery.announce: port: a port from 1 to 65535 expected, got 0"] = { name = "x", port = 0 },
      ["discovery.announce: type: a type such as _http._tcp, of at most 15 letters, digits and -, expected, got http"]
        = { name = "x", port = 1, type = "http" },
      ["discovery.announce: text: a: a text, a number or true expected, got table"] = { name = "x", port = 1,
        text = { a = {} } },
      ["discovery.announce: group: an address and a port, such as 239.1.2.3:5400, expected, got 10.0.0.1:1"]
        = { name = "x", port = 1, group = "10.0.0.1:1" },
      ["discovery.announce: services: a: 'host:port' expected, got b"] = { name = "x", port = 1,
        services = { a = "b" } },
      ["discovery.announce: timeout: a number of seconds above 0 expected, got 0"] = { name = "x", port = 1,
        timeout = 0 },
    } do
      local e = raised_by(discovery.announce, options or nil)
      assert.equal(expected, (tostring(e):gsub("^.-:%d+: ", "")))
    end
  end)
end)

describe("discovery.find", function()
  it("finds what is announced", function()
    local network = ether.new()
    local announcement <close> = assert(announce(network, "10.0.0.1", { text = { Colour = "red" } })) -- luacheck: ignore
    async.sleep(5)
    local start = async.time()
    local service = assert(discovery.find("iopin", { link = network:join "10.0.0.2" }))
    assert.same({ "10.0.0.1", 8765, "red", "_strobe._tcp" }, { service.host, service.port, service.text.colour,
      service.type })
    assert.near(0, async.time() - start, 0.01)
    assert.is_true(network.links[2].closed)
  end)

  it("waits for what is not there yet", function()
    local network = ether.new()
    local finding = async.create_task(discovery.find, "iopin", { link = network:join "10.0.0.2", timeout = 60 })
    async.sleep(30)
    local announcement <close> = assert(announce(network, "10.0.0.1")) -- luacheck: ignore
    assert.equal(8765, finding:await().port)
    assert.is_true(async.time() < 31.1)
  end)

  it("finds another one of that name, but none of another type", function()
    local network = ether.new()
    local first <close> = assert(announce(network, "10.0.0.1")) -- luacheck: ignore
    local second <close> = assert(announce(network, "10.0.0.2", { port = 2 })) -- luacheck: ignore
    local other <close> = assert(announce(network, "10.0.0.3", { type = "_http._tcp", port = 3 }))
    assert.equal("iopin", other:name())
    async.sleep(5)
    assert.equal(2, assert(discovery.find("iopin-2", { link = network:join "10.0.0.4" })).port)
    assert.equal(3, assert(discovery.find("IOPin", { link = network:join "10.0.0.4", type = "_http._tcp" })).port)
  end)

  it("prefers what is on this machine, and waits a moment for it", function()
    local network = ether.new()
    local link = network:join "10.0.0.1"
    link.interfaces = { { name = "lo", address = "127.0.0.1", loopback = true, ipv4 = { "127.0.0.1" }, ipv6 = {} },
      link.interfaces[1] }
    local function say(address, interface)
      network:say({ response = true, answers = {
        { name = "iopin._strobe._tcp.local", type = "SRV", flush = true, ttl = 120, port = 1, target = "x.local" },
        { name = "iopin._strobe._tcp.local", type = "TXT", flush = true, ttl = 120, strings = {} },
        { name = "x.local", type = "A", flush = true, ttl = 120, address = address },
      } }, { interface = interface })
    end
    local finding = async.create_task(discovery.find, "iopin", { link = link })
    say("10.0.0.9", 2)
    async.sleep(0.01)
    say("127.0.0.1", 1)
    assert.same({ "127.0.0.1", { "127.0.0.1", "10.0.0.9" } }, { finding:await().host, finding:await().addresses })
  end)

  it("that is cancelled, as all the others, leaves nothing at any moment", function()
    local calls = {
      function(link)
        discovery.find("nobody", { link = link, timeout = 60 })
      end,
      function(link)
        discovery.announce { name = "mine", port = 1, host = "0.0.0.0", link = link }
        async.sleep(60)
      end,
      function(link)
        for _ in assert(discovery.browse(nil, { link = link })) do -- luacheck: ignore
        end
      end,
    }
    for _, call in ipairs(calls) do
      for _, seconds in ipairs { 0, 0.001, 0.1, 0.3, 0.8, 1.3, 2.1, 5 } do
        local network = ether.new()
        local task = async.create_task(call, network:join "10.0.0.1")
        async.sleep(seconds)
        task:cancel()
        async.wait { task }
        for _, other in pairs(async.all_tasks()) do
          if other ~= async.current_task() and tostring(other:get_name()):find "^announcement" then
            other:cancel() -- it goes on without the task that has begun it, as any task does
            async.wait { other }
          end
        end
        assert.is_true(network.links[1].closed)
      end
    end
  end)

  it("says what to do when nobody answers", function()
    local _, message, code = discovery.find("iopin", { link = ether.new():join "10.0.0.1" })
    assert.equal("find iopin: nobody of that name has answered within 3 s: is it started, and announced? If multicast "
      .. 'is blocked, say where it is: set STROBE_SERVICES="iopin=HOST:PORT", or the option services', message)
    assert.equal("ETIMEDOUT", code)
    assert.near(3, async.time(), 0.01)
  end)

  it("asks the list first, and then nobody", function()
    local network = ether.new()
    local service = assert(discovery.find("iopin", { services = { iopin = "127.0.0.1:41234" },
      link = network:join "10.0.0.1" }))
    assert.same({ name = "iopin", type = "_strobe._tcp", host = "127.0.0.1", port = 41234,
      addresses = { "127.0.0.1" }, text = {} }, service)
    assert.same({}, network.sent)
  end)

  it("can be switched off, or be told where", function()
    local code = [[-e 'print(require "strobe.discovery".find "x")']]
    assert.equal('nil\tfind x: multicast is not possible here (STROBE_DISCOVERY=off): say where it is: set '
      .. 'STROBE_SERVICES="x=HOST:PORT", or the option services\tECANCELED\n', (sh("STROBE_DISCOVERY=off $S " .. code)))
    assert.matches("%(STROBE_DISCOVERY: off, or a group and a port such as 239.1.2.3:5400 expected, got 'on'%)",
      (sh("STROBE_DISCOVERY=on $S " .. code)))
  end)
end)

describe("discovery.browse", function()
  it("gives what is there, comes and goes, until the time is up", function()
    local network = ether.new()
    local first <close> = assert(announce(network, "10.0.0.1")) -- luacheck: ignore
    local seen = {}
    for service, event in assert(discovery.browse(nil, { link = network:join "10.0.0.3", timeout = 20,
      services = { listed = "pi:80" } })) do
      seen[#seen + 1] = event .. " " .. service.name
      if #seen == 2 then
        local second = assert(announce(network, "10.0.0.2", { name = "buzzer" }))
        second:close()
      end
    end
    assert.same({ "added listed", "added iopin", "added buzzer", "removed buzzer" }, seen)
    assert.near(20.75, async.time(), 0.5)
  end)

  it("ends with the loop that is left", function()
    local network = ether.new()
    local first <close> = assert(announce(network, "10.0.0.1")) -- luacheck: ignore
    local link = network:join "10.0.0.3"
    for service in assert(discovery.browse("_strobe._tcp", { link = link })) do -- luacheck: ignore
      assert.equal("iopin", service.name)
      break
    end
    assert.is_true(network.links[2].closed)
  end)
end)

describe("over real sockets, on the loopback", function()
  local function on(group, more)
    local options = { group = group, interfaces = { "127.0.0.1" } }
    for key, value in pairs(more or {}) do
      options[key] = value
    end
    return options
  end

  it("a service is announced, found, renamed, and gone", with_group(function(group)
    local first <close> = assert(discovery.announce(on(group, { name = "iopin", port = 1, text = { a = 1 } })))
    local second <close> = assert(discovery.announce(on(group, { name = "iopin", port = 2 })))
    assert.same({ "iopin", "iopin-2" }, { first:name(), second:name() })
    local service = assert(discovery.find("iopin", on(group)))
    assert.same({ "127.0.0.1", 1, "1" }, { service.host, service.port, service.text.a })
    local events = {}
    for found, event in assert(discovery.browse(nil, on(group))) do
      table.insert(events, event .. " " .. found.name)
      if #events == 2 then
        second:close()
      elseif #events == 3 then
        break
      end
    end
    table.sort(events)
    assert.same({ "added iopin", "added iopin-2", "removed iopin-2" }, events)
    first:close()
    assert.equal("ETIMEDOUT", select(3, discovery.find("iopin", on(group, { timeout = 0.5 }))))
  end))

  it("a link that nobody has any more is closed by the collector", with_group(function(group)
    local before = host.statistics().handles_by_type.udp or 0
    assert(discovery.browse(nil, on(group))) -- never begun
    assert.equal(before + 1, host.statistics().handles_by_type.udp)
    collector.collect()
    assert.equal(before, host.statistics().handles_by_type.udp or 0)
  end))

  local code = [[
    local async, discovery = require "strobe.async", require "strobe.discovery"
    local here <close> = assert(discovery.announce { name = "iopin", port = 4321 })
    print("announced", here:name())
    async.sleep(15)]]

  it("two programs find each other, and one hears that the other was stopped", with_group(function(group)
    local other <close> = child.spawn("timeout", { "--foreground", "100", "env", "STROBE_DISCOVERY=" .. group,
      host.program, "-e", code })
    other:expect("stdout", "announced\tiopin\n")
    assert.equal(4321, assert(discovery.find("iopin", { group = group })).port)
    local events = {}
    for _, event in assert(discovery.browse(nil, { group = group, timeout = 10 })) do
      table.insert(events, event)
      if event == "added" then
        other:kill "sigterm" -- which `timeout` passes on, in the foreground once
      elseif event == "removed" then
        break
      end
    end
    assert.same({ "added", "removed" }, { events[1], events[#events] })
    assert.equal("", other:complaints())
  end))

  it("a machine without any network will do", function()
    local line = [[unshare -n sh -c 'ip link set lo up && exec "$0" "$@"']]
    if not os.execute(line .. " true >/dev/null 2>&1") then
      return pending "this user may not make a network namespace"
    end
    local output = sh(line .. [[ "$S" -e '
      local discovery = require "strobe.discovery"
      local here <close> = assert(discovery.announce { name = "iopin", port = 4321, host = "0.0.0.0" })
      local service = assert(discovery.find "iopin")
      print(service.host, service.port, service.interface)']])
    assert.equal("127.0.0.1\t4321\tlo\n", output)
  end)

  it("a machine whose interfaces are all down says so, and names the list", function()
    if not os.execute "unshare -n true >/dev/null 2>&1" then
      return pending "this user may not make a network namespace"
    end
    local output = sh [[unshare -n "$S" -e '
      local discovery = require "strobe.discovery"
      print(discovery.find "iopin")
      print(discovery.announce { name = "iopin", port = 1 })
      print(discovery.browse())']]
    assert.equal(3, select(2, output:gsub("multicast is not possible here %(no interface is up%): [^\n]*STROBE_SERVICES"
      .. "[^\n]*\tENODEV\n", "")), output)
  end)
end)
