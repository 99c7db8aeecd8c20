--- A console on a terminal: from a key to the screen, alone and with 50,000 ticks a second in the same process; how
-- long until there is a prompt, and the memory that it then has. The terminal is spec/support/pty.c.
-- usage: strobe console/keys.lua KEYS
local async = require "strobe.async"
local program = require("strobe.core.host").program
local time = require "strobe.core.time"
local here = arg[0]:match("^.*/") or ""
local measure = dofile(here .. "../measure.lua")

local KEYS, RATE, ROUNDS = tonumber(arg[1]), 50000, 5
local PIPE = async.subprocess.PIPE

-- --- A terminal ----------------------------------------------------------------------------------

local function open(...)
  local words = {"24", "80", "env", "TERM=xterm", "HOME=/nonexistent", program, ...}
  words[#words + 1] = {stdin = PIPE, stdout = PIPE, stderr = PIPE}
  return async.create_subprocess_exec(program:gsub("[^/]*$", "") .. "pty", table.unpack(words))
end

local function press(pty, keys)
  pty.stdin:write(("type %d\n%s"):format(#keys, keys))
end

-- Reads until a text is there; returns when it was.
local function wait_for(pty, text)
  local seen = ""
  while not seen:find(text, 1, true) do
    seen = seen .. pty.stdout:read(65536)
  end
  return time.real()
end

local function resident(pid)
  for line in io.lines(("/proc/%d/status"):format(pid)) do
    local kilobytes = line:match("^VmRSS:%s+(%d+)")
    if kilobytes then return kilobytes / 1024 end
  end
end

local function close(pty)
  pty.stdin:close()
  pty:wait()
end

local function percentile(list, part)
  table.sort(list)
  return list[math.max(1, math.ceil(#list * part))]
end

-- --- Works ---------------------------------------------------------------------------------------

-- Seconds from each key to the screen. Each key is followed by its opposite, so that the line stays short.
local function press_keys(pty)
  local delays = {}
  for i = 1, KEYS do
    local key = string.char(97 + i % 26)
    local began = time.real()
    press(pty, key)
    delays[i] = wait_for(pty, key) - began
    press(pty, "\21") -- Ctrl-U
    async.sleep(0.002 + i % 7 * 0.0007) -- at no fixed place between two ticks
  end
  return delays
end

local function tell(name, delays)
  measure.result(name .. "_p50_us", percentile(delays, 0.5) * 1e6, "us")
  measure.result(name .. "_p99_us", percentile(delays, 0.99) * 1e6, "us")
end

local function start()
  local began = time.real()
  local pty = open("repl", "--norc")
  return pty, wait_for(pty, "> ") - began
end

local least = math.huge
for _ = 1, ROUNDS do
  local pty, seconds = start()
  least = math.min(least, seconds)
  close(pty)
end
measure.result("console_start_ms", least * 1e3, "ms")

local idle = start()
local pid = tonumber((idle.stderr:readline():match("pid (%d+)")))
async.sleep(0.5)
measure.result("console_idle_mb", resident(pid), "MB")
tell("console_key", press_keys(idle))
close(idle)

local busy = open("-i", here .. "flow.lua", tostring(RATE))
wait_for(busy, "> ")
tell("console_key_ticks", press_keys(busy))
press(busy, "require('strobe.live').runtime().units.bench.run.st.count > 1000\r")
wait_for(busy, "\ntrue")
press(busy, "bench_feed:cancel() getmetatable(bench_folder).__close(bench_folder)\r:q\r")
close(busy)
