local Announcement = require "strobe.discovery.announcement"
local Querier = require "strobe.discovery.querier"
local async = require "strobe.async"
local dice = require "spec.support.dice"
local dns = require "strobe.discovery.dns"
local ether = require "spec.support.ether"

local KIND, IOPIN, HOST = "_strobe._tcp.local", "iopin._strobe._tcp.local", "pi.local"

local made = 0

-- The least of what may be chosen at random; but machines have names of their own.
local function least(low, high)
  made = made + 1
  return high > 1000 and made or low
end

local function open(network, goal)
  return Querier.open(network:join "10.0.0.1", goal or { type = KIND }, least)
end

local function announce(network, address, instance, port)
  return Announcement.open(network:join(address), { instance = instance, type = "_strobe._tcp", port = port,
    host = "0.0.0.0", strings = { "a=1" } }, least)
end

-- The records of a service, as an answer.
local function answer(more)
  more = more or {}
  local instance, host = more.instance or IOPIN, more.host or HOST
  return { response = true, authoritative = true, answers = {
    { name = KIND, type = "PTR", ttl = more.ttl or 4500, target = instance },
    { name = instance, type = "SRV", flush = true, ttl = more.ttl or 120, port = more.port or 8765, target = host },
    { name = instance, type = "TXT", flush = true, ttl = more.ttl or 4500, strings = { "a=1" } },
    { name = host, type = "A", flush = true, ttl = more.ttl or 120, address = more.address or "10.0.0.9" },
  } }
end

-- Those of these types only.
local function only(message, ...)
  local wanted, kept = {}, {}
  for _, kind in ipairs { ... } do
    wanted[kind] = true
  end
  for _, record in ipairs(message.answers) do
    kept[#kept + 1] = wanted[record.type] and record or nil
  end
  return { response = true, answers = kept }
end

local function questions(packets)
  local list = {}
  for _, packet in ipairs(packets) do
    for _, question in ipairs(packet.message.questions) do
      list[#list + 1] = ("%s %s"):format(question.type, question.name)
    end
  end
  table.sort(list)
  return list
end

local function times(packets)
  local list = {}
  for i, packet in ipairs(packets) do
    list[i] = math.floor(packet.at * 1000 + 0.5) / 1000
  end
  return list
end

-- The events that are there, without waiting.
local function events(querier)
  local list = {}
  while true do
    local in_time, service, event = async.move_on_after(0.001, querier.next, querier)
    if not in_time then
      return list
    end
    list[#list + 1] = ("%s %s %d"):format(event, service.name, service.port)
  end
end

describe("a querier", function()
  it("asks again ever more seldom: after 1, 2, 4, … seconds, and an hour at most", function()
    local network = ether.new()
    local querier <close> = open(network) -- luacheck: ignore
    async.sleep(64)
    assert.same({ 0, 1, 3, 7, 15, 31, 63 }, times(network.sent))
    assert.same({ { name = KIND, type = "PTR" } }, network.sent[1].message.questions)
  end)

  it("finds what is announced, and what it tells about itself", function()
    local network = ether.new()
    local announcement <close> = announce(network, "10.0.0.2", "iopin", 8765)
    assert(announcement:wait())
    async.sleep(10)
    local querier <close> = open(network)
    local service, event = querier:next()
    assert.equal("added", event)
    assert.same({
      name = "iopin", type = "_strobe._tcp", host = "10.0.0.2", port = 8765, addresses = { "10.0.0.2" },
      text = { a = "1" }, interface = "ether", target = announcement.what.target,
    }, service)
  end)

  it("asks for what is missing, until it has it", function()
    local network = ether.new()
    local querier <close> = open(network)
    async.sleep(0.1)
    network:take()
    network:say(only(answer(), "PTR"))
    async.sleep(0.1)
    assert.same({ "SRV " .. IOPIN, "TXT " .. IOPIN }, questions(network:take()))
    network:say(only(answer(), "SRV"))
    async.sleep(0.1)
    assert.same({ "A pi.local", "AAAA pi.local" }, questions(network:take()))
    network:say(only(answer(), "TXT"))
    async.sleep(0.1)
    assert.same({}, events(querier))
    network:say(only(answer(), "A"))
    assert.equal("iopin", querier:next().name)
    network:take()
    async.sleep(10)
    assert.same({ "PTR " .. KIND, "PTR " .. KIND, "PTR " .. KIND }, questions(network:take()))
  end)

  it("looks for one by its name without asking for all", function()
    local network = ether.new()
    local querier <close> = open(network, { instance = IOPIN })
    async.sleep(0.1)
    assert.same({ "SRV " .. IOPIN, "TXT " .. IOPIN }, questions(network:take()))
    network:say(answer { instance = "other." .. KIND })
    network:say(answer())
    async.sleep(0.1)
    assert.same({ "added iopin 8765" }, events(querier))
  end)

  it("hears of what comes, changes and goes", function()
    local network = ether.new()
    local querier <close> = open(network)
    network:say(answer())
    async.sleep(5)
    network:say(answer())
    assert.same({ "added iopin 8765" }, events(querier))
    network:say(answer { port = 9000 })
    assert.same({ "updated iopin 9000" }, events(querier))
    network:say(answer { port = 9000, ttl = 0 })
    assert.same({}, events(querier))
    async.sleep(1)
    assert.same({ "removed iopin 9000" }, events(querier))
    network:say(answer())
    assert.same({ "added iopin 8765" }, events(querier))
  end)

  it("prefers an address of IPv4", function()
    local network = ether.new()
    local querier <close> = open(network)
    local message = answer()
    for _, address in ipairs { "fe80::1", "2001:db8::1" } do
      table.insert(message.answers, 1, { name = HOST, type = "AAAA", ttl = 120, address = address })
    end
    network:say(message)
    assert.same({ "10.0.0.9", "2001:db8::1", "fe80::1" }, querier:next().addresses)
  end)

  it("takes the view of the first interface, with the addresses of all", function()
    local network = ether.new()
    local link = network:join "10.0.0.1"
    link.interfaces[2] = { name = "ether1", address = "10.1.0.1", loopback = false, ipv4 = { "10.1.0.1" }, ipv6 = {} }
    local querier <close> = Querier.open(link, { type = KIND }, least)
    network:say(answer { address = "10.1.0.9" }, { interface = 2 })
    local service, event = querier:next()
    assert.same({ "added", "10.1.0.9", "ether1" }, { event, service.host, service.interface })
    network:say(answer())
    service, event = querier:next()
    assert.same({ "updated", "10.0.0.9", "ether" }, { event, service.host, service.interface })
    assert.same({ "10.0.0.9", "10.1.0.9" }, service.addresses)
    network:say(answer { ttl = 0 })
    service, event = querier:next()
    assert.same({ "updated", "10.1.0.9", "ether1" }, { event, service.host, service.interface })
    network:say(answer { address = "10.1.0.9", ttl = 0 }, { interface = 2 })
    assert.equal("removed", (select(2, querier:next())))
  end)

  it("is told when a program has ended with a goodbye", function()
    local network = ether.new()
    local querier <close> = open(network)
    local announcement = announce(network, "10.0.0.2", "iopin", 8765)
    assert.equal("added", (select(2, querier:next())))
    announcement:close()
    local start = async.time()
    assert.equal("removed", (select(2, querier:next())))
    assert.near(1, async.time() - start, 0.01)
  end)

  it("forgets at any moment, although seconds are rounded", function()
    local network, random = ether.new(), dice(5)
    local querier <close> = open(network)
    for _ = 1, 30 do
      async.sleep(random(1000000) / 3000000)
      network:say(answer { ttl = 1 })
      assert.equal("added", (select(2, querier:next())))
      assert.equal("removed", (select(2, querier:next())))
    end
  end)

  it("asks again at 80, 85, 90 and 95 % of a record's time, and forgets it then", function()
    local network = ether.new()
    local querier <close> = open(network, { instance = IOPIN })
    network:say(answer { ttl = 100 })
    querier:next()
    network:take()
    async.sleep(99)
    assert.same({ 80, 85, 90, 95 }, times(network:take()))
    local service, event = querier:next()
    assert.same({ "iopin", "removed" }, { service.name, event })
    assert.near(100, async.time(), 0.01)
  end)

  it("keeps what answers these questions", function()
    local network = ether.new()
    local announcement <close> = announce(network, "10.0.0.2", "iopin", 8765)
    local querier <close> = open(network)
    assert.equal("added", (select(2, querier:next())))
    network:take()
    async.sleep(116)
    assert.same({}, events(querier))
    -- The address and the port, which are good for 120 s, were asked for once again.
    local asked = questions(network:take "10.0.0.1")
    assert.same({ "SRV " .. IOPIN }, { asked[#asked] })
    assert.equal("iopin", announcement:name())
  end)

  it("says what it knows when it asks for all, in several packets when it is much", function()
    local network = ether.new()
    local querier <close> = open(network)
    async.sleep(0.5)
    for i = 1, 100 do
      network:say(answer { instance = ("a rather long name for a pin %d.%s"):format(i, KIND) })
    end
    async.sleep(0.1)
    events(querier)
    network:take()
    async.sleep(2)
    local packets, count = network:take(), 0
    assert.is_true(#packets > 1)
    for i, packet in ipairs(packets) do
      assert.is_true(packet.size <= 1300)
      assert.equal(i < #packets, packet.message.truncated)
      assert.equal(i == 1 and 1 or 0, #packet.message.questions)
      count = count + #packet.message.answers
    end
    assert.equal(100, count)
  end)

  it("says nothing of what will soon be forgotten", function()
    local network = ether.new()
    local querier <close> = open(network)
    network:say(answer { ttl = 12 })
    querier:next()
    async.sleep(7.5)
    local packets = network:take()
    assert.equal(7, math.floor(packets[#packets].at))
    assert.equal(0, #packets[#packets].message.answers)
  end)

  it("takes answers only from the port of multicast DNS, and no noise", function()
    local network = ether.new()
    local querier <close> = open(network)
    network:say(answer(), { port = 1234 })
    network:say "noise"
    network:say { questions = {}, answers = answer().answers }
    local foreign = answer()
    foreign.answers[1].target = "iopin._other._tcp.local"
    foreign.answers[2].name, foreign.answers[3].name = "iopin._other._tcp.local", "iopin._other._tcp.local"
    network:say(foreign)
    async.sleep(1)
    assert.same({}, events(querier))
  end)

  it("is bounded, and goes on, when it is told of far too many", function()
    local network = ether.new()
    local querier <close> = open(network)
    for i = 1, 3000 do
      network:say(answer { instance = ("flood%d.%s"):format(i, KIND), host = ("h%d.local"):format(i), ttl = 60 })
      if i % 100 == 0 then
        async.sleep(0.01)
      end
    end
    async.sleep(1)
    assert.is_true(querier.cache.count <= 1024)
    assert.is_true(querier.events.count <= 1024)
    for _, packet in ipairs(network:take()) do
      assert.is_true(packet.size <= 1300)
    end
    async.sleep(61) -- all is forgotten
    events(querier)
    network:say(answer())
    assert.same({ "added iopin 8765" }, events(querier))
  end)

  it("finds what there is among 5,000 packets which were mangled", function()
    local network, random = ether.new(), dice(77)
    local querier <close> = open(network)
    local announcement <close> = announce(network, "10.0.0.2", "steady", 1)
    assert(announcement:wait())
    local seeds = { dns.encode(answer()), dns.encode { questions = { { name = IOPIN, type = "ANY" } },
      authorities = answer().answers } }
    for i = 1, 5000 do
      local bytes = seeds[random(2)]
      for _ = 1, random(5) do
        local at = random(#bytes)
        bytes = bytes:sub(1, at - 1) .. string.char(random(256) - 1) .. bytes:sub(at + 1)
      end
      network:say(bytes, { port = random(10) == 1 and 1234 or 5353 })
      if i % 50 == 0 then
        async.sleep(0.1)
      end
    end
    async.sleep(5)
    assert.equal("steady", announcement:name())
    assert.is_true(querier.known["steady." .. KIND] ~= nil)
  end)

  it("that can ask nowhere says so", function()
    local network = ether.new()
    local link = network:join "10.0.0.1"
    link.broken = true
    local querier <close> = Querier.open(link, { type = KIND }, least)
    assert.same({ nil, "ether: EPERM: operation not permitted", "EPERM" }, { querier:next() })
  end)

  it("closes at any moment, twice without harm", function()
    for _, seconds in ipairs { -1, 0, 0.5, 2 } do
      local network = ether.new()
      local querier = open(network)
      if seconds >= 0 then
        async.sleep(seconds)
      end
      querier:close()
      querier:close()
      assert.is_true(network.links[1].closed)
    end
  end)
end)
