local Folder = require "spec.support.folder"
local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local feeds = require "strobe.live.feed"
local time = require "strobe.core.time"

local HEADER = "book,ts,seq,is_trade,is_bid,price,size\n"

-- A row of a second and a number.
local function row(second, seq, price, book)
  return ("%s,%.3f,%d,t,f,%s,1\n"):format(book or "btc_usd", 1618677817.119 + second, seq, price or "0.1")
end

-- All events of a recording, at once.
local function play(path, options)
  local events, said = {}, {}
  local feed = assert(feeds.open("replay:" .. path .. (options or "")))
  feed.log = function(_, text)
    said[#said + 1] = text
  end
  local done, message, code = feed:run(function(stream, data, at, seq)
    events[#events + 1] = { stream = stream, data = data, time = at, seq = seq, now = feed.clock:now() }
  end)
  return events, { done = done, message = message, code = code, said = said, feed = feed }
end

local function play_text(text, options, name)
  local folder <close> = Folder.new { [name or "r.csv"] = text }
  return play(folder.path .. "/" .. (name or "r.csv"), options)
end

local function field(events, name)
  local list = {}
  for i, event in ipairs(events) do
    list[i] = event[name]
  end
  return list
end

describe("a replay", function()
  it("is refused with a reason when there is no such file", function()
    local folder <close> = Folder.new {}
    for url, expected in pairs {
      ["replay:"] = { "EINVAL", "a file expected" },
      ["replay:" .. folder.path .. "/no.csv"] = { "ENOENT", "no.csv" },
      ["replay:" .. folder.path] = { "EISDIR", "is a directory" },
      ["replay:/dev/null"] = { "ENOTSUP", "is a char" },
      ["replay:x.csv#broken=few"] = { "EINVAL", "broken: a number of lines" },
      ["replay:x.csv#speed=2"] = { "EINVAL", "there is no option 'speed'" },
    } do
      local feed, message, code = feeds.open(url)
      assert.is_nil(feed)
      assert.equal(expected[1], code)
      assert.matches(expected[2], message, 1, true)
    end
  end)

  it("delivers ticks as strobe.tectonic has them", function()
    local events, result = play_text(HEADER .. "a,1618677817.119,1,f,t,0.00001306,660.5\n"
      .. "a,1618677817.119,2,t,f,0.5,985\n")
    assert.is_true(result.done)
    assert.same({ ts = 1618677817.119, seq = 1, is_trade = false, is_bid = true, price = 0.00001306, size = 660.5 },
      events[1].data)
    assert.same({ ts = 1618677817.119, seq = 2, is_trade = true, is_bid = false, price = 0.5, size = 985 },
      events[2].data)
    assert.same({ "a", "a" }, field(events, "stream"))
    assert.same({ 1, 2 }, field(events, "seq"))
    local statistics = result.feed:statistics()
    assert.same({ 2, statistics.total }, { statistics.events, statistics.done })
  end)

  it("takes no header, CR LF, a byte order mark, empty lines and a last line without end", function()
    for _, text in ipairs {
      row(0, 1) .. row(1, 2),
      (HEADER .. row(0, 1) .. row(1, 2)):gsub("\n", "\r\n"),
      "\xEF\xBB\xBF" .. HEADER .. row(0, 1) .. row(1, 2),
      HEADER .. "\n" .. row(0, 1) .. "\n\n" .. row(1, 2):sub(1, -2),
    } do
      local events, result = play_text(text)
      assert.same({ 1, 2 }, field(events, "seq"), text)
      assert.equal(0, result.feed:statistics().broken)
    end
  end)

  it("has nothing to deliver of an empty file", function()
    for _, text in ipairs { "", "\n", HEADER } do
      local events, result = play_text(text)
      assert.same({ {}, true }, { events, result.done })
    end
  end)

  it("comes at its own times, on the clock which units see", function()
    local began = time.now()
    local events = play_text(HEADER .. row(0, 1) .. row(0.5, 2) .. row(60, 3) .. row(60, 4))
    assert.equal(60, time.now() - began)
    assert.same(field(events, "time"), field(events, "now"))
    assert.same({ 1618677817.119, 1618677817.619, 1618677877.119, 1618677877.119 }, field(events, "time"))
  end)

  it("keeps the pace of a clock that is live or scaled", function()
    time.mode("scaled", 100)
    local began, real = time.now(), time.real()
    local events = play_text(HEADER .. row(0, 1) .. row(1, 2) .. row(2, 3))
    assert.equal(3, #events)
    assert.is_true(time.now() - began >= 2 and time.real() - real >= 0.02)
    assert.is_true(events[3].now >= events[3].time and events[2].now >= events[2].time)
  end)

  it("keeps the order of the file: what is older comes at once, with its own time", function()
    local events = play_text(row(10, 1) .. row(4, 2) .. row(11, 3))
    assert.same({ 1, 2, 3 }, field(events, "seq"))
    assert.same({ 1618677827.119, 1618677821.119, 1618677828.119 }, field(events, "time"))
    assert.same({ 1618677827.119, 1618677827.119, 1618677828.119 }, field(events, "now"))
  end)

  it("is the same however the pieces are cut that are read", function()
    local lines = { HEADER }
    for i = 1, 20000 do
      lines[#lines + 1] = row(i / 1000, i, tostring(i / 100))
    end
    local events = play_text(table.concat(lines))
    assert.equal(20000, #events)
    for i = 1, 20000 do
      assert.equal(i, events[i].seq)
      assert.equal(i / 100, events[i].data.price)
    end
  end)

  it("skips broken lines, says which, and counts them", function()
    local broken = {
      "garbage", "a,1,2", "a,x,1,t,f,1,1", "a,1,x,t,f,1,1", "a,1,1,y,f,1,1", "a,1,1,t,y,1,1", "a,1,1,t,f,x,1",
      "a,1,1,t,f,1,x", "a,1,1,t,f,1,1,1", "a,1,1.5,t,f,1,1", "a,1,1,t,f,1e999,1", "a,1,1,t,f,nan,1", ",1,1,t,f,1,1",
      "\0\255,1,1", ",,,,,,",
    }
    local text = { HEADER, row(0, 1) }
    for i, line in ipairs(broken) do
      text[#text + 1] = line .. "\n" .. row(i, i + 1)
    end
    local events, result = play_text(table.concat(text))
    assert.equal(#broken + 1, #events)
    assert.equal(#broken, result.feed:statistics().broken)
    assert.matches("r.csv:3: book,ts,seq,is_trade,is_bid,price,size expected; the line is skipped", result.said[1], 1,
      true)
    assert.matches("r.csv:5: ", result.said[2], 1, true)
  end)

  it("ends at more broken lines than it may have", function()
    local events, result = play_text(HEADER .. row(0, 1) .. "x\n" .. row(1, 2) .. "y\n" .. row(2, 3), "#broken=1")
    assert.same({ 1, 2 }, field(events, "seq"))
    assert.same({ "EPROTO" }, { result.code, result.done })
    assert.matches("r.csv:5: ", result.message, 1, true)
    assert.matches("broken=N allows more", result.message, 1, true)
    local _, strict = play_text(HEADER .. "x\n", "#broken=0")
    assert.matches("r.csv:2: ", strict.message, 1, true)
  end)

  it("refuses a line without end", function()
    local _, result = play_text(HEADER .. ("x"):rep(5 * 1024 * 1024))
    assert.matches("r.csv:2: a line of more than", result.message, 1, true)
    assert.equal("EPROTO", result.code)
  end)

  it("tells gaps, duplicates and late numbers apart", function()
    local text = { HEADER }
    for i, seq in ipairs { 1, 2, 6, 4, 6, 7 } do
      text[#text + 1] = row(i, seq)
    end
    local events, result = play_text(table.concat(text))
    assert.same({ 1, 2, 6, 4, 6, 7 }, field(events, "seq"))
    local statistics = result.feed:statistics()
    assert.same({ 1, 2, 1, 1 }, { statistics.gaps, statistics.lost, statistics.reordered, statistics.duplicates })
    assert.same({ "book btc_usd: 3 lost between 2 and 6", "book btc_usd: 4 came late, after 6",
      "book btc_usd: 6 came again, after 6" }, result.said)
    local _, silent = play_text(table.concat(text), "#gaps=off")
    assert.same({ {}, 0 }, { silent.said, silent.feed:statistics().gaps })
  end)

  it("reads other tables by their header", function()
    local events = play_text("time,symbol,open,close,note\n2021-02-22T00:00:00Z,ABC,1.5,2,x\n"
      .. "2021-02-22T00:01:00Z,XYZ,3,true,\n")
    assert.same({ "ABC", "XYZ" }, field(events, "stream"))
    assert.same({ 1613952000, 1613952060 }, field(events, "time"))
    assert.same({ time = "2021-02-22T00:00:00Z", symbol = "ABC", open = 1.5, close = 2, note = "x" }, events[1].data)
    assert.same({ true, "" }, { events[2].data.close, events[2].data.note })
  end)

  it("takes columns by other names", function()
    local events = play_text("at,what,n,v\n1618677817,a,5,1\n", "#time=at&stream=what&seq=n")
    assert.same({ stream = "a", time = 1618677817, seq = 5 },
      { stream = events[1].stream, time = events[1].time, seq = events[1].seq })
  end)

  it("reads recorded messages", function()
    local events = play_text([[
{"at":1633998512.06,"message":{"stream":"a@depth","data":{"e":"depthUpdate","U":1,"u":2}}}
{"at":1633998512.56,"message":{"stream":"a@depth","data":{"e":"depthUpdate","U":3,"u":3}}}
{"broken
{"book":"b","ts":1633998513,"seq":1,"is_trade":true,"is_bid":true,"price":1,"size":2}
{"plain":1}
]], nil, "r.jsonl")
    assert.same({ "a@depth", "a@depth", "b", "replay" }, field(events, "stream"))
    assert.same({ 1633998512.06, 1633998512.56, 1633998513, 1633998513 }, field(events, "time"))
    assert.same({ ts = 1633998513, seq = 1, is_trade = true, is_bid = true, price = 1, size = 2 }, events[3].data)
  end)

  it("never has the whole file in memory", function()
    local lines = { HEADER }
    for i = 1, 100000 do
      lines[#lines + 1] = row(0, i)
    end
    local text = table.concat(lines)
    local folder <close> = Folder.new { ["r.csv"] = text }
    local size, most = #text, 0
    lines, text = nil, nil -- luacheck: ignore
    collectgarbage()
    local before = collectgarbage "count"
    local feed = assert(feeds.open("replay:" .. folder.path .. "/r.csv"))
    feed:run(function(_, _, _, seq)
      if seq % 5000 == 0 then
        collectgarbage()
        most = math.max(most, collectgarbage "count" - before)
      end
    end)
    assert.is_true(size > 3e6)
    assert.is_true(most * 1024 < 1.5e6, ("%.0f KiB"):format(most))
  end)

  it("lets others run meanwhile", function()
    local lines = { HEADER }
    for i = 1, 50000 do
      lines[#lines + 1] = row(0, i)
    end
    local folder <close> = Folder.new { ["r.csv"] = table.concat(lines) }
    local turns, done = 0, false
    local other = async.create_task(function()
      while not done do
        turns = turns + 1
        async.sleep(0)
      end
    end)
    play(folder.path .. "/r.csv")
    done = true
    other:await()
    assert.is_true(turns > 5)
  end)

  it("leaves no file open, wherever it is closed or its sink fails", function()
    local descriptors = require "spec.support.descriptors"
    local folder <close> = Folder.new { ["r.csv"] = HEADER .. row(0, 1) .. row(1, 2) .. row(2, 3) }
    local url = "replay:" .. folder.path .. "/r.csv"
    local before = descriptors()
    for turn = 0, 12 do
      local feed = assert(feeds.open(url))
      local task = async.create_task(feed.run, feed, function() end)
      for _ = 1, turn do
        async.sleep(0)
      end
      feed:close()
      feed:close()
      assert.equal("ECANCELED", select(3, task:await()))
    end
    local feed = assert(feeds.open(url))
    assert.error_matches(function()
      feed:run(function()
        error "sink"
      end)
    end, "sink")
    async.sleep(0.1)
    assert.equal(before, descriptors())
  end)

  it("is a day in a moment, with units that see its times", function()
    local lines = { HEADER }
    for i = 0, 24 * 60 + 1 do
      lines[#lines + 1] = row(i * 60, i + 1)
    end
    local units <close> = UnitFolder.new { ["r.csv"] = table.concat(lines), ["mm.lua"] = [[
      return { version = 1, subscribe = { "btc_usd" },
        init = function(ctx, st)
          st.began, st.hours = ctx:now(), 0
          ctx:timer("hour", 3600, function() st.hours = st.hours + 1 end)
        end,
        on_event = function(ctx, st, m)
          if ctx:now() ~= m.time or m.time ~= m.data.ts then ctx:emit("out", "now") end
          st.count, st.last = m.seq, m.time
        end }]] }
    units.runtime:add_feed(assert(feeds.open("replay:" .. units.folder.path .. "/r.csv")), { held = true })
    assert.equal("committed", units:start("mm").verdict)
    require("strobe.testing").clock.prolong(100000)
    units.runtime:run_feeds()
    assert.is_true(units.runtime:wait_feeds())
    assert.same({}, units:values())
    local st = units.runtime.units.mm.run.st
    assert.same({ 1442, 24, 1618677817.119, 1618677817.119 + 86460 }, { st.count, st.hours, st.began, st.last })
  end)
end)
