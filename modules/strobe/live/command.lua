--- `strobe live`: runs units on feeds, and exchanges their code while they run.

local host = require "strobe.core.host"
local options = require "strobe.live.command.options"

local command = {}

command.usage = [[
usage: strobe live [NAME=]UNIT.lua ... --feed [NAME=]URL ... [options]
  runs units (files that return a table: strobe help live) on the events of feeds; all of them start, or none.
  Edit a file and reload: the new code takes over between two events, with the old state; a bad file is refused, and
  the old code goes on.
feeds:
  --feed tectonic://HOST[:PORT]/BOOK[,BOOK...]   ticks of a TectonicDB server
  --feed ws://... or wss://...                   JSON messages of a WebSocket
  --feed replay:FILE.csv|FILE.jsonl              a recording; with --clock=virtual a day in seconds
  --feed synthetic:SEED                          a random walk, the same for the same seed
  --feed stdin:                                  JSON lines, or CSV
reloading:
  --watch                  as soon as a file is saved (else: strobe reload, or SIGHUP without a terminal)
  --drain S                wait so long for the handler at work (2)
  --on-drain abort|cancel  what becomes of one that takes longer: the reload is refused (abort), or it is cut short
  --probation N/S|off      new code can be undone until N events and S seconds are over (50/30)
units:
  --root DIR               modules are looked for here, and files lie below it (the folder of each unit)
  --inbox N                events that may wait (65536)
  --policy block|drop_oldest|latest   what happens when so many do (block: the feed is not read)
  --quota S                a handler that goes on so long without waiting is interrupted (0.5, of processor time)
  --flight DIR             what happened last to a unit is written here when it fails, or is rolled back
                           ($XDG_STATE_HOME/strobe/flight)
  --setup FILE             Lua that runs first: live.port("name", { send = f, query = f }) of require "strobe.live"
trading:
  --broker paper[:JOURNAL]|none   orders are matched against the ticks, and journaled (paper, if a unit uses ctx.orders)
  --cash N                 what the paper account begins with; buys for more are refused (without it none is)
  --fee F                  the part of its value that a fill costs (0)
  --report OUT.html        trades and equity of the run, at its end; OUT.json beside it
also:
  --attach rw|ro|off       what strobe reload and ps may do: all, look on, nothing (rw)
  --no-eval                nobody may run code through these
  --json                   on stdout one object per line: each report, and {"unit":...,"out":...} for what units print
  --clock=live|virtual|xN, --seed N
exit status: 0 at the end of all feeds, or by SIGTERM; 1 if a unit does not start, or gave up; 2 usage; 130 by Ctrl-C]]

local function fail(message)
  io.stderr:write("strobe: live: ", message, "; see 'strobe live --help'\n")
  return 2
end

-- The status of the run, or that of what went wrong around it. Who reads stdout may go at any time.
local BROKEN = 141

local function combined(status, around)
  if status == nil then
    return around
  elseif status == 0 and around ~= BROKEN then
    return around
  end
  return status
end

--- `strobe live UNIT.lua … --feed URL …`
---@async
---@param words string[]
---@return integer status
function command.main(words)
  local read, message = options.read(words)
  if not read then
    return fail(message)
  elseif read.help then
    print(command.usage)
    return 0
  end
  message = read.clock and require("strobe.command").set_clock(read.clock)
  if message then
    return fail(message)
  end
  local usual, status = host.slow_step(), nil
  host.slow_step(math.huge) -- nothing runs beside it before the units do
  local around = require("strobe.script").run(function()
    status = require("strobe.live.command.session").run(read, usual)
  end)
  return combined(status, around)
end

return command
