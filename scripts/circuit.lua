-- Three components of a circuit, each in a terminal of its own: a clock ticks an IO pin, which tells its toggles
-- to buzzers. They are in scripts/circuit/; copy one and change its loop.

local arguments = require "strobe.arguments"
local script = require "strobe.script"

local usage = [[
usage: strobe run circuit clock|iopin|buzzer [options]
  iopin     listens; flips between 0 and 1 with each tack. Start it first
  clock     sends tacks to the iopin, and prints what it acknowledges
  buzzer    listens to the iopin, and buzzes when that flips to 1
options:
  -s, --host HOST       where the iopin listens (127.0.0.1)
  -p, --port PORT       8765; 0: the iopin takes a free one, and prints it
  -t, --tacks TACKS     ends after so many tacks (0: never)
  -d, --delay SECONDS   from one tack of the clock to the next (1)]]

local long = { s = "host", p = "port", t = "tacks", d = "delay" }

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

local runs = {
  iopin = function(options, kind)
    return kind(options.tacks):run(options.host, options.port)
  end,
  clock = function(options, kind)
    return kind(options.tacks, options.delay):tick(options.host, options.port)
  end,
  buzzer = function(options, kind)
    return kind(options.tacks):follow(options.host, options.port)
  end,
}

-- What is wrong with the words, if anything.
local function mistake(options)
  local role = options[1]
  local least = role == "iopin" and 0 or 1
  local odd = role and role:match "^%-." and role or options[2]
  if odd then
    return ("unknown %s '%s'"):format(odd:find "^%-" and "option" or "argument", odd)
  elseif not runs[role] then
    return role and ("no component named '%s'"):format(role) or "which component?"
  elseif options.port < least or options.port > 65535 then
    return ("--port %d: a port from %d to 65535 expected"):format(options.port, least)
  elseif options.tacks < 0 then
    return ("--tacks %d: 0 or more expected"):format(options.tacks)
  elseif not (options.delay >= 0 and options.delay < math.huge) then
    return ("--delay %g: 0 or more seconds expected"):format(options.delay)
  end
end

local function main(...)
  local options = arguments.parse(usage, { host = "127.0.0.1", port = 8765, tacks = 0, delay = 1.0 },
    lengthened { ... })
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
