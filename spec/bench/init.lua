--- Benchmarks: strobe beside the same program on asyncio, uvloop, Node and C, in turn on
-- this machine; a table of ratios with the project's targets. Nothing here is a timed test:
-- a missed target is printed, not a failure. Exits 1 when a program fails.
local USAGE = [[
usage: strobe spec/bench/init.lua [OPTION…] [WORK…]

  WORK          switch spawn subprocess sleepers echo ws ws_idle ws_crowd ws_faults http
                http_client http_faults ticks poll stdin gpio executors feeds broker editor live reload
                attach; all of them if none is named
  --quick       smaller sizes, one round
  --rounds N    how often each program runs, in turn; the best counts (3)
  --cores HOW   where server and client of echo and poll run: shared, one core for both (the
                default, and the steadiest), apart, a core each, or free
  --json FILE   also write all figures to FILE
  --strobe PATH the executable to measure; else the one that runs this, or $STROBE
]]

local here = arg[0]:match("^.*/") or ""
package.path = here .. "?.lua;" .. package.path
local Contest = require "runner.contest"
local Machine = require "runner.machine"
local Report = require "runner.report"
local Works = require "runner.works"
local shell = require "runner.shell"

local function say(text)
  io.stderr:write(text, "\n")
end

local function refuse(text)
  say("bench: " .. text .. "\n" .. USAGE)
  os.exit(2)
end

local function number_of(option, word)
  local n = math.tointeger(tonumber(word))
  if not n or n < 1 then refuse(option .. " needs a number from 1") end
  return n
end

local VALUED = {["--rounds"] = true, ["--cores"] = true, ["--json"] = true, ["--strobe"] = true}

local function parse(words)
  local options, i = {names = {}}, 1
  while words[i] do
    local word = words[i]
    if word == "--quick" then
      options.quick = true
    elseif VALUED[word] then
      i = i + 1
      options[word:sub(3)] = words[i] or refuse(word .. " needs a value")
    elseif word == "--help" then
      io.write(USAGE)
      os.exit(0)
    elseif word:find("^-") then
      refuse("unknown option " .. word)
    else
      options.names[#options.names + 1] = word
    end
    i = i + 1
  end
  options.rounds = options.rounds and number_of("--rounds", options.rounds)
  return options
end

--- The executable to measure: the one named, the one that runs this, $STROBE; nil if none.
local function find_strobe(named)
  local mine = shell.ask("readlink /proc/$PPID/exe") or ""
  local path = named or (mine:find("/strobe$") and mine) or os.getenv("STROBE")
  if not path then return end
  local file = io.open(path)
  if not file then refuse("there is no executable " .. path) end
  file:close()
  return path
end

--- The works that are named, all when none is.
local function choose(works, names)
  if #names == 0 then return works end
  local by_name, chosen = {}, {}
  for _, work in ipairs(works) do by_name[work.name] = work end
  for i, name in ipairs(names) do chosen[i] = by_name[name] or refuse("no work " .. name) end
  return chosen
end

--- Prepares the peers; what cannot run, and why.
local function set_up(strobe)
  local skipped = {}
  local ok, output = shell.run(shell.quote(here .. "peers/setup.sh"))
  if not ok then refuse("peers/setup.sh failed: " .. output) end
  for names, reason in output:gmatch("SKIP ([^:\n]+): ([^\n]*)") do
    for name in names:gmatch("%S+") do skipped[name] = reason end
  end
  if not strobe then skipped.strobe = "there is no executable yet; see --strobe" end
  for name, reason in pairs(skipped) do say(("skipped %s: %s"):format(name, reason)) end
  return skipped
end

local function write_json(path, text)
  local file, message = io.open(path, "w")
  if not file then refuse(message) end
  file:write(text)
  file:close()
end

local function failures(works)
  local count = 0
  for _, work in ipairs(works) do
    for _, contestant in ipairs(work.contestants) do
      if contestant.failed and not contestant.may_fail then count = count + 1 end
    end
  end
  return count
end

local options = parse(arg)
local strobe = find_strobe(options.strobe)
local all = Works.all(here, strobe, options.quick or false, options.cores or "shared")
local works = choose(all or refuse("--cores takes shared, apart or free"), options.names)
local skipped = set_up(strobe)
local machine = Machine.facts(here, strobe)
machine[#machine + 1] = {"cores for echo and poll", options.cores or "shared"}

for _, work in ipairs(works) do
  local rounds = options.rounds or options.quick and 1 or work.rounds or 3
  Contest.hold(work, rounds, skipped, say)
end

for _, fact in ipairs(machine) do print(("%s: %s"):format(fact[1], fact[2])) end
print("\n" .. Report.table(works))
if options.json then
  write_json(options.json, Report.json(works, machine, options.quick or false))
end
os.exit(failures(works) == 0)
