local Page = require "strobe.attach.page"

-- What a process tells after so many seconds: `n` events a second in each.
local function sample(seconds, n)
  return {
    metrics = {
      pid = 42, uptime = 60 + seconds, tasks = 3, lag_p99 = 0.0012, rss = 20 * 1024 * 1024,
      command = "strobe live mm.lua",
      units = { { unit = "mm", gen = 2, state = "running" }, { unit = "late", state = "starting" } },
      metrics = {
        steps = seconds * 1000, lua_bytes = 4 * 1024 * 1024, connections = 1,
        live = { units = { mm = {
          state = "running", on_probation = true, events = seconds * n, failed_events = 1,
          inbox = { fill = 7, size = 100, peak = 12, dropped = 3 },
        } } },
      },
    },
    top = { seconds = 2, tasks = {
      { id = 2, name = "mm", unit = "mm", state = "waiting", runs = 2 * n, time = 0.5, longest = 0.0004,
        waiting_on = { kind = "event", file = "/a/mm.lua", line = 31 } },
      { id = 1, name = "main", state = "running", runs = 2, time = 0.02, longest = 0.002 },
      { id = 3, name = "idle", state = "waiting", runs = 0, time = 0, waiting_on = { kind = "task", task = 2 } },
    } },
    feeds = { { name = "binance", events = seconds * n, age = 0.25, gaps = 1, lost = 2, reconnects = 0 } },
  }
end

describe("the page of strobe top", function()
  it("tells rates of what was between two looks, the busiest task first", function()
    local page = Page.new()
    page:take(sample(10, 1000))
    page:take(sample(12, 1000))
    assert.same({
      "process 42   up 1m 12s   strobe live mm.lua",
      "3 tasks   1,000 steps/s   loop late by 1.20 ms   20.0 MiB, 4.0 of Lua   1 attached",
      "",
      "UNIT  GEN  STATE                EVENTS/S  INBOX  PEAK  DROPPED  FAILED",
      "mm      2  running (probation)     1,000      7    12        3       1",
      "late    -  starting                    -      -     -        -       -",
      "",
      "FEED     EVENTS/S  EVENTS    LAST  GAPS  LOST  RECONNECTS",
      "binance     1,000  12,000  250 ms     1     2           0",
      "",
      "TASK  NAME  UNIT  STATE    TIME  STEPS/S  LONGEST  WAITS FOR",
      "   2  mm    mm    waiting   25%    1,000   400 µs  event at mm.lua:31",
      "   1  main  -     running  1.0%        1  2.00 ms  -",
      "   3  idle  -     waiting    0%        0        -  task 2",
    }, page:lines(100, 40))
  end)

  it("has no rates before the second look", function()
    local page = Page.new()
    assert.same({}, page:lines(80, 24))
    page:take(sample(10, 1000))
    local text = table.concat(page:lines(100, 40), "\n")
    assert.matches("3 tasks   %- steps/s", text)
    assert.matches("\nmm +2 +running %(probation%) +%- ", text)
  end)

  it("has no rate of a feed that it has not seen before", function()
    local page, bare = Page.new(), sample(10, 1000)
    bare.feeds = nil
    page:take(bare)
    page:take(sample(12, 1000))
    assert.matches("\nbinance +%- +12,000 ", table.concat(page:lines(100, 40), "\n"))
  end)

  it("leaves out tables of which there is nothing", function()
    local page, bare = Page.new(), sample(1, 1)
    bare.feeds, bare.metrics.units, bare.metrics.metrics.live = nil, {}, nil
    page:take(bare)
    local text = table.concat(page:lines(100, 40), "\n")
    assert.not_matches("UNIT  GEN", text)
    assert.not_matches("FEED", text)
    assert.matches("TASK  NAME", text)
  end)

  it("fits any screen", function()
    local page = Page.new()
    for seconds = 1, 2 do
      local many = sample(seconds, 10)
      for i = 4, 100 do
        many.top.tasks[i] = { id = i, name = ("task %d"):format(i):rep(9), state = "waiting", runs = i, time = 0 }
        many.metrics.units[i - 1] = { unit = "unit" .. i, state = "starting" }
        many.feeds[i - 2] = { name = "feed" .. i, events = 0 }
      end

      page:take(many)
    end
    for height = 0, 60 do
      local lines = page:lines(80, height)
      assert.is_true(#lines <= height)
      for _, line in ipairs(lines) do
        assert.is_true(utf8.len(line) <= 80)
      end
    end
    local text = table.concat(page:lines(80, 40), "\n")
    assert.matches("\n… %d+ more", text)
    assert.matches("TASK  NAME", text)
  end)
end)
