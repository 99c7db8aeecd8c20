local Folder = require "spec.support.folder"
local async = require "strobe.async"
local broker = require "strobe.broker"
local child = require "spec.support.child"
local dice = require "spec.support.dice"
local program = require("strobe.core.host").program

local ROUNDS = 20

-- Places orders as fast as the disk takes them, from a number on, and prints what was acknowledged.
local CHILD = [[
local async = require "strobe.async"
local broker = require "strobe.broker"

local path, first = arg[1], tonumber(arg[2])

local paper = assert(broker.Paper { journal = path, fee = 0.001 })
paper:tick("btc", { ts = 1, seq = 1, is_trade = true, is_bid = true, price = 100, size = 1 })
io.stdout:setvbuf "line"

-- Places every fourth order, from here on.
local function place_all(from)
  for number = from, math.huge, 4 do
    local ack, message, code = paper:place { id = "o" .. number, symbol = "btc", side = "buy", size = 1 }
    if not ack then
      io.stdout:write(("refused %s: %s\n"):format(code, message))
      return
    end
    io.stdout:write(("acknowledged %d %s\n"):format(number, ack.state))
  end
end

for i = 0, 3 do
  async.create_task(place_all, first + i)
end
async.sleep(60)
]]

-- Runs the child, kills it after a while, and collects the orders that it said were acknowledged.
local function run_and_kill(path, first, seconds, acknowledged)
  local process <close> = child.spawn(program, { (path:gsub("[^/]*$", "child.lua")), path, tostring(first) })
  process:expect("stdout", "acknowledged")
  async.sleep(seconds)
  process:kill "sigkill"
  assert.equal(128 + 9, process:wait())
  local most = first
  for number in process.output.stdout:gmatch "acknowledged (%d+) filled\n" do
    acknowledged[#acknowledged + 1] = tonumber(number)
    most = math.max(most, tonumber(number))
  end
  return math.max(most - 8, 1) -- the next one asks for some again
end

describe("a broker that is killed at any moment", function()
  it("has lost no order that it acknowledged, and doubled none", function()
    local folder <close> = Folder.new { ["child.lua"] = CHILD }
    local path = folder.path .. "/orders.journal"
    local random, acknowledged, first = dice(11), {}, 1
    for _ = 1, ROUNDS do
      first = run_and_kill(path, first, random(30) / 1000, acknowledged)
      local paper <close> = assert(broker.Paper { journal = path, fee = 0.001 })
      local orders, fills = {}, paper:fills()
      for _, fill in ipairs(fills) do
        assert.is_nil(orders[fill.order], fill.order .. " is filled twice")
        orders[fill.order] = true
      end
      for _, number in ipairs(acknowledged) do
        assert.is_true(orders["o" .. number], ("order %d was acknowledged and is lost"):format(number))
        assert.equal("filled", paper:place({ id = "o" .. number, symbol = "btc", side = "buy", size = 1 }).state)
      end
      assert.equal(#fills, paper:position "btc")
      assert.equal(#fills, #paper:fills())
    end
    assert.is_true(#acknowledged >= ROUNDS)
  end)

  it("frees its journal, and until then says who has it", function()
    local folder <close> = Folder.new { ["child.lua"] = CHILD }
    local path = folder.path .. "/orders.journal"
    do
      local process <close> = child.spawn(program, { folder.path .. "/child.lua", path, "1" })
      process:expect("stdout", "acknowledged")
      local _, message, code = broker.Paper { journal = path }
      assert.equal("EBUSY", code)
      assert.matches(("process %d uses it: end that, or name another file"):format(process.pid), message)
      process:kill "sigkill"
    end
    local paper <close> = assert(broker.Paper { journal = path })
    assert.is_true(paper:position "btc" > 0)
  end)
end)

describe("a broker whose disk is full", function()
  -- The system's own limit of a file's size stands for the end of the disk.
  it("refuses what does not fit, whole, and has kept all that it acknowledged", function()
    local folder <close> = Folder.new { ["child.lua"] = CHILD }
    local path = folder.path .. "/orders.journal"
    local process <close> = child.spawn("/bin/sh", { "-c", [[trap '' XFSZ; ulimit -f 16; exec "$0" "$@"]], program,
      folder.path .. "/child.lua", path, "1" })
    process:expect("stdout", "refused EFBIG: order o%d+: write .*file too large")
    process:expect("stdout", "refused.*refused.*refused.*refused")
    process:kill "sigkill"
    process:wait()
    local paper <close> = assert(broker.Paper { journal = path, fee = 0.001 })
    assert.same({}, paper.notes)
    local count = 0
    for number in process.output.stdout:gmatch "acknowledged (%d+) filled\n" do
      assert.is_table(paper.ledger.orders["o" .. number])
      count = count + 1
    end
    assert.is_true(count > 20)
    assert.equal(count, paper:position "btc")
  end)
end)
