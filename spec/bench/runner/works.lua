--- The works: for each the programs of strobe and of its peers, what they report, and the
-- targets of the project.
--
-- A work is {name, title, results, contestants}; with `faults`, their names, it has a table of
-- its own.
-- A result is {name, better = "less"|"more"}, with `targets`, by contestant, the ratio strobe
-- has to reach; or with `limit`, the most strobe's own figure may be, or `least` (peers are then
-- not shown); `peers`, by contestant, are those who have this figure, if not all.
-- A contestant is {name, command, needs, may_fail}: the command may be a list, all of which are
-- run; needs are names that peers/setup.sh may skip; what may fail is shown as failed, no more.
local alone = require "runner.alone"
local shell = require "runner.shell"

local Works = {}

--- Where server and client run. Left to the system they meet on one core in one run and not in
-- the next, which doubles or halves every figure; on two cores the wake-up across them hides
-- most of what the program itself costs.
local PLACES = {
  shared = {server = "taskset -c 0 ", client = "taskset -c 0 ", title = ", on one core"},
  apart = {server = "taskset -c 0 ", client = "taskset -c 1 ", title = ", a core each"},
  free = {server = "", client = "", title = ""},
}

--- The ways to call the programs of the contestants.
local function programs(here, strobe, cores)
  local built = here .. "../../build/bench/"
  local peers = here .. "peers/"
  local program = {}

  function program.strobe(file, ...)
    return shell.line(strobe or "strobe", here .. file, ...)
  end
  function program.asyncio(file, ...)
    return shell.line(built .. "venv/bin/python", peers .. "asyncio_" .. file, ...)
  end
  function program.uvloop(file, ...)
    return program.asyncio(file, "--loop", "uvloop", ...)
  end
  function program.node(file, ...)
    return shell.line("node", peers .. "node_" .. file, ...)
  end
  function program.websockets(file, ...)
    return shell.line(built .. "venv/bin/python", peers .. "websockets_" .. file, ...)
  end
  function program.node_ws(file)
    return shell.line("env", "NODE_PATH=" .. built .. "node_modules", "node", "--expose-gc",
      peers .. "ws_" .. file)
  end
  function program.node_hello()
    return shell.line("node", "--expose-gc", peers .. "node_hello.js")
  end
  function program.aiohttp_client(...)
    return shell.line(built .. "venv/bin/python", peers .. "aiohttp_client.py", ...)
  end
  function program.aiohttp(...)
    return shell.line(built .. "venv/bin/python", peers .. "aiohttp_hello.py", ...)
  end
  function program.gpiozero(...)
    return shell.line(built .. "venv/bin/python", peers .. "gpiozero_edges.py", ...)
  end
  function program.icarus(...)
    return shell.line(peers .. "icarus.sh", built .. "icarus_divider", ...)
  end
  function program.load(file, ...)
    return shell.line(here .. "load/" .. file, ...)
  end
  function program.built(file, ...)
    return shell.line(built .. file, ...)
  end
  --- A client against a server, whose port and process are the client's words @PORT and @PID.
  function program.drive(server, client, place)
    client = client:gsub("@PORT", '"$PORT"'):gsub("@PID", '"$PID"')
    return shell.line(here .. "load/drive.sh", place.server .. server, place.client .. client)
  end
  program.place = PLACES[cores]
  return program
end

local function switch(program, quick)
  local count = quick and 1000 or 5000
  return {
    name = "switch", title = "task switch, 100 tasks",
    results = {
      {name = "switch_ns", better = "less",
        targets = {asyncio = 15, uvloop = 8, ["Node microtask"] = 1}},
    },
    contestants = {
      {name = "strobe", command = program.strobe("switch.lua", count), needs = {"strobe"}},
      {name = "asyncio", command = program.asyncio("switch.py", count), needs = {"asyncio"}},
      {name = "uvloop", command = program.uvloop("switch.py", count), needs = {"uvloop"}},
      {name = "Node microtask", command = program.node("switch.js", "microtask", count),
        needs = {"node"}},
      {name = "bare lua_resume in C", command = program.built("lua_switch", count),
        needs = {"lua_switch"}},
      {name = "Node setImmediate", command = program.node("switch.js", "immediate", count),
        needs = {"node"}},
    },
  }
end

local function spawn(program, quick)
  local count = quick and 10000 or 50000
  local targets = {asyncio = 8, Node = 1}
  return {
    name = "spawn", title = "spawn + join of an empty task",
    results = {
      {name = "spawn_ns", better = "less", targets = targets},
      {name = "spawn_batch_ns", better = "less", targets = targets},
    },
    contestants = {
      {name = "strobe", command = program.strobe("spawn.lua", count), needs = {"strobe"}},
      {name = "asyncio", command = program.asyncio("spawn.py", count), needs = {"asyncio"}},
      {name = "uvloop", command = program.uvloop("spawn.py", count), needs = {"uvloop"}},
      {name = "Node", command = program.node("spawn.js", count), needs = {"node"}},
    },
  }
end

--- The Python peers take fewer sleepers, because of their memory; hence figures for each.
local function subprocess(program, quick)
  local count = quick and 32 or 160
  return {
    name = "subprocess", title = "start /bin/true and wait for its end",
    results = {
      {name = "subprocess_per_s", better = "more", targets = {}},
      {name = "subprocess_batch_per_s", better = "more", targets = {}},
    },
    contestants = {
      {name = "strobe", command = program.strobe("subprocess.lua", count), needs = {"strobe"}},
      {name = "asyncio", command = program.asyncio("subprocess.py", count), needs = {"asyncio"}},
      {name = "uvloop", command = program.uvloop("subprocess.py", count), needs = {"uvloop"}},
    },
  }
end

local function sleepers(program, quick)
  local count, seconds = quick and 100000 or 1000000, quick and 2 or 10
  local fewer = quick and 50000 or 200000
  return {
    name = "sleepers", title = quick and "100,000 sleepers" or "1,000,000 sleepers", rounds = 2,
    results = {
      {name = "sleeper_bytes", better = "less", targets = {}},
      {name = "sleeper_bytes", better = "less", limit = 1100},
      {name = "wake_each_us", better = "less", targets = {}},
      {name = "wake_all_s", better = "less", limit = 2 * count / 1000000},
    },
    contestants = {
      {name = "strobe", command = program.strobe("sleepers.lua", count, seconds),
        needs = {"strobe"}},
      {name = "asyncio", command = program.asyncio("sleepers.py", fewer, seconds),
        needs = {"asyncio"}},
      {name = "uvloop", command = program.uvloop("sleepers.py", fewer, seconds),
        needs = {"uvloop"}},
      {name = "Node", command = program.node("sleepers.js", count, seconds), needs = {"node"}},
    },
  }
end

--- The same program as strobe's is that of the streams, so the asyncio target is theirs.
local function echo(program, quick)
  local load = program.built("echo_load", "@PORT", "@PID", quick and 300 or 500)
  local function serve(name, server, need)
    return {name = name, command = program.drive(server, load, program.place),
      needs = {need, "echo_load"}}
  end
  return {
    name = "echo", title = "TCP echo, 64 B" .. program.place.title,
    results = {
      {name = "echo_per_cpu_s", better = "more",
        targets = {["asyncio streams"] = 4, Node = 1.5, ["C libuv"] = 0.8}},
      {name = "echo_per_s", better = "more", targets = {}},
    },
    contestants = {
      serve("strobe", program.strobe("echo_server.lua"), "strobe"),
      serve("asyncio streams", program.asyncio("echo.py", "streams"), "asyncio"),
      serve("asyncio Protocol", program.asyncio("echo.py", "protocol"), "asyncio"),
      serve("uvloop streams", program.uvloop("echo.py", "streams"), "uvloop"),
      serve("uvloop Protocol", program.uvloop("echo.py", "protocol"), "uvloop"),
      serve("Node", program.node("echo.js"), "node"),
      serve("C libuv", program.built("libuv_echo"), "libuv_echo"),
    },
  }
end

--- The load is four mixes in turn: 8 connections with 64 messages of 64 B in flight on each; 8 with
--- 32 of 1 KiB; 4 with 4 of 64 KiB; and 64 with one of 64 B.
local function ws(program, quick)
  local load = program.built("ws_load", "@PORT", "@PID", quick and 200 or 500)
  local function serve(name, server, needs)
    return {name = name, command = program.drive(server, load, program.place), needs = needs}
  end
  return {
    name = "ws", title = "WebSocket echo" .. program.place.title,
    results = {
      {name = "ws_64_per_cpu_s", better = "more", targets = {["Node ws"] = 8, websockets = 8}},
      {name = "ws_1k_per_cpu_s", better = "more", targets = {}},
      {name = "ws_64k_per_cpu_s", better = "more", targets = {}},
      {name = "ws_single_per_cpu_s", better = "more", targets = {["Node ws"] = 1.3}},
    },
    contestants = {
      serve("strobe", program.strobe("ws_echo.lua"), {"strobe", "ws_load"}),
      serve("websockets", program.websockets("echo.py"), {"asyncio", "websockets", "ws_load"}),
      serve("websockets, uvloop", program.websockets("echo.py", "--loop", "uvloop"),
        {"uvloop", "websockets", "ws_load"}),
      serve("Node ws", program.node_ws("echo.js"), {"node", "node_ws", "ws_load"}),
    },
  }
end

--- The servers of ws_idle, ws_crowd and ws_faults, which count. `command(server, lenient)` makes
--- the contestant's command; peers are asked for less, and may fail.
local function counting_servers(program, load, command)
  local python = program.websockets("counter.py", "--loop", "uvloop")
  local function serve(name, server, needs)
    needs[#needs + 1] = load
    return {name = name, command = command(server, name ~= "strobe"), needs = needs,
      may_fail = name ~= "strobe"}
  end
  return {
    serve("strobe", program.strobe("ws_counter.lua"), {"strobe"}),
    serve("websockets, uvloop", python, {"uvloop", "websockets"}),
    serve("Node ws", program.node_ws("counter.js"), {"node", "node_ws"}),
  }
end

--- Strobe's share of the language's objects, and the rest, are figures of its own.
local function ws_idle(program, quick)
  local count = quick and 2000 or 10000
  return {
    name = "ws_idle", title = quick and "2,000 idle WebSockets" or "10,000 idle WebSockets", rounds = 1,
    results = {
      {name = "idle_bytes", better = "less", targets = {}},
      {name = "idle_heap_bytes", better = "less", targets = {}},
      {name = "idle_rest_bytes", better = "less", targets = {}},
      {name = "idle_left_bytes", better = "less", targets = {}},
    },
    contestants = counting_servers(program, "ws_idle", function(server, lenient)
      local load = program.built("ws_idle", "@PORT", "@PID", count, lenient and "lenient" or nil)
      return program.drive(server, load, PLACES.apart)
    end),
  }
end

local function ws_crowd(program, quick)
  local load = program.built("ws_crowd", "@PORT", "@PID", quick and 500 or 3000)
  return {
    name = "ws_crowd", title = "1,000 WebSockets, 64 B" .. program.place.title, rounds = 2,
    results = {
      {name = "crowd_per_s", better = "more", targets = {}},
      {name = "crowd_per_cpu_s", better = "more", targets = {}},
      {name = "crowd_p50_ms", better = "less", targets = {}},
      {name = "crowd_p99_ms", better = "less", targets = {}},
      {name = "crowd_max_ms", better = "less", targets = {}},
    },
    contestants = counting_servers(program, "ws_crowd", function(server)
      return program.drive(server, load, program.place)
    end),
  }
end

local WS_FAULTS = {
  "quiet", "vanish", "reset", "half_close", "knock", "pings", "slow_echo", "slow_broadcast",
  "slowloris", "huge", "fragments", "garbage",
}

--- What somebody who does nothing wrong sees during each fault: how long an exchange takes, how
--- many there are in a second (it pauses for a millisecond after each); and the server's memory.
local FAULT_FIGURES = {
  {suffix = "_p99_ms", better = "less"}, {suffix = "_max_ms", better = "less"},
  {suffix = "_per_s", better = "more"}, {suffix = "_mib", better = "less"},
}

local function fault_results(names)
  local results = {}
  for _, name in ipairs(names) do
    for _, figure in ipairs(FAULT_FIGURES) do
      results[#results + 1] = {name = name .. figure.suffix, better = figure.better, targets = {}}
    end
  end
  return results
end

--- Each fault meets a server that has just begun.
local function faults_command(program, server, load, names, ...)
  local commands = {}
  for i, name in ipairs(names) do
    local client = program.built(load, "@PORT", "@PID", name, ...)
    commands[i] = program.drive(server, client, PLACES.apart)
  end
  return commands
end

local function ws_faults(program, quick)
  return {
    name = "ws_faults", title = "bad WebSocket peers", rounds = 1,
    results = fault_results(WS_FAULTS), faults = WS_FAULTS,
    contestants = counting_servers(program, "ws_faults", function(server, lenient)
      return faults_command(program, server, "ws_faults", WS_FAULTS, quick and "quick" or "full",
        lenient and "lenient" or nil)
    end),
  }
end

--- wrk and the server share a core, as elsewhere: 64 connections, one request in flight on each.
local function http(program, quick)
  local load = program.load("wrk.sh", "@PORT", "@PID", quick and 1 or 4)
  local function serve(name, server, needs)
    needs[#needs + 1] = "wrk"
    return {name = name, command = program.drive(server, load, program.place), needs = needs}
  end
  return {
    name = "http", title = "HTTP hello, 64 connections" .. program.place.title,
    results = {
      {name = "http_per_cpu_s", better = "more", targets = {}},
      {name = "http_per_s", better = "more", targets = {}},
      {name = "http_p99_ms", better = "less", targets = {}},
    },
    contestants = {
      serve("strobe", program.strobe("load/http_hello.lua"), {"strobe"}),
      serve("aiohttp", program.aiohttp(), {"asyncio", "aiohttp"}),
      serve("aiohttp, uvloop", program.aiohttp("--loop", "uvloop"), {"uvloop", "aiohttp"}),
      serve("Node", program.node_hello(), {"node"}),
    },
  }
end

local HTTP_FAULTS = {
  "quiet", "vanish", "reset", "half_close", "knock", "slowloris", "slow_read", "huge_body",
  "huge_head", "garbage",
}

local function http_client(program, quick)
  local server = program.built("http_server")
  local count = quick and 3200 or 16000
  local function call(name, client, needs)
    needs[#needs + 1] = "http_server"
    return {name = name, command = program.drive(server, client, program.place), needs = needs}
  end
  return {
    name = "http_client", title = "HTTP GET, kept alive, 16 at once" .. program.place.title,
    results = {
      {name = "gets_per_cpu_s", better = "more", targets = {}},
      {name = "gets_per_s", better = "more", targets = {}},
    },
    contestants = {
      call("strobe", program.strobe("http_client.lua", "@PORT", count), {"strobe"}),
      call("aiohttp", program.aiohttp_client("@PORT", count), {"asyncio", "aiohttp"}),
      call("aiohttp, uvloop", program.aiohttp_client("--loop", "uvloop", "@PORT", count), {"uvloop", "aiohttp"}),
    },
  }
end

local function http_faults(program, quick)
  local function serve(name, server, needs)
    local peer = name ~= "strobe"
    local command = faults_command(program, server, "http_faults", HTTP_FAULTS,
      quick and "quick" or "full", peer and "lenient" or nil)
    needs[#needs + 1] = "http_faults"
    return {name = name, command = command, needs = needs, may_fail = peer}
  end
  return {
    name = "http_faults", title = "bad HTTP clients", rounds = 1,
    results = fault_results(HTTP_FAULTS), faults = HTTP_FAULTS,
    contestants = {
      serve("strobe", program.strobe("load/http_hello.lua"), {"strobe"}),
      serve("aiohttp, uvloop", program.aiohttp("--loop", "uvloop"), {"uvloop", "aiohttp"}),
      serve("Node", program.node_hello(), {"node"}),
    },
  }
end

local function ticks(program, quick)
  local count = quick and 50000 or 200000
  local source = program.built("ticks_load", count)
  local function read(name, client, need)
    return {name = name, command = program.drive(source, client, PLACES.free),
      needs = {need, "ticks_load"}}
  end
  local targets = {["asyncio chunks"] = 2, ["asyncio lines"] = 2, Node = 1}
  return {
    name = "ticks", title = "newline JSON ticks",
    results = {
      {name = "ticks_per_s", better = "more", targets = targets},
      {name = "ticks_per_cpu_s", better = "more", targets = {}},
    },
    contestants = {
      read("strobe", program.strobe("ticks.lua", "@PORT", count), "strobe"),
      read("asyncio chunks", program.asyncio("ticks.py", "@PORT", count, "chunks"), "asyncio"),
      read("asyncio lines", program.asyncio("ticks.py", "@PORT", count, "lines"), "asyncio"),
      read("uvloop chunks", program.uvloop("ticks.py", "@PORT", count, "chunks"), "uvloop"),
      read("Node", program.node("ticks.js", "@PORT", count), "node"),
    },
  }
end

local function poll(program, quick)
  local count = quick and 3000 or 10000
  local server = program.built("poll_server")
  local function call(name, client, need)
    return {name = name, command = program.drive(server, client, program.place),
      needs = {need, "poll_server"}}
  end
  return {
    name = "poll", title = "TectonicDB poll loop" .. program.place.title,
    results = {
      {name = "polls_per_s", better = "more", targets = {asyncio = 4}},
      {name = "polls_per_cpu_s", better = "more", targets = {}},
    },
    contestants = {
      call("strobe", program.strobe("poll.lua", "@PORT", count), "strobe"),
      call("asyncio", program.asyncio("poll.py", "@PORT", count), "asyncio"),
      call("uvloop", program.uvloop("poll.py", "@PORT", count), "uvloop"),
      call("Node", program.node("poll.js", "@PORT", count), "node"),
    },
  }
end

--- asyncio reads no files; `for line in sys.stdin`, and io.lines, let nothing else run meanwhile.
local function stdin(program, quick)
  local count = quick and 200000 or 1000000
  local function read(name, command, needs, kinds)
    local commands = {}
    for i, kind in ipairs(kinds or {"pipe", "file"}) do
      commands[i] = program.load("stdin.sh", kind, count, command)
    end
    return {name = name, command = commands, needs = needs}
  end
  local strobe = program.strobe("stdin.lua")
  local file_readers = {["Python, sys.stdin"] = true, ["Node readline"] = true}
  return {
    name = "stdin", title = "lines of standard input",
    results = {
      {name = "pipe_lines_per_s", better = "more", targets = {}},
      {name = "pipe_lines_per_cpu_s", better = "more", targets = {}},
      {name = "file_lines_per_s", better = "more", targets = {}, peers = file_readers},
      {name = "file_lines_per_cpu_s", better = "more", targets = {}, peers = file_readers},
    },
    contestants = {
      read("strobe", strobe, {"strobe"}),
      read("asyncio", program.asyncio("stdin.py"), {"asyncio"}, {"pipe"}),
      read("uvloop", program.uvloop("stdin.py"), {"uvloop"}, {"pipe"}),
      read("Python, sys.stdin", program.asyncio("stdin.py", "--blocking"), {"asyncio"}),
      read("Node readline", program.node("stdin.js"), {"node"}),
    },
  }
end

--- Peers do less in the time; figures are per second.
local function gpio(program, quick)
  local verilog, python = {["Icarus Verilog"] = true}, {gpiozero = true}
  local function least(name, figure)
    return {name = name, better = "more", least = figure}
  end
  local function beside(peers, name)
    return {name = name, better = "more", targets = {}, peers = peers}
  end
  return {
    name = "gpio", title = "circuit board",
    results = {
      least("net_changes_per_s", 8e6), least("callback_edges_per_s", 3e6),
      least("task_edges_per_s", 2e6), least("board_callback_edges_per_s", 3e6),
      least("board_task_edges_per_s", 2e6),
      beside(python, "callback_edges_per_s"), beside(python, "answered_edges_per_s"),
      beside(verilog, "divider_changes_per_s"), beside(verilog, "divider_vcd_changes_per_s"),
      least("lua_divider_changes_per_s"), least("vcd_changes_per_s"),
      least("board_vcd_changes_per_s"),
      least("pins_4096_changes_per_s"), least("tasks_1000_edges_per_s"),
    },
    contestants = {
      {
        name = "strobe", needs = {"strobe", "gpio_engine"},
        command = {
          program.built("gpio_engine", quick and 500000 or 4000000),
          program.strobe("gpio/edges.lua", quick and 100000 or 500000),
          program.strobe("gpio/boards.lua", quick and 100000 or 500000),
        },
      },
      {name = "gpiozero", command = program.gpiozero(quick and 5000 or 40000),
        needs = {"asyncio", "gpiozero"}},
      {name = "Icarus Verilog", command = program.icarus(quick and 200000 or 2000000),
        needs = {"icarus"}},
    },
  }
end

--- Threads of Lua beside Python's threads, which take turns, and its processes, which copy by pickle.
local function executors(program, quick)
  local jobs, size = quick and 2000 or 10000, quick and 22 or 27
  local processes = {ProcessPoolExecutor = true}
  local function beside(name, better, peers)
    return {name = name, better = better, targets = {}, peers = peers}
  end
  return {
    name = "executors", title = "executors",
    results = {
      beside("to_thread_us", "less"), beside("to_thread_table_us", "less"),
      beside("jobs_per_s", "more"), beside("map_calls_per_s", "more"),
      beside("cpu_jobs_per_s", "more"), beside("speed_up", "more"),
      beside("copy_table_us", "less", processes), beside("copy_records_per_s", "more", processes),
      beside("copy_mb_per_s", "more", processes), beside("worker_bytes", "less"),
    },
    contestants = {
      {name = "strobe", command = program.strobe("executors.lua", jobs, size), needs = {"strobe"}},
      {name = "ThreadPoolExecutor", command = program.asyncio("executors.py", "thread", jobs, size),
        needs = {"asyncio"}},
      {name = "ProcessPoolExecutor", command = program.asyncio("executors.py", "process", jobs, size),
        needs = {"asyncio"}},
    },
  }
end

--- All works, in the order of the table.
---@param here string the folder of the benchmarks, ending in a slash
---@param strobe string? the executable, nil when there is none yet
---@param quick boolean smaller sizes
---@param cores "shared"|"apart"|"free" where server and client of echo, ws and poll run
---@return table[]? works nil for another word in `cores`
function Works.all(here, strobe, quick, cores)
  if not PLACES[cores] then return end
  local program = programs(here, strobe, cores)
  local works = {}
  local all = {
    switch, spawn, subprocess, sleepers, echo, ws, ws_idle, ws_crowd, ws_faults, http, http_client, http_faults,
    ticks, poll, stdin, gpio, executors, alone.feeds, alone.broker, alone.editor,
    alone.live, alone.reload, alone.attach, alone.console,
  }
  for _, work in ipairs(all) do
    works[#works + 1] = work(program, quick)
  end
  return works
end

return Works
