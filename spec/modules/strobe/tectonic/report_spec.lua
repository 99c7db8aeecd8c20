local cjson = require "cjson"
local report = require "strobe.tectonic.report"
local store = require "strobe.tectonic.store"

local function new_store()
  local shared = store.new { now = function() return 1517000000.75 end, folder = "ticks" }
  shared:create("bnc_btc_eth")
  shared:insert({ ts = 1, seq = 1, is_trade = true, is_bid = true, price = 1.0, size = 1.0 }, "bnc_btc_eth")
  shared.connections = 2
  return shared
end

describe("report", function()
  describe("info", function()
    it("has the layout of generation A", function()
      assert.equal([[
{
  "meta": {
    "cxns": 2,
    "ts": 1517000000,
    "autoflush_enabled": false,
    "autoflush_interval": 1000,
    "dtf_folder": "ticks",
    "total_count": 1
  },
  "dbs": [{
    "name": "default",
    "in_memory": false,
    "count": 0
  }, {
    "name": "bnc_btc_eth",
    "in_memory": true,
    "count": 1
  }]
}
]], report.info(new_store()))
    end)
  end)

  describe("info_c", function()
    it("has the layout of generation C, with in_memory a number", function()
      local shared = new_store()
      shared:subscribe("bnc_btc_eth")
      assert.equal([[
{
  "meta": {
    "clis": 2,
    "subs": 1,
    "ts": 1517000000,
    "autoflush_enabled": false,
    "autoflush_interval": 1000,
    "dtf_folder": "ticks",
    "total_in_memory_count": 1,
    "total_count": 1
  },
  "dbs": [{
    "name": "default",
    "in_memory": 0,
    "count": 0
  }, {
    "name": "bnc_btc_eth",
    "in_memory": 1,
    "count": 1
  }]
}
]], report.info_c(shared))
    end)
  end)

  describe("perf", function()
    it("is an empty list before the first sample", function()
      assert.equal("[]\n", report.perf(new_store()))
    end)

    it("lists the samples of each book and their total", function()
      local time = 100
      local shared = store.new { now = function() return time end }
      shared:sample()
      time = 130
      shared:insert({ ts = 1, seq = 1, is_trade = true, is_bid = true, price = 1.0, size = 1.0 }, "default")
      shared:sample()
      assert.equal('[{"default": {"100":0, "130":1}}, {"total": {"100":0, "130":1}}]\n', report.perf(shared))
    end)
  end)

  it("stays JSON whatever the books are called", function()
    local shared, names = new_store(), { 'say "x"', "back\\slash", "line\nfeed", "nul\0", "grüße", "%d %s" }
    for _, name in ipairs(names) do
      shared:create(name)
    end
    shared:sample()
    for _, document in ipairs { report.info(shared), report.info_c(shared) } do
      local found = cjson.decode(document).dbs
      for i, name in ipairs(names) do
        assert.equal(name, found[i + 2].name)
      end
    end
    assert.equal(1517000000, tonumber((next(cjson.decode(report.perf(shared))[3]['say "x"']))))
  end)
end)
