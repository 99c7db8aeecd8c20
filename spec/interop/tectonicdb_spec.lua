-- The same story told to the real TectonicDB server (crate tectonicdb 0.5, generation C) and to ours.
-- The real one is `tdb-server` on PATH, or what the environment variable TDB_SERVER names.

local async = require "strobe.async"
local child = require "spec.support.child"
local dtf = require "strobe.tectonic.dtf"
local json = require "strobe.json"
local net = require "strobe.net"
local tectonic = require "strobe.tectonic"
local tick = require "strobe.tectonic.tick"
local uv = require "luv"

local ROWS = {
  { ts = 1505177459.658, seq = 139010, is_trade = true, is_bid = true, price = 0.0703629, size = 7.65064249 },
  { ts = 1505177459.685, seq = 139011, is_trade = false, is_bid = true, price = 0.001939, size = 22.85 },
  { ts = 1505177460.1, seq = 139012, is_trade = false, is_bid = false, price = 60000, size = 0 },
  { ts = 1505177461, seq = 139013, is_trade = true, is_bid = false, price = 1 / 3, size = 1e-7 },
}

describe("TectonicDB's server", function()
  local function program()
    local named = os.getenv "TDB_SERVER"
    for folder in (os.getenv "PATH" or ""):gmatch "[^:]+" do
      named = named or uv.fs_access(folder .. "/tdb-server", "X") and folder .. "/tdb-server" or nil
    end
    return named
  end

  local function free_port()
    local listener <close> = assert(net.listen(nil, 0))
    return listener:port()
  end

  local function connect(port)
    return tectonic.connect { host = "127.0.0.1", port = port, protocol = "push", timeout = 5 }
  end

  -- Connects to a server that is just starting.
  local function connect_soon(process, port)
    while true do
      local db = connect(port)
      if db then
        return db
      end
      assert(not process.status, process.output.stderr)
      async.sleep(0.02)
    end
  end

  local function remove_tree(path)
    for name, kind in uv.fs_scandir_next, assert(uv.fs_scandir(path)) do
      local inner = path .. "/" .. name
      if kind == "directory" then
        remove_tree(inner)
      else
        os.remove(inner)
      end
    end
    uv.fs_rmdir(path)
  end

  local function at_exit(f)
    return setmetatable({}, { __close = f })
  end

  -- Runs f(port) with the real server, in a folder of its own.
  local function with_real(f)
    local folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/strobe-tdb-XXXXXX"))
    local removal <close> = at_exit(function() -- luacheck: ignore
      remove_tree(folder)
    end)
    local port = free_port()
    local process <close> = child.spawn("timeout", { "100", program(), "-h", "127.0.0.1", "-p", tostring(port), "-f",
      folder, "-l", folder .. "/log" }, { cwd = folder })
    local stop <close> = at_exit(function() -- luacheck: ignore
      process:kill "sigterm" -- which `timeout` passes on
      process:wait()
    end)
    connect_soon(process, port):close()
    f(port)
  end

  local function with_ours(f)
    local server <close> = assert(tectonic.serve { port = 0, protocol = "push" })
    f(server:port())
  end

  -- All the answers to one client. Not among them, as they differ: the text of HELP; the order of books in
  -- INFO; COUNT ALL after CLEAR ALL (the real one goes on counting what was cleared); and what makes the
  -- real one end the connection (see session_c.lua).
  local function commands(port)
    local db <close> = assert(connect(port))
    local told = {}
    local function tell(name, success, text)
      table.insert(told, { name, success, text })
    end
    local function command(text)
      tell(text, db:command(text))
    end
    tell("ping", db:ping())
    tell("count", db:count())
    tell("exists default", db:exists "default")
    tell("exists", db:exists "btc_usd")
    tell("use too early", db:use "btc_usd")
    tell("create", db:create "btc_usd")
    tell("create again", db:create "btc_usd")
    tell("use", db:use "btc_usd")
    tell("get nothing", db:get(1))
    tell("get all of nothing", db:get "all")
    tell("binary insert", db:insert(ROWS[1]))
    tell("binary insert by name", db:insert(ROWS[2], "btc_usd"))
    tell("binary insert into nothing", db:insert(ROWS[2], "nope"))
    command("INSERT " .. tick.format_row(ROWS[3]))
    command("ADD " .. tick.format_row(ROWS[4]) .. " INTO btc_usd")
    command("ADD " .. tick.format_row(ROWS[4]) .. " INTO nope")
    command "INSERT nonsense"
    tell("count", db:count())
    tell("count all", db:count "all")
    command "COUNT IN MEM"
    command "COUNT ALL IN MEM"
    tell("json", db:get "all")
    tell("two as json", db:get(2))
    tell("csv", db:get("all", { as = "csv" }))
    tell("binary", db:get("all", { as = "dtf" }))
    tell("a range", db:get("all", { from = 1505177459, to = 1505177460 }))
    tell("too many", db:get(9))
    command "GET 0 AS JSON"
    command "GET ALL FROM 1 TO 2 AS JSON"
    command "OB nope"
    tell("perf", db:perf())
    for _, text in ipairs { "", "nonsense", "UNSUBSCRIBE", "BULKADD", "ping", "PING ", "ra", "raxxxxxx", "\xFF",
      "LOAD nope" } do
      command(text)
    end
    tell("bulk", db:bulk(ROWS, "btc_usd"))
    tell("count", db:count())
    tell("clear", db:clear())
    tell("get all of nothing", db:get "all")
    tell("ping", db:ping())
    return told
  end

  -- Waits until the server has a subscriber.
  local function wait_subscribed(db)
    while json.decode((select(2, db:info()))).meta.subs == 0 do
      async.sleep(0.01)
    end
  end

  -- What a subscriber gets of what another client inserts.
  local function pushes(port)
    local db <close> = assert(connect(port))
    local source <close> = assert(connect(port))
    source:create "btc_usd"
    source:create "another"
    local got = {}
    local task = async.create_task(function()
      for value in db:ticks "btc_usd" do
        table.insert(got, value)
        if #got == 203 then
          break
        end
      end
    end)
    wait_subscribed(source)
    source:insert(ROWS[1], "btc_usd")
    source:insert(ROWS[2], "another")
    source:command("INSERT " .. tick.format_row(ROWS[3]) .. " INTO btc_usd")
    db:insert(ROWS[4], "btc_usd")
    local many = {}
    for i = 1, 200 do
      many[i] = { ts = 1505177462 + i / 8, seq = i, is_trade = i % 3 == 0, is_bid = i % 2 == 0, price = i / 7,
        size = i }
    end
    source:bulk(many, "btc_usd")
    task:await()
    assert.same({ true, "PONG" }, { db:ping() })
    return got
  end

  local function row(seq)
    return { ts = 1500000000 + seq, seq = seq, is_trade = false, is_bid = true, price = 1, size = 1 }
  end

  -- What GET finds of five rows in memory, a second apart, in ranges inside, beside and around them.
  local function ranges(port)
    local db <close> = assert(connect(port))
    local told = {}
    for book, seqs in pairs { in_order = { 1, 2, 3, 4, 5 }, in_disorder = { 3, 1, 5, 2, 4 }, empty = {} } do
      db:create(book)
      db:use(book)
      for _, seq in ipairs(seqs) do
        db:insert(row(seq))
      end
      for _, range in ipairs { "1 TO 2", "1500000000 TO 1500000006", "1500000001 TO 1500000005",
        "1499999999 TO 1500000003", "1500000003 TO 1600000000", "1500000003 TO 1500000003",
        "1500000000 TO 1500000001", "1500000005 TO 1500000006", "1600000000 TO 1600000010",
        "1600000000 TO 1", "1500000006 TO 1500000000", "1500000005 TO 1500000000", "1500000006 TO 1500000001",
        "1500000005 TO 1500000002", "1500000004 TO 1500000002" } do
        for _, request in ipairs { "GET ALL FROM %s AS JSON", "GET 2 FROM %s AS JSON", "GET 5 FROM %s AS JSON",
          "GET 9 FROM %s AS JSON", "GET 2 FROM %s AS CSV IN MEM" } do
          request = request:format(range)
          told[book .. ": " .. request] = { db:command(request) }
        end
      end
    end
    return told
  end

  local function told_to(with, story)
    local result
    with(function(port)
      result = story(port)
    end)
    return result
  end

  -- What a story shows needs the real server; without it the story is skipped.
  local function shows(name, story)
    it(name, function()
      if not program() then
        pending "no tdb-server on PATH, and TDB_SERVER is not set"
      else
        story()
      end
    end)
  end

  shows("and ours give the same answers", function()
    local real, ours = told_to(with_real, commands), told_to(with_ours, commands)
    for i, answer in ipairs(real) do
      assert.same(answer, ours[i])
    end
    assert.equal(#real, #ours)
  end)

  shows("and ours push the same updates", function()
    local real, ours = told_to(with_real, pushes), told_to(with_ours, pushes)
    assert.equal(203, #real)
    assert.same(real, ours)
  end)

  shows("and ours find the same rows in the same ranges", function()
    local real, ours = told_to(with_real, ranges), told_to(with_ours, ranges)
    local count = 0
    for request, answer in pairs(real) do
      assert.same(answer, ours[request], request)
      count = count + 1
    end
    assert.equal(3 * 15 * 5, count)
  end)

  -- What we leave out, as session_c.lua says it.
  shows("adds to a range the rows of its file, without the last batch, behind those in memory", function()
    with_real(function(port)
      local db <close> = assert(connect(port))
      for _, seq in ipairs { 1, 2, 3, 101, 102, 201, 202 } do -- three batches: seqs far apart
        db:insert(row(seq))
      end
      db:flush()
      db:insert(row(301))
      for request, expected in pairs {
        ["GET ALL FROM 1500000000 TO 1600000000"] = { 301, 1, 2, 3, 101, 102 },
        ["GET ALL FROM 1500000000 TO 1600000000 IN MEM"] = { 301 },
        ["GET ALL FROM 1500000001 TO 1500000002"] = { 1, 2 },
        ["GET 2 FROM 1500000001 TO 1500000003"] = { 1 },
        ["GET ALL FROM 1500000201 TO 1500000202"] = {},
        ["GET ALL"] = { 301 },
      } do
        local seqs = {}
        local _, text = db:command(request .. " AS JSON")
        for seq in text:gmatch '"seq":(%d+)' do
          table.insert(seqs, tonumber(seq))
        end
        assert.same(expected, seqs, request)
      end
    end)
  end)

  shows("describes its books as ours does, in any order", function()
    local function story(port)
      local db <close> = assert(connect(port))
      db:create "btc_usd"
      db:bulk(ROWS, "btc_usd")
      local info = json.decode((select(2, db:info())))
      table.sort(info.dbs, function(a, b)
        return a.name < b.name
      end)
      info.meta.ts, info.meta.dtf_folder = nil, nil
      return info
    end
    assert.same(told_to(with_real, story), told_to(with_ours, story))
  end)

  shows("gives batches that our decoder reads", function()
    local rows = told_to(with_real, function(port)
      local db <close> = assert(connect(port))
      db:bulk(ROWS, "default")
      return dtf.decode_batches((select(2, db:get("all", { as = "dtf" }))))
    end)
    assert.equal(#ROWS, #rows)
    assert.equal(139013, rows[4].seq)
  end)

  shows("hangs up on us without harm, and ticks come back", function()
    with_real(function(port)
      local db <close> = assert(connect(port))
      local source <close> = assert(connect(port))
      source:create "btc_usd"
      local gaps, seqs = {}, {}
      local task = async.create_task(function()
        local options = { reconnect = true, on_gap = function(gap) table.insert(gaps, gap) end }
        for value in db:ticks("btc_usd", options) do
          table.insert(seqs, value.seq)
          if #seqs == 2 then
            break
          end
        end
      end)
      wait_subscribed(source)
      source:insert(ROWS[1], "btc_usd")
      while #seqs == 0 do
        async.sleep(0.01)
      end
      -- A book's name over 64 bytes ends the connection's task there.
      assert.is_nil((db:command("EXISTS " .. ("x"):rep(65))))
      while #seqs < 2 and not task:done() do
        source:insert(ROWS[4], "btc_usd")
        async.sleep(0.05)
      end
      task:await()
      assert.same({ 139010, 139013 }, seqs)
      assert.equal(2, gaps[1].missed)
    end)
  end)
end)
