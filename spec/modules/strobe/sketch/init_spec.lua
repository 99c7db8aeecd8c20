local async = require "strobe.async"
local discovery = require "strobe.discovery"
local ether = require "spec.support.ether"
local reports_of = require("spec.support.reports").of
local sh = require("spec.support.shell")
local sketch = require "strobe.sketch"
local ws = require "strobe.ws"

local HOST = "127.0.0.1"

-- A kind of component that keeps what it prints and who came, in one list.
local function kind(name, loop)
  local made = sketch.component(name)
  made.lines = {}
  made.loop = loop
  function made:out(text)
    table.insert(self.lines, tostring(text))
  end
  return made
end

local function served(name, loop)
  return assert(kind(name, loop)():serve(HOST, 0))
end

-- A component that flips a state with each message.
local function pin()
  local made = kind("IOPin", function(self)
    self.state = 1 - self.state
    self:push(self.state)
    return self.state
  end)
  function made:setup()
    self.state = 0
  end
  return made
end

local function client(name, component)
  return assert(kind(name)():connect(HOST, component:port()))
end

-- A listener at work, and all that it heard.
local function listener(component, loop)
  local heard = {}
  local buzzer = kind("Buzzer", function(self, channel, message)
    table.insert(heard, channel .. " " .. message)
    return loop and loop(self, channel, message)
  end)()
  local task = async.create_task(buzzer.follow, buzzer, HOST, component:port())
  async.sleep(1)
  return heard, task, buzzer
end

describe("a component", function()
  it("is set up once, with the arguments of its constructor", function()
    local Made = sketch.component "Made"
    local calls = {}
    function Made:setup(...)
      table.insert(calls, { self, ... })
    end
    local one = Made("a", nil, 3)
    local served_one <close> = assert(one:serve(HOST, 0)) -- luacheck: ignore
    assert.same({ { one, "a", nil, 3 } }, calls)
  end)

  it("prints lines that begin with its name; control characters do no harm", function()
    local output = sh.lua [[
      local pin = require "strobe.sketch".component "IOPin"()
      pin:out(1)
      pin:out "\27[2Jüber\n"
    ]]
    assert.equal("[ IOPin ] 1\n[ IOPin ] \\027[2Jüber\\010\n", output)
  end)

  it("has a name that fits in an address", function()
    for _, name in ipairs { "IO Pin", "", "a/b", 7 } do
      assert.error_matches(function()
        sketch.component(name)
      end, "^.*sketch.component: a name of letters, digits, %- and _ expected, got ")
    end
  end)

  describe("that is served", function()
    it("is called with channel and message, and what it returns is the acknowledgement", function()
      local component <close> = served("Echo", function(_, channel, message)
        return channel .. " said " .. message
      end)
      local link <close> = client("Clock", component)
      assert.equal("echo", link.channel)
      assert.equal("clock said tack", (link:send "tack"))
      assert.equal("clock said 5", (link:send(5)))
    end)

    it("acknowledges with n/a when its loop returns nothing, and with false when that is it", function()
      local answers = { ["nil"] = "n/a", ["false"] = "false", ["0"] = "0" }
      for text, expected in pairs(answers) do
        local component <close> = served("Part", load("return function() return " .. text .. " end")())
        local link <close> = client("Clock", component)
        assert.equal(expected, (link:send "tack"))
      end
      local plain <close> = assert(sketch.component "Plain"():serve(HOST, 0))
      plain.left = function() end
      local link <close> = client("Clock", plain)
      assert.equal("n/a", (link:send "tack"))
    end)

    it("takes one message at a time, in the order in which they came", function()
      local inside, most, order = 0, 0, {}
      local component <close> = served("Slow", function(_, channel)
        inside = inside + 1
        most = math.max(most, inside)
        async.sleep(2)
        inside = inside - 1
        table.insert(order, channel)
        return "done"
      end)
      local names, sends, start = { "A", "B", "C" }, {}, async.time()
      for i, name in ipairs(names) do
        local link = client(name, component)
        sends[i] = async.create_task(function()
          local guard <close> = link -- luacheck: ignore
          return link:send "go"
        end)
        async.sleep(0.1)
      end
      assert.same({ "done", "done", "done" }, { async.gather(table.unpack(sends)) })
      assert.same({ "a", "b", "c" }, order)
      assert.equal(1, most)
      assert.near(6, async.time() - start, 0.2)
    end)

    it("talks plain text: any WebSocket client may join in, as the peer", function()
      local component <close> = served("Part", function(_, channel, message)
        return channel .. ":" .. message
      end)
      local anyone <close> = assert(ws.connect(("ws://127.0.0.1:%d"):format(component:port())))
      anyone:send "x"
      anyone:send "y"
      assert.equal("peer:x", (anyone:recv()))
      assert.equal("peer:y", (anyone:recv()))
      assert.equal("Part", anyone.response.headers.component)
    end)

    it("refuses an address that is no name", function()
      local component <close> = served "Part"
      for _, target in ipairs { "/a/b", "/%41", "/clock?x" } do
        local _, _, _, response = ws.connect(("ws://127.0.0.1:%d%s"):format(component:port(), target))
        assert.equal(404, response.status)
        assert.matches("connect to /NAME or /NAME%?listen", response.body)
      end
    end)

    it("is told who has come, and who has gone and why", function()
      local Part = kind("Part")
      function Part:joined(channel)
        self:out(channel .. " is here")
      end
      local component <close> = assert(Part():serve(HOST, 0))
      for _, code in ipairs { 1000, 1001, 4000 } do
        local peer = assert(ws.connect(("ws://127.0.0.1:%d/clock"):format(component:port())))
        peer:close(code, code == 4000 and "no battery" or nil)
        async.sleep(1)
      end
      assert.same({
        "clock is here", "the clock has closed: 1000 (normal)",
        "clock is here", "the clock has closed: 1001 (going away)",
        "clock is here", "the clock has closed: 4000: no battery",
      }, Part.lines)
    end)

    it("is told when one has gone without a word", function()
      local component <close> = served "Part"
      local peer = assert(ws.connect(("ws://127.0.0.1:%d/clock"):format(component:port())))
      peer:abort()
      async.sleep(1)
      assert.same({ "the clock has gone without a word: 1006 (the link broke)" }, component.lines)
    end)

    it("sends a peer away when its loop fails, which is reported, and serves the others on", function()
      local component <close> = served("Part", function(_, _, message)
        return message == "good" or error("broken loop", 0)
      end)
      local bad <close> = client("Bad", component)
      local good <close> = client("Good", component)
      local text, code
      local reports = reports_of(function()
        text, code = select(2, bad:send "tack")
      end)
      assert.equal("the part has closed: 1011 (internal error)", text)
      assert.equal("ECONNRESET", code)
      assert.matches("broken loop", reports[1].message)
      assert.equal("true", (good:send "good"))
      assert.equal("the bad was sent away, for the loop has failed: broken loop", component.lines[1])
    end)

    it("tells its peers 1001 when it closes; a second time is harmless", function()
      local component = served("Part", function()
        return "on"
      end)
      local link <close> = client("Clock", component)
      assert.equal("on", (link:send "tack"))
      component:close()
      component:close()
      assert.same({ nil, "the part has closed: 1001 (going away)", "EOF" }, { link:send "tack" })
      assert.is_nil(component:port())
      assert.same({ "the clock was told to go: 1001 (going away)" }, component.lines)
    end)
  end)

  describe("that cannot be served", function()
    it("says that the port is in use, and what to do", function()
      local first <close> = served "First"
      local port = first:port()
      local _, message, code = sketch.component "Second"():run(HOST, port)
      assert.equal(("port %d on 127.0.0.1 is in use: stop the other program, or take another port (0 takes a free one)")
        :format(port), message)
      assert.equal("EADDRINUSE", code)
    end)

    it("says that this machine has no such address", function()
      local _, message, code = sketch.component "Part"():serve("192.0.2.1", 0)
      assert.equal("EADDRNOTAVAIL", code)
      assert.matches("^port 0 on 192.0.2.1: this machine has no such address; 127.0.0.1 is for programs", message)
    end)

    it("names an argument that is wrong", function()
      local part = sketch.component "Part"()
      for expected, arguments in pairs {
        ["serve: host: a name or address expected, got nil"] = { "serve" },
        ["serve: port: a whole number from 0 to 65535 expected, got 70000"] = { "serve", HOST, 70000 },
        ["connect: port: a whole number from 1 to 65535 expected, got 0"] = { "connect", HOST, 0 },
        ["follow: port: a whole number from 1 to 65535 expected, got x"] = { "follow", HOST, "x" },
      } do
        assert.error_matches(function()
          part[arguments[1]](part, table.unpack(arguments, 2))
        end, expected)
      end
    end)
  end)

  describe("that runs", function()
    it("says where it listens, and ends when its loop stops it: the message is acknowledged before", function()
      local Part = kind("Part", function(self, _, message)
        if message == "last" then
          self:stop()
        end
        return "got " .. message
      end)
      local part = Part()
      local running = async.create_task(part.run, part, HOST, 0)
      async.sleep(1)
      assert.same({ "listening on ws://127.0.0.1:" .. part:port() }, Part.lines)
      local link <close> = client("Clock", part)
      assert.equal("got first", (link:send "first"))
      assert.equal("got last", (link:send "last"))
      assert.is_true((running:await()))
      assert.is_nil(part:port())
    end)

    it("closes when its task is cancelled", function()
      local Part = kind "Part"
      local part = Part()
      local running = async.create_task(part.run, part, HOST, 0)
      async.sleep(1)
      local link <close> = client("Clock", part)
      running:cancel()
      assert.equal("the part has closed: 1001 (going away)", (select(2, link:send "tack")))
      async.wait { running }
      assert.is_true(running:cancelled())
    end)
  end)
end)

describe("a link", function()
  it("says that nobody listens, and what to do", function()
    local component = served "Part"
    local port = component:port()
    component:close()
    local _, message, code = kind "Clock"():connect(HOST, port)
    assert.equal(("nobody listens on port %d of 127.0.0.1: start the other component first"):format(port), message)
    assert.equal("ECONNREFUSED", code)
  end)

  it("says that the other side is no component", function()
    local server <close> = assert(ws.serve(function() end, HOST, 0, {
      process_request = function()
        return 200, nil, "a web page"
      end,
    }))
    local _, message, code = kind "Clock"():connect(HOST, server:port())
    assert.equal("EPROTO", code)
    assert.equal(("what listens on port %d of 127.0.0.1 is no component: the server answered 200 OK: a web page")
      :format(server:port()), message)
  end)

  it("may go to any WebSocket server, which is the peer then", function()
    local server <close> = assert(ws.serve(function(connection)
      for message in connection:messages() do
        connection:send(connection.request.target .. " " .. message)
      end
    end, HOST, 0))
    local link <close> = assert(kind "Clock"():connect(HOST, server:port()))
    assert.equal("peer", link.channel)
    assert.equal("/clock tack", (link:send "tack"))
  end)

  it("pauses for a time, but not on when the other side goes", function()
    local component = served "Part"
    local link <close> = client("Clock", component)
    local start = async.time()
    assert.is_true((link:pause(5)))
    assert.near(5, async.time() - start, 0.01)
    async.create_task(function()
      async.sleep(3)
      component:close()
    end)
    assert.same({ nil, "the part has closed: 1001 (going away)", "EOF" }, { link:pause(3600) })
    assert.is_true(async.time() - start < 10)
  end)
end)

describe("a listener", function()
  it("is called with all that the component pushes, in order", function()
    local component <close> = assert(pin()():serve(HOST, 0))
    local first, second = listener(component), listener(component)
    local link <close> = client("Clock", component)
    for _ = 1, 3 do
      link:send "tack"
    end
    async.sleep(1)
    assert.same({ "iopin 1", "iopin 0", "iopin 1" }, first)
    assert.same(first, second)
    assert.equal(2, component:push "bye")
  end)

  it("ends well when the component closes, and says how", function()
    local component = assert(pin()():serve(HOST, 0))
    local _, task = listener(component)
    component:close()
    assert.same({ true, "the iopin has closed: 1001 (going away)" }, { task:await() })
  end)

  it("ends with what broke when it went otherwise", function()
    local server <close> = assert(ws.serve(function(connection)
      connection:recv(1)
      connection:abort()
    end, HOST, 0))
    assert.same({ nil, "the peer has gone without a word: 1006 (the link broke)", "ECONNRESET" },
      { kind "Buzzer"():follow(HOST, server:port()) })
  end)

  it("ends when its loop stops it", function()
    local component <close> = assert(pin()():serve(HOST, 0))
    local heard, task = listener(component, function(self)
      self:stop()
    end)
    component:push "one"
    assert.is_true((task:await()))
    assert.same({ "iopin one" }, heard)
    async.sleep(1)
    assert.equal(0, component:push "two")
  end)

  it("that talks is sent away", function()
    local component <close> = served "Part"
    local peer <close> = assert(ws.connect(("ws://127.0.0.1:%d/buzzer?listen"):format(component:port())))
    peer:send "hello"
    local _, why = peer:recv()
    assert.equal(1008, why.code)
    assert.equal("who listens sends nothing", why.reason)
  end)
end)

describe("components that are announced", function()
  -- The options of a component at an address of a network in memory.
  local function at(network, address, more)
    local options = { discovery = { link = network:join(address) } }
    for key, value in pairs(more or {}) do
      options[key] = value
    end
    return options
  end

  -- A network in memory on which 10.0.0.1 and all others are this machine's loopback.
  local function machine()
    local network = ether.new()
    local join = network.join
    function network:join(address)
      local link = join(self, address)
      link.interfaces[1].address, link.interfaces[1].ipv4, link.interfaces[1].loopback = HOST, { HOST }, true
      return link
    end
    return network
  end

  local function announced(network, address, name, more)
    local options = at(network, address, more)
    options.announce = options.announce == nil or options.announce
    return assert(kind(name, function(_, channel, message)
      return channel .. " said " .. message
    end)():serve(HOST, 0, options))
  end

  it("are found by their names, without host or port", function()
    local network = machine()
    local pin_here <close> = announced(network, "10.0.0.1", "IOPin") -- luacheck: ignore
    async.sleep(5)
    local Clock = kind "Clock"
    local link <close> = assert(Clock():connect("iopin", at(network, "10.0.0.2")))
    assert.equal("clock said tack", (link:send "tack"))
    assert.same({ ("found iopin at 127.0.0.1:%d"):format(pin_here:port()) }, Clock.lines)
    local service = assert(discovery.find("IOPIN", { type = "_strobe-circuit._tcp", link = network:join "10.0.0.3" }))
    assert.equal("IOPin", service.text.component)
  end)

  it("are followed by their names", function()
    local network = machine()
    local pin_here <close> = announced(network, "10.0.0.1", "IOPin")
    local heard = {}
    local buzzer = kind("Buzzer", function(self, channel, message)
      table.insert(heard, channel .. " " .. message)
      self:stop()
    end)()
    local task = async.create_task(buzzer.follow, buzzer, "iopin", at(network, "10.0.0.2"))
    async.sleep(5)
    pin_here:push "one"
    assert.is_true((task:await()))
    assert.same({ "iopin one" }, heard)
  end)

  it("are waited for", function()
    local network = machine()
    local clock, options = kind "Clock"(), at(network, "10.0.0.2")
    options.discovery.timeout = 60
    local connecting = async.create_task(clock.connect, clock, "iopin", options)
    async.sleep(20)
    local pin_here <close> = announced(network, "10.0.0.1", "IOPin") -- luacheck: ignore
    local link <close> = assert(connecting:await())
    assert.equal("iopin", link.channel)
  end)

  it("have the name that they are given, or another when that is taken, and say so", function()
    local network = machine()
    local first <close> = announced(network, "10.0.0.1", "IOPin", { announce = "left" })
    async.sleep(3)
    local second <close> = announced(network, "10.0.0.2", "IOPin", { announce = "left" })
    async.sleep(3)
    assert.same({}, first.lines)
    assert.same({ "there is another left: announced as left-2" }, second.lines)
    local link <close> = assert(kind "Clock"():connect("left-2", at(network, "10.0.0.3")))
    assert.equal("clock said tack", (link:send "tack"))
  end)

  it("are gone at once when they close", function()
    local network = machine()
    local pin_here = announced(network, "10.0.0.1", "IOPin")
    async.sleep(5)
    network:take()
    pin_here:close()
    pin_here:close()
    local packets = network:take()
    assert.equal(1, #packets)
    assert.equal(0, packets[1].message.answers[1].ttl)
    local _, message, code = kind "Clock"():connect("iopin", at(network, "10.0.0.2"))
    assert.equal("ETIMEDOUT", code)
    assert.matches("^iopin: nobody of that name has answered within 3 s: is it started", message)
  end)

  it("close while their name is looked for", function()
    local network = machine()
    local pin_here = announced(network, "10.0.0.1", "IOPin")
    async.sleep(0.1)
    pin_here:close()
    async.sleep(5)
    assert.is_true(network.links[1].closed)
  end)

  it("are served all the same when they cannot be announced, and say why", function()
    local network = machine()
    local options = at(network, "10.0.0.1", { announce = true })
    options.discovery.link.broken = true
    local pin_here <close> = assert(kind "IOPin"():serve(HOST, 0, options))
    async.sleep(1)
    assert.equal(1, #pin_here.lines)
    assert.matches("^not announced: announce iopin: multicast is not possible here", pin_here.lines[1])
    local link <close> = client("Clock", pin_here)
    assert.equal("n/a", (link:send "tack"))
  end)

  it("both serve and connect: each streams to the other", function()
    local network = machine()
    local function peer(name, address)
      local made = kind(name, function(self, channel, message)
        self:out(channel .. " " .. message)
        return #self.lines
      end)
      return assert(made():serve(HOST, 0, at(network, address, { announce = true })))
    end
    local left <close> = peer("Left", "10.0.0.1")
    local right <close> = peer("Right", "10.0.0.2")
    local function stream(from, to, address)
      local link <close> = assert(from:connect(to, at(network, address)))
      for i = 1, 3 do
        assert(link:send(i))
      end
    end
    async.gather(async.create_task(stream, left, "right", "10.0.0.3"),
      async.create_task(stream, right, "left", "10.0.0.4"))
    local function heard(component, channel)
      local list = {}
      for _, line in ipairs(component.lines) do
        list[#list + 1] = line:match("^" .. channel .. " (%d)$")
      end
      return list
    end
    assert.same({ "1", "2", "3" }, heard(left, "right"))
    assert.same({ "1", "2", "3" }, heard(right, "left"))
  end)

  it("name an argument that is wrong", function()
    local part = kind "Part"()
    for expected, arguments in pairs {
      ["connect: port: a whole number from 1 to 65535 expected, got nil"] = { "connect", "127.0.0.1" },
      ["follow: port: a whole number from 1 to 65535 expected, got nil"] = { "follow", "pi.example" },
      ["connect: host: a name or address expected, got nil"] = { "connect" },
      ["serve: announce: true, or a name of letters, digits, %- and _ expected, got a.b"] = { "serve", HOST, 0,
        { announce = "a.b" } },
    } do
      assert.error_matches(function()
        part[arguments[1]](part, table.unpack(arguments, 2))
      end, expected)
    end
  end)
end)
