-- Three components of a circuit, each in a terminal of its own: a clock ticks an IO pin, which tells its toggles
-- to buzzers. They are in scripts/circuit/; copy one and change its loop. The demo is all three on one board.

local arguments = require "strobe.arguments"
local script = require "strobe.script"

local usage = [[
usage: strobe run circuit clock|iopin|buzzer [options]
       strobe run circuit demo [--vcd FILE] [--view] [-t TACKS] [-d SECONDS]
  iopin     listens; flips between 0 and 1 with each tack. Start it first
  clock     sends tacks to the iopin, and prints what it acknowledges
  buzzer    listens to the iopin, and buzzes when that flips to 1
  demo      all three in one process, on a board with wires between them
The iopin tells its name to this machine, or with -s 0.0.0.0 to the network. Without -s and -p the others look for that
name: in STROBE_SERVICES="iopin=HOST:PORT", then on the network, then at 127.0.0.1:8765.
options:
  -s, --host HOST       where the iopin listens (127.0.0.1)
  -p, --port PORT       8765; 0: the iopin takes a free one, and prints it
  -n, --name NAME       the iopin's name, to tell or to look for (iopin)
  --no-announce         the iopin tells nobody
  -t, --tacks TACKS     ends after so many tacks (0: never, which is the default; for the demo that is 10)
  -d, --delay SECONDS   from one tack of the clock to the next (1); 0: as soon as one is acknowledged, in the demo
                        a thousandth of a second
  --vcd FILE            a trace of the demo, for strobe trace FILE, or GTKWave
  --view                shows the demo's board, below its lines]]

local long = { s = "host", p = "port", t = "tacks", d = "delay", n = "name" }

local HOST, PORT, NAME = "127.0.0.1", 8765, "iopin"
local DEMO_TACKS, LEAST_DELAY = 10, 0.001
local PATIENCE = 1.5 -- seconds: a name that was asked for a moment ago is answered after one

-- The words with long names for the options: -p 80, -p80 and -p=80 are --port 80.
local function lengthened(words)
  local list = {}
  for _, word in ipairs(words) do
    local letter, value = word:match "^%-(%a)=?(.*)$"
    local name = long[letter]
    list[#list + 1] = name and "--" .. name .. (value ~= "" and "=" .. value or "") or word
  end
  return list
end

-- Where the pin is: where the options say, where it has announced itself, or else in its usual place.
local function place_of(component, options)
  if options.host or options.port then
    return options.host or HOST, options.port or PORT
  end
  local found, message, code = component:find(options.name or NAME, { discovery = { timeout = PATIENCE } })
  if found then
    return found.host, found.port
  elseif options.name or code == "EINVAL" then
    return nil, message, code
  end
  component:out(("no %s has announced itself: trying %s:%d"):format(NAME, HOST, PORT))
  return HOST, PORT
end

-- Runs a component that connects, by that method of its.
local function go(component, method, options)
  local host, port, code = place_of(component, options)
  if not host then
    return nil, port, code
  end
  return component[method](component, host, port)
end

local runs = {
  iopin = function(options, kind)
    return kind(options.tacks):run(options.host or HOST, options.port or PORT,
      { announce = not options.no_announce and (options.name or NAME) })
  end,
  clock = function(options, kind)
    return go(kind(options.tacks, options.delay), "tick", options)
  end,
  buzzer = function(options, kind)
    return go(kind(options.tacks), "follow", options)
  end,
  demo = function(options, demo)
    return demo.run(options.tacks or DEMO_TACKS, math.max(options.delay, LEAST_DELAY), options)
  end,
}

-- What is wrong with the options for the demo, or for all others, if anything.
local function misplaced_value(role, options)
  local network = options.host or options.port or options.name or options.no_announce
  if role == "demo" and network then
    return "the demo has no network: --host, --port, --name and --no-announce are for the others"
  elseif role == "demo" and options.delay > 0 and options.delay < LEAST_DELAY then
    return ("--delay %g: for the demo 0, or %g or more seconds expected"):format(options.delay, LEAST_DELAY)
  elseif role ~= "demo" and (options.vcd or options.view) then
    return "--vcd and --view are for the demo"
  end
end

-- What is wrong with the options' values, if anything.
local function mistaken_value(options, least_port)
  local port, name = options.port or PORT, options.name or NAME
  if port < least_port or port > 65535 then
    return ("--port %d: a port from %d to 65535 expected"):format(port, least_port)
  elseif #name > 63 or not name:find "^[%w_-]+$" then
    return ("--name %s: letters, digits, - and _ expected, at most 63"):format(name)
  elseif options.tacks and options.tacks < 0 then
    return ("--tacks %d: 0 or more expected"):format(options.tacks)
  elseif not (options.delay >= 0 and options.delay < math.huge) then
    return ("--delay %g: 0 or more seconds expected"):format(options.delay)
  end
end

-- What is wrong with the words, if anything.
local function mistake(options)
  local role = options[1]
  local odd = role and role:match "^%-." and role or options[2]
  if odd then
    return ("unknown %s '%s'"):format(odd:find "^%-" and "option" or "argument", odd)
  elseif not runs[role] then
    return role and ("no component named '%s'"):format(role) or "which component?"
  end
  return mistaken_value(options, role == "iopin" and 0 or 1) or misplaced_value(role, options)
end

local function main(...)
  local options = arguments.parse(usage, { host = arguments.text, port = arguments.integer,
    name = arguments.text, no_announce = false, tacks = arguments.integer, delay = 1.0, vcd = arguments.text,
    view = false }, lengthened { ... })
  local wrong = mistake(options)
  if wrong then
    io.stderr:write(wrong, "\n", usage, "\n")
    os.exit(2)
  end
  local role = options[1]
  local ok, text = runs[role](options, script.module("circuit/" .. role))
  if text then
    io.stderr:write("circuit: ", text, "\n")
  end
  if not ok then
    os.exit(1)
  end
end

if ... == "strobe.circuit" then
  return main
end
main(...)
