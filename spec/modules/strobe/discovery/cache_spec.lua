local Cache = require "strobe.discovery.cache"

local function a(address, ttl, more)
  local record = { name = "pi.local", type = "A", ttl = ttl or 120, address = address }
  for key, value in pairs(more or {}) do
    record[key] = value
  end
  return record
end

local function cache_of(most)
  return Cache.new(function()
    return 0
  end, most)
end

-- The addresses that are known, the newest first.
local function known(cache, interface)
  local list = {}
  for i, entry in ipairs(cache:get(interface or 1, "pi.local", "A")) do
    list[i] = entry.record.address
  end
  return list
end

describe("the cache", function()
  it("keeps a record for its time to live, which begins anew when it is heard again", function()
    local cache = cache_of()
    cache:add(a "1.1.1.1", 1, 0)
    assert.equal(120, cache:expire(100))
    cache:add(a("1.1.1.1", 120, { name = "PI.local" }), 1, 100)
    assert.equal(220, cache:expire(219.9))
    assert.same({ "1.1.1.1" }, known(cache))
    assert.is_nil(cache:expire(220))
    assert.same({}, known(cache))
    assert.equal(0, cache.count)
  end)

  it("keeps a record for a second after its goodbye, and takes no goodbye for a record", function()
    local cache = cache_of()
    cache:add(a "1.1.1.1", 1, 0)
    cache:add(a("1.1.1.1", 0), 1, 5)
    cache:add(a("2.2.2.2", 0), 1, 5)
    assert.equal(6, cache:expire(5.9))
    assert.same({ "1.1.1.1" }, known(cache))
    cache:expire(6)
    assert.equal(0, cache.count)
  end)

  it("replaces what is older than a second when a record says so", function()
    local cache = cache_of()
    cache:add(a "1.1.1.1", 1, 0)
    cache:add(a("2.2.2.2", 120, { flush = true }), 1, 5)
    cache:add(a("3.3.3.3", 120, { flush = true }), 1, 5.5) -- both are of the same answer
    assert.equal(6, cache:expire(5.5))
    cache:expire(6)
    assert.same({ "3.3.3.3", "2.2.2.2" }, known(cache))
  end)

  it("knows each interface by itself", function()
    local cache = cache_of()
    cache:add(a "1.1.1.1", 1, 0)
    cache:add(a("2.2.2.2", 120, { flush = true }), 2, 5)
    cache:expire(10)
    assert.same({ "1.1.1.1" }, known(cache, 1))
    assert.same({ "2.2.2.2" }, known(cache, 2))
  end)

  it("is bounded: what would go first makes room", function()
    local cache = cache_of(3)
    for i = 1, 10 do
      cache:add(a("1.1.1." .. i, i == 2 and 9000 or 100 + i), 1, 0)
    end
    assert.equal(3, cache.count)
    local left = known(cache)
    table.sort(left)
    assert.same({ "1.1.1.10", "1.1.1.2", "1.1.1.9" }, left)
  end)

  it("keeps nothing for more than a day", function()
    local cache = cache_of()
    cache:add(a("1.1.1.1", 0xFFFFFFFF), 1, 0)
    assert.equal(24 * 3600, cache:expire(1))
  end)
end)
