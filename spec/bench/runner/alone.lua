--- Works that have no peers: nobody else does the same.
-- See works.lua for what a work is.
local alone = {}

--- Nobody else is asked: what others call a feed does other things.
function alone.feeds(program, quick)
  return {
    name = "feeds", title = "feeds of units",
    results = {
      {name = "parse_per_s", better = "more", least = 300000},
      {name = "synthetic_per_s", better = "more"},
      {name = "backtest_per_s", better = "more"},
      {name = "parse_per_cpu_s", better = "more"},
      {name = "synthetic_per_cpu_s", better = "more"},
      {name = "backtest_per_cpu_s", better = "more"},
    },
    contestants = {
      {name = "strobe", command = program.strobe("feeds.lua", quick and 20000 or 200000), needs = {"strobe"}},
    },
  }
end

--- The paper broker has no peers: ticks matched, orders filled, orders that are on the disk.
function alone.broker(program, quick)
  local function more(name)
    return {name = name, better = "more"}
  end
  return {
    name = "broker", title = "paper broker",
    results = {
      more("broker_ticks"), more("broker_ticks_resting"), more("broker_orders"), more("broker_orders_journal"),
    },
    contestants = {
      {name = "strobe", needs = {"strobe"},
        command = program.strobe("broker.lua", quick and 50000 or 200000, quick and 2560 or 19200)},
    },
  }
end

--- The line editor: processor time from a key to the bytes that show it.
function alone.editor(program, quick)
  local results = {}
  for _, text in ipairs {"short", "line", "lines", "wide"} do
    for _, name in ipairs {"key_%s", "key_%s_start", "move_%s"} do
      results[#results + 1] = {name = ("editor_" .. name .. "_us"):format(text), better = "less", limit = 3000}
    end
  end
  for _, name in ipairs {"paste_line", "paste_lines", "paste_wide", "end_line", "end_wide"} do
    results[#results + 1] = {name = "editor_" .. name .. "_ms", better = "less", limit = 25}
  end
  return {
    name = "editor", title = "line editor", results = results,
    contestants = {
      {name = "strobe", command = program.strobe("editor.lua", quick and 200 or 2000), needs = {"strobe"}},
    },
  }
end

--- Units have no peers: nothing else exchanges code between two events.
function alone.live(program, quick)
  local results = {}
  for i, name in ipairs {"live_event", "live_single", "live_journal", "live_batch"} do
    results[2 * i - 1] = {name = name .. "_per_s", better = "more"}
    results[2 * i] = {name = name .. "_per_cpu_s", better = "more"}
  end
  return {
    name = "live", title = "ticks through a unit", results = results,
    contestants = {
      {name = "strobe", command = program.strobe("live/ticks.lua", quick and 20000 or 80000), needs = {"strobe"}},
    },
  }
end

function alone.reload(program, quick)
  return {
    name = "reload", title = "reloads at 100,000 events/s", rounds = 1,
    results = {
      {name = "reload_pause_p50_us", better = "less", limit = 1000},
      {name = "reload_pause_p99_us", better = "less", limit = 1000},
      {name = "reload_pause_max_us", better = "less", limit = 20000},
      {name = "reload_other_late_ms", better = "less", limit = 25},
      {name = "reload_events_per_s", better = "more", least = 99000},
    },
    contestants = {
      {name = "strobe", command = program.strobe("live/reload.lua", quick and 100 or 1000), needs = {"strobe"}},
    },
  }
end

--- What a client that looks on costs a process at 100,000 events a second.
function alone.attach(program, quick)
  local results = {}
  for _, what in ipairs {"alone", "idle", "tail", "top", "watch"} do
    for _, measure in ipairs {"us_per_event", "late_p99_ms", what ~= "alone" and "percent" or nil} do
      results[#results + 1] = {name = ("attach_%s_%s"):format(what, measure), better = "less"}
    end
  end
  return {
    name = "attach", title = "attached clients at 100,000 events/s", results = results, rounds = 1,
    contestants = {
      {name = "strobe", command = program.strobe("attach/target.lua", quick and 0.1 or 0.5), needs = {"strobe"}},
    },
  }
end

--- A console: from a key to the screen, with and without 50,000 ticks a second beside it.
function alone.console(program, quick)
  local function less(name, limit)
    return {name = "console_" .. name, better = "less", limit = limit}
  end
  return {
    name = "console", title = "console on a terminal", rounds = 1,
    results = {
      less("start_ms"), less("idle_mb"), less("key_p50_us"), less("key_p99_us"), less("key_ticks_p50_us"),
      less("key_ticks_p99_us", 25000),
    },
    contestants = {
      {name = "strobe", command = program.strobe("console/keys.lua", quick and 50 or 500), needs = {"strobe"}},
    },
  }
end

return alone
