local Announcement = require "strobe.discovery.announcement"
local async = require "strobe.async"
local ether = require "spec.support.ether"

local KIND, IOPIN, OTHERS = "_strobe._tcp.local", "iopin._strobe._tcp.local", "10.0.0.99"

local made = 0

-- The least of what may be chosen at random, so that times are exact; but machines have names of their own.
local function least(low, high)
  made = made + 1
  return high > 1000 and made or low
end

local function open(link, more)
  local what = { instance = "iopin", type = "_strobe._tcp", port = 8765, host = "0.0.0.0", strings = { "a=1" } }
  for key, value in pairs(more or {}) do
    what[key] = value
  end
  return Announcement.open(link, what, more and more.random or least)
end

-- An announcement on a network of its own, that was told twice and whose packets were taken.
local function told(more)
  local network = ether.new()
  local link = network:join "10.0.0.1"
  local announcement = open(link, more)
  assert(announcement:wait())
  async.sleep(5)
  network:take()
  return announcement, network, link
end

-- The times at which packets were sent, and what they were.
local function times(packets)
  local list = {}
  for i, packet in ipairs(packets) do
    list[i] = ("%s %.2f"):format(packet.message.response and "response" or "query", packet.at)
  end
  return list
end

local function kinds(records)
  local list = {}
  for i, record in ipairs(records) do
    list[i] = record.type
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function srv(more)
  local record = { name = IOPIN, type = "SRV", flush = true, ttl = 120, priority = 0, weight = 0, port = 1,
    target = "other.local" }
  for key, value in pairs(more or {}) do
    record[key] = value
  end
  return record
end

local function claim(more)
  return { response = true, authoritative = true, answers = { srv(more) } }
end

local function ask(name, kind, more)
  local query = { questions = { { name = name, type = kind, unicast = more and more.unicast } } }
  for key, value in pairs(more or {}) do
    query[key] = value
  end
  return query
end

describe("an announcement", function()
  it("probes three times, 250 ms apart, and then tells all twice, a second apart", function()
    local network = ether.new()
    local announcement <close> = open(network:join "10.0.0.1")
    assert.is_true((announcement:wait()))
    assert.near(0.75, async.time(), 0.001)
    async.sleep(10)
    assert.same({ "query 0.00", "query 0.25", "query 0.50", "response 0.75", "response 1.75" }, times(network.sent))
    local probe, response = network.sent[1].message, network.sent[4].message
    assert.equal("ANY", probe.questions[1].type)
    assert.equal(IOPIN, probe.questions[1].name)
    assert.equal("A SRV TXT", kinds(probe.authorities))
    assert.equal("A PTR PTR SRV TXT", kinds(response.answers))
    assert.is_true(response.authoritative)
    assert.equal(8765, response.answers[1].port)
    assert.same({ "a=1" }, response.answers[2].strings)
    assert.equal("10.0.0.1", response.answers[3].address)
    assert.equal(response.answers[1].target, response.answers[3].name)
    assert.same({ name = KIND, type = "PTR", ttl = 4500, target = IOPIN }, response.answers[4])
    for i, record in ipairs(response.answers) do
      assert.equal(i <= 3 or nil, record.flush)
      assert.equal((i == 1 or i == 3) and 120 or 4500, record.ttl)
    end
  end)

  it("begins to probe at a moment chosen at random", function()
    local network = ether.new()
    local announcement <close> = open(network:join "10.0.0.1", { random = function(low, high) -- luacheck: ignore
      return low + (high - low) * 0.8
    end })
    async.sleep(0.3)
    assert.same({ "query 0.20" }, times(network.sent))
  end)

  it("has the addresses which its host can be reached at", function()
    local announcement, network = told { host = "::" }
    network:say(ask(network.links[1].interfaces and announcement.what.target, "ANY"))
    async.sleep(1)
    local addresses = {}
    for i, record in ipairs(network:take()[1].message.answers) do
      addresses[i] = record.address
    end
    assert.same({ "10.0.0.1", "2001:db8::1" }, addresses) -- not fe80::1
    announcement:close()
  end)

  it("says goodbye when it closes, once", function()
    local announcement, network = told()
    announcement:close()
    announcement:close()
    assert.equal(1, #network.sent)
    local answers = network.sent[1].message.answers
    assert.equal("A PTR SRV TXT", kinds(answers)) -- others may have services of its type
    for _, record in ipairs(answers) do
      assert.equal(0, record.ttl)
    end
    assert.same({ nil, "the announcement is closed", "ECANCELED" }, { announcement:wait() })
  end)

  it("closed before it was told says nothing", function()
    for _, seconds in ipairs { -1, 0, 0.3, 0.7 } do
      local network = ether.new()
      local announcement = open(network:join "10.0.0.1")
      if seconds >= 0 then
        async.sleep(seconds)
      end
      announcement:close()
      assert.is_true(network.links[1].closed)
      for _, packet in ipairs(network.sent) do
        assert.is_false(packet.message.response)
      end
    end
  end)

  it("that can send nowhere says so", function()
    local network = ether.new()
    local link = network:join "10.0.0.1"
    link.broken = true
    local announcement = open(link)
    assert.same({ nil, "ether: EPERM: operation not permitted", "EPERM" }, { announcement:wait() })
    assert.is_true(link.closed)
    announcement:close()
  end)

  it("is on after noise and forgeries", function()
    local announcement, network = told()
    network:say "noise"
    network:say(("\xFF"):rep(500))
    network:say(claim(), { port = 1234 }) -- who has a name answers from the port of multicast DNS
    network:say { response = true, rcode = 3, answers = { srv() } }
    network:say { response = true, opcode = 5, answers = { srv() } }
    network:say(claim { ttl = 0 })
    async.sleep(5)
    assert.same({}, network:take())
    assert.equal("iopin", announcement:name())
    announcement:close()
  end)
end)

describe("a name", function()
  it("that somebody has is given up for another one", function()
    local network = ether.new()
    local first <close> = open(network:join "10.0.0.1")
    assert(first:wait())
    local second <close> = open(network:join "10.0.0.2", { port = 9000 })
    local third <close> = open(network:join "10.0.0.3", { port = 9001 })
    assert(second:wait())
    assert(third:wait())
    local names = { first:name(), second:name(), third:name() }
    table.sort(names)
    assert.same({ "iopin", "iopin-2", "iopin-3" }, names)
    assert.equal("iopin", first:name())
  end)

  it("is found taken by the last probe's answer still", function()
    local network = ether.new()
    local announcement <close> = open(network:join "10.0.0.1")
    async.sleep(0.74)
    network:say(claim())
    assert(announcement:wait())
    assert.equal("iopin-2", announcement:name())
    assert.near(0.74 + 0.75, async.time(), 0.001)
  end)

  it("that two want at the same moment goes to the one whose records are later in the alphabet", function()
    local network = ether.new()
    local low <close> = open(network:join "10.0.0.1", { port = 1000 })
    local high <close> = open(network:join "10.0.0.2", { port = 2000 })
    assert(low:wait())
    assert(high:wait())
    assert.same({ "iopin-2", "iopin" }, { low:name(), high:name() })
    -- The loser waited a second, asked again, was answered, and asked for the other name.
    assert.near(1 + 0.75, async.time(), 0.01)
  end)

  it("is no matter of dispute with who says the same", function()
    local announcement, network = told()
    network:say { response = true, answers = announcement.records[1] }
    async.sleep(3)
    assert.same({}, network:take())
    announcement:close()
  end)

  it("that is claimed later on is probed for again, and kept when nobody answers", function()
    local announcement, network = told()
    local start = async.time()
    network:say(claim())
    async.sleep(5)
    local list = times(network:take())
    assert.equal(5, #list)
    assert.equal(("query %.2f"):format(start), list[1])
    assert.equal(("response %.2f"):format(start + 0.75), list[4])
    assert.equal("iopin", announcement:name())
    announcement:close()
  end)

  it("that another one defends is lost to them", function()
    local announcement, network = told()
    network:say(claim())
    async.sleep(0.1)
    network:say(claim())
    async.sleep(5)
    assert.equal("iopin-2", announcement:name())
    announcement:close()
  end)

  it("that is disputed without end is looked for with rests", function()
    local network = ether.new()
    local link = network:join "10.0.0.1"
    local announcement = open(link)
    local denying <close> = setmetatable({}, { __close = function(t) -- luacheck: ignore
      t.task:cancel()
    end })
    denying.task = async.create_task(function()
      local other = network:join(OTHERS)
      while true do
        other:receive()
        for _, packet in ipairs(network:take "10.0.0.1") do
          if not packet.message.response then
            network:say(claim { name = packet.message.questions[1].name })
          end
        end
      end
    end)
    async.sleep(60)
    local tries = tonumber((announcement:name():match "%-(%d+)$"))
    assert.is_true(tries >= 16 and tries <= 16 + 60 / 5, announcement:name())
    announcement:close()
  end)
end)

describe("its answer", function()
  it("to a question for its name comes at once, to one for its type a little later, with all that is needed", function()
    local announcement, network = told()
    local start = async.time()
    network:say(ask(IOPIN:upper(), "SRV"))
    async.sleep(0.001)
    network:say(ask(KIND, "PTR"))
    async.sleep(1)
    local first, second = table.unpack(network:take())
    assert.near(start, first.at, 0.0005)
    assert.equal("SRV", kinds(first.message.answers))
    assert.equal("A", kinds(first.message.additionals))
    assert.near(start + 0.021, second.at, 0.001)
    assert.equal("PTR", kinds(second.message.answers))
    assert.equal("A SRV TXT", kinds(second.message.additionals))
    announcement:close()
  end)

  it("tells that there are services of its type", function()
    local announcement, network = told()
    network:say(ask("_services._dns-sd._udp.local", "PTR"))
    async.sleep(1)
    assert.equal(KIND, network:take()[1].message.answers[1].target)
    announcement:close()
  end)

  it("is not given for other names, types and classes", function()
    local announcement, network = told()
    network:say(ask("buzzer._strobe._tcp.local", "SRV"))
    network:say(ask(IOPIN, "A"))
    network:say { questions = { { name = IOPIN, type = "SRV", class = 3 } } }
    network:say(ask(announcement.what.target, "AAAA"))
    async.sleep(1)
    assert.same({}, network:take())
    announcement:close()
  end)

  it("is not repeated within a second", function()
    local announcement, network = told()
    local start = async.time()
    for _ = 1, 20 do
      network:say(ask(IOPIN, "SRV"))
      async.sleep(0.1)
    end
    assert.same({ ("response %.2f"):format(start), ("response %.2f"):format(start + 1) }, times(network:take()))
    announcement:close()
  end)

  it("is not given to who knows it, for at least half of its time", function()
    local announcement, network = told()
    local known = { name = KIND, type = "PTR", ttl = 2250, target = IOPIN }
    network:say(ask(KIND, "PTR", { answers = { known } }))
    async.sleep(1)
    assert.same({}, network:take())
    known.ttl = 2249
    network:say(ask(KIND, "PTR", { answers = { known } }))
    async.sleep(1)
    assert.equal(1, #network:take())
    announcement:close()
  end)

  it("waits for what a querier with more to say knows already", function()
    local announcement, network = told()
    network:say(ask(KIND, "PTR", { truncated = true }))
    async.sleep(0.2)
    network:say { answers = { { name = KIND, type = "PTR", ttl = 4500, target = IOPIN } } }
    async.sleep(2)
    assert.same({}, network:take())
    local start = async.time()
    network:say(ask(KIND, "PTR", { truncated = true }))
    async.sleep(0.2)
    network:say { answers = { { name = KIND, type = "PTR", ttl = 4500, target = "other." .. KIND } } }
    async.sleep(2)
    assert.same({ ("response %.2f"):format(start + 0.4) }, times(network:take()))
    announcement:close()
  end)

  it("is not given when another one has just said the same", function()
    local announcement, network = told()
    network:say(ask("_services._dns-sd._udp.local", "PTR"))
    async.sleep(0.01)
    network:say { response = true, answers = { { name = "_services._dns-sd._udp.local", type = "PTR", ttl = 4500,
      target = KIND } } }
    async.sleep(1)
    assert.same({}, network:take())
    announcement:close()
  end)

  it("to one who probes for the same name comes as soon as it may, a quarter of a second after the last", function()
    local announcement, network = told()
    network:say(ask(IOPIN, "SRV"))
    async.sleep(0.1)
    network:take()
    local start = async.time()
    network:say(ask(IOPIN, "ANY", { authorities = { srv() } }))
    async.sleep(0.5)
    local packets = network:take()
    assert.same({ ("response %.2f"):format(start), ("response %.2f"):format(start + 0.15) }, times(packets))
    assert.equal("SRV", kinds(packets[2].message.answers))
    announcement:close()
  end)

  it("goes to the asker alone when it wants that and all were told not long ago", function()
    local announcement, network = told()
    network:say(ask(IOPIN, "SRV", { unicast = true }))
    async.sleep(1)
    local packet = network:take()[1]
    assert.equal(OTHERS .. ":5353", packet.to)
    assert.equal("SRV", kinds(packet.message.answers))
    async.sleep(31) -- a quarter of its time
    network:say(ask(IOPIN, "SRV", { unicast = true }))
    async.sleep(1)
    assert.is_nil(network:take()[1].to)
    announcement:close()
  end)

  it("to who speaks no multicast DNS is plain DNS, good for ten seconds", function()
    local announcement, network = told()
    network:say(ask(IOPIN, "SRV", { id = 4711 }), { port = 40000 })
    async.sleep(1)
    local packet = network:take()[1]
    assert.equal(OTHERS .. ":40000", packet.to)
    assert.equal(4711, packet.message.id)
    assert.same({ { name = IOPIN, type = "SRV" } }, packet.message.questions)
    assert.same({ 10, nil }, { packet.message.answers[1].ttl, packet.message.answers[1].flush })
    assert.equal("10.0.0.1", packet.message.additionals[1].address)
    announcement:close()
  end)

  it("to single askers is limited to 50 a second, whose addresses may be forged", function()
    local announcement, network = told()
    for _ = 1, 200 do
      network:say(ask(IOPIN, "SRV"), { port = 40000 })
    end
    async.sleep(0.5)
    assert.equal(50, #network:take())
    async.sleep(1)
    network:say(ask(IOPIN, "SRV"), { port = 40000 })
    async.sleep(0.5)
    assert.equal(1, #network:take())
    announcement:close()
  end)
end)
