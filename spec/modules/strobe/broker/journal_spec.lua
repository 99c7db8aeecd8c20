local Folder = require "spec.support.folder"
local async = require "strobe.async"
local broker = require "strobe.broker"
local dice = require "spec.support.dice"

local function level(is_bid, price, size)
  return { ts = 7, seq = 0, is_trade = false, is_bid = is_bid, price = price, size = size }
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

-- A broker with the journal, and a deep book of "btc" at 100 and 101.
local function open(path, options)
  options = options or {}
  options.journal, options.time, options.fee = path, "tick", 0.001
  local paper, message, code = broker.Paper(options)
  if paper then
    paper:tick("btc", level(true, 100, 1e6))
    paper:tick("btc", level(false, 101, 1e6))
  end
  return paper, message, code
end

local function order(id, side, size, price)
  return { id = id, symbol = "btc", side = side, size = size, price = price }
end

-- All that a broker knows, to be compared.
local function state_of(paper)
  return { orders = paper:orders(), positions = paper:positions(), account = paper:account(), fills = paper:fills() }
end

-- Some orders of every kind, three of which rest.
local function trade_some(paper)
  assert(paper:place(order("a", "buy", 2)))
  assert(paper:place(order("b", "sell", 0.5, 100)))
  assert(paper:place(order("c", "buy", 1, 99)))
  assert(paper:place(order("d", "buy", 1.5, 98)))
  assert(paper:place(order("e", "sell", 3, 110.5)))
  assert(paper:place(order("f", "sell", 1, 120)))
  assert(paper:cancel "c")
  paper:tick("btc", { ts = 8, seq = 1, is_trade = true, is_bid = true, price = 111, size = 1 })
  assert(paper:place(order("g", "sell", 1, 130)))
end

-- A file of such a journal; its text.
local function made(folder)
  local path = folder.path .. "/orders.journal"
  local paper <close> = assert(open(path))
  trade_some(paper)
  paper:close()
  return path, read(path)
end

describe("a journal", function()
  it("brings the broker back to where it was", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    local before
    do
      local paper <close> = assert(open(path, { cash = 1000 }))
      trade_some(paper)
      before = state_of(paper)
    end
    local paper <close> = assert(open(path))
    assert.same(before, state_of(paper))
    assert.same({ "d", "f", "g" }, { before.orders[1].id, before.orders[2].id, before.orders[3].id })
    assert.same({}, paper.notes)
  end)

  it("gives the first acknowledgement for an id, before a crash and after", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    local first
    do
      local paper <close> = assert(open(path))
      first = assert(paper:place(order("a", "buy", 2)))
      assert.same(first, paper:place(order("a", "buy", 2)))
    end
    local paper <close> = assert(open(path))
    assert.same(first, paper:place(order("a", "buy", 2)))
    assert.equal(2, paper:position "btc")
    local _, message, code = paper:place(order("a", "buy", 3))
    assert.equal("EEXIST", code)
    assert.matches("order a: id: it is that of another order %(buy 2 btc at market%)", message)
  end)

  it("is read whatever was forgotten by who wrote it", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    do
      local paper <close> = assert(open(path, { history = 2 }))
      for _, id in ipairs { "a", "b", "c", "a" } do
        assert(paper:place(order(id, "buy", 1)))
      end
      assert.equal(4, paper:position "btc")
      assert.same({ 3, 4 }, { paper:fills()[1].id, paper:fills()[2].id })
    end
    for _, history in ipairs { 1, 10 } do
      local paper <close> = assert(open(path, { history = history }))
      assert.equal(4, paper:position "btc")
      assert.equal(math.min(history, 4), #paper:fills())
      assert.equal(4, paper:placed())
    end
  end)

  it("is the same bytes for the same events", function()
    local folder <close> = Folder.new { ["1/"] = "", ["2/"] = "" }
    local texts = {}
    for i = 1, 2 do
      local path = ("%s/%d/orders.journal"):format(folder.path, i)
      local paper <close> = assert(open(path))
      trade_some(paper)
      paper:close()
      texts[i] = read(path)
      async.sleep(10)
    end
    assert.equal(texts[1], texts[2])
    assert.matches('^%x+ 1 {"op":"open","version":1,"session":1,"cash":0}\n%x+ 2 {"op":"place","time":7,"id":"a",',
      texts[1])
  end)

  it("goes on where it was cut off: no record is lost but the one that was not finished", function()
    local folder <close> = Folder.new {}
    local path, text = made(folder)
    local lines = {}
    for line in text:gmatch "[^\n]*\n" do
      lines[#lines + 1] = line
    end
    local shortest = #text - #lines[#lines] - #lines[#lines - 1]
    for size = shortest, #text do
      write(path, text:sub(1, size))
      local paper <close> = assert(open(path))
      local whole = select(2, text:sub(1, size + 1):gsub("\n", "")) -- a record that lacks only its end counts
      assert.equal(whole, paper.journal.number)
      local ended = size == shortest or text:sub(size, size) == "\n"
      assert.equal(ended and 0 or 1, #paper.notes)
      assert(paper:place(order("later", "buy", 1)))
      paper:close()
      local again <close> = assert(open(path))
      assert.same({}, again.notes)
      assert.equal("filled", again:place(order("later", "buy", 1)).state)
    end
  end)

  it("begins anew when not even its first record was finished", function()
    local folder <close> = Folder.new {}
    local path, text = made(folder)
    for size = 0, text:find("\n", 1, true) - 2 do
      write(path, text:sub(1, size))
      local paper <close> = assert(open(path, { cash = 5 }))
      assert.equal(5, paper:account().cash)
    end
  end)

  it("is refused when a bit has flipped, with the byte of the record, and left as it is", function()
    local folder <close> = Folder.new {}
    local path, text = made(folder)
    local random = dice(4)
    for _ = 1, 300 do
      local at, bit = random(#text), random(8) - 1
      local broken = text:sub(1, at - 1) .. string.char(text:byte(at) ~ (1 << bit)) .. text:sub(at + 1)
      write(path, broken)
      local paper, message, code = open(path)
      assert.is_nil(paper, ("bit %d of byte %d"):format(bit, at))
      assert.equal("EBADMSG", code)
      local byte = tonumber(message:match "byte (%d+): record %d+ is damaged")
      assert.is_true(byte <= at - 1)
      assert.matches("truncate %-s " .. byte, message)
      assert.equal(broken, read(path))
    end
  end)

  it("is refused when a record is missing, or there twice", function()
    local folder <close> = Folder.new {}
    local path, text = made(folder)
    local first, second, rest = text:match "^([^\n]*\n)([^\n]*\n)(.*)$"
    for _, broken in ipairs { first .. rest, second .. rest, first .. second .. second .. rest } do
      write(path, broken)
      local _, message, code = open(path)
      assert.equal("EBADMSG", code)
      assert.matches("it has the number %d+, %d+ is missing", message)
    end
  end)

  it("is one broker's at a time, and says whose", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    do
      local paper <close> = assert(open(path)) -- luacheck: ignore
      local other, message, code = open(path)
      assert.is_nil(other)
      assert.equal("EBUSY", code)
      assert.matches("this process uses it already", message)
    end
    local paper <close> = assert(open(path)) -- luacheck: ignore
  end)

  it("says where it cannot be", function()
    local _, message, code = open "/nowhere/orders.journal"
    assert.equal("ENOENT", code)
    assert.matches("/nowhere/orders.journal.lock", message)
  end)

  it("counts the processes that have written, so that ids of units are new", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    for session = 1, 3 do
      local paper <close> = assert(open(path))
      assert.equal(session, paper.session)
      assert(paper:place(order("s" .. session, "buy", 1)))
    end
    local paper <close> = assert(open(path))
    assert.equal(4, paper.session)
  end)

  it("knows the cash at its beginning, and notes another", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    do
      local paper <close> = assert(open(path, { cash = 100 }))
      assert(paper:place(order("a", "buy", 1, 1)))
    end
    local paper <close> = assert(open(path, { cash = 200 }))
    assert.equal(100, paper:account().cash)
    assert.matches("it began with 100 in cash", paper.notes[1])
  end)
end)

-- A disk that counts, and fails as it is told.
local function fragile(told)
  return function(disk)
    return {
      write = function(_, text, offset)
        told.writes = (told.writes or 0) + 1
        if told.fails == "write" then
          disk:write(text:sub(1, #text // 2), offset) -- what fitted
          return nil, "write x: no space left on device", "ENOSPC"
        end
        return disk:write(text, offset)
      end,
      sync = function()
        told.syncs = (told.syncs or 0) + 1
        if told.fails == "sync" then
          return nil, "sync x: input/output error", "EIO"
        end
        return disk:sync()
      end,
      truncate = function(_, size)
        if told.stuck then
          return nil, "truncate x: input/output error", "EIO"
        end
        return disk:truncate(size)
      end,
    }
  end
end

describe("a journal whose disk", function()
  local told, reports

  before_each(function()
    told, reports = {}, 0
    async.get_running_loop():set_exception_handler(function()
      reports = reports + 1
    end)
  end)

  after_each(function()
    async.get_running_loop():set_exception_handler(nil)
  end)

  for _, failing in ipairs { "write", "sync" } do
    it(("fails to %s refuses the orders, keeps nothing of them, and goes on"):format(failing), function()
      local folder <close> = Folder.new {}
      local path = folder.path .. "/orders.journal"
      local before
      do
        local paper <close> = assert(open(path, { disk = fragile(told) }))
        trade_some(paper)
        before = state_of(paper)
        told.fails = failing
        local refused = table.pack(paper:place(order("x", "buy", 5)))
        assert.is_nil(refused[1])
        assert.equal(failing == "write" and "ENOSPC" or "EIO", refused[3])
        assert.matches("order x: ", refused[2])
        assert.is_nil((paper:place(order("y", "buy", 5, 99))))
        assert.is_nil((paper:cancel "d"))
        paper:tick("btc", { ts = 8, seq = 1, is_trade = true, is_bid = true, price = 50, size = 1 })
        async.sleep(1)
        before.account.unrealised, before.account.equity = paper:account().unrealised, paper:account().equity
        assert.same(before.orders, paper:orders())
        assert.same(before.fills, paper:fills())
        assert.same(before.account, paper:account())
        told.fails = nil
        assert.equal("filled", paper:place(order("x", "buy", 5)).state)
        assert.equal("cancelled", paper:cancel("d").state)
        assert.equal(4, reports)
        before = state_of(paper)
      end
      local paper <close> = assert(open(path))
      assert.same(before, state_of(paper))
      assert.same({}, paper.notes)
    end)
  end

  it("cannot even cut off what it failed to write is cut off later", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    do
      local paper <close> = assert(open(path, { disk = fragile(told) }))
      told.fails, told.stuck = "write", true
      assert.is_nil((paper:place(order("x", "buy", 5))))
      told.fails = nil
      assert.is_nil((paper:place(order("y", "buy", 5))))
      told.stuck = nil
      assert(paper:place(order("z", "buy", 5)))
    end
    local paper <close> = assert(open(path))
    assert.equal(5, paper:position "btc")
    assert.same({}, paper.notes)
  end)

  it("is slow serves many orders with one fsync", function()
    local folder <close> = Folder.new {}
    local paper <close> = assert(open(folder.path .. "/orders.journal", { disk = fragile(told) }))
    local waiting = {}
    for i = 1, 500 do
      waiting[i] = async.create_task(paper.place, paper, order("o" .. i, "buy", 1))
    end
    async.gather(table.unpack(waiting))
    assert.equal(500, paper:position "btc")
    assert.is_true(told.syncs < 10)
  end)

  it("fails takes back the cancel and the order behind which it came", function()
    local folder <close> = Folder.new {}
    local paper <close> = assert(open(folder.path .. "/orders.journal", { disk = fragile(told) }))
    told.fails = "write"
    local answers = {}
    for i, act in ipairs {
      function() return paper:place(order("x", "buy", 1, 90)) end,
      function() return paper:place(order("x", "buy", 1, 90)) end,
      function() return paper:cancel "x" end,
      function() return paper:cancel "x" end,
    } do
      async.create_task(function()
        answers[i] = select(3, act())
      end)
    end
    async.sleep(1)
    assert.same({ "ENOSPC", "ENOSPC", "ENOSPC", "ENOSPC" }, answers)
    assert.same({}, paper:orders())
    assert.equal("ENOENT", select(3, paper:cancel "x"))
  end)
end)

describe("a broker with a journal", function()
  it("keeps the order of a task that was cancelled, and acknowledges it when asked again", function()
    local folder <close> = Folder.new {}
    local paper <close> = assert(open(folder.path .. "/orders.journal"))
    local task = async.create_task(paper.place, paper, order("a", "buy", 1))
    async.sleep(0)
    task:cancel()
    assert.has_error(function()
      task:await()
    end)
    assert.equal("filled", paper:place(order("a", "buy", 1)).state)
    assert.equal(1, paper:position "btc")
  end)

  it("may be closed while orders wait for the disk: they are acknowledged", function()
    local folder <close> = Folder.new {}
    local paper <close> = assert(open(folder.path .. "/orders.journal"))
    local task = async.create_task(paper.place, paper, order("a", "buy", 1))
    async.sleep(0)
    paper:close()
    assert.equal("filled", task:await().state)
    assert.equal("ESHUTDOWN", select(3, paper:place(order("b", "buy", 1))))
  end)

  it("frees the file when it is collected without close", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/orders.journal"
    assert(assert(open(path)):place(order("a", "buy", 1)))
    collectgarbage()
    collectgarbage()
    async.sleep(0.1)
    local paper <close> = assert(open(path))
    assert.equal(1, paper:position "btc")
  end)
end)
