--- `strobe trace`: a trace of a circuit as a timing diagram.

local arguments = require "strobe.arguments"
local diagram = require "strobe.vcd.diagram"
local file = require "strobe.vcd.file"
local host = require "strobe.core.host"
local screen = require "strobe.core.terminal"
local terminal = require "strobe.vcd.terminal"
local vcd = require "strobe.vcd"
local view = require "strobe.vcd.view"
local wavedrom = require "strobe.vcd.wavedrom"

local trace = {}

trace.usage = [[
usage: strobe trace FILE.vcd|- [-o FILE.svg|FILE.json|FILE.txt] [options]
  draws a trace: SVG, WaveDrom's JSON, or text, by the name of the output (SVG on stdout)
options:
  --from T, --to T     the part to show: 1.5ms, 200us, 3s; without a unit, ns
  --signals A,B,C      these, in this order, with their scopes (board.led) or without; '*' stands for anything
  --width N            pixels, or columns of text
  --dark               on a dark ground always, not only for readers who prefer it
  --period T           WaveDrom: time of one character (the longest that shows all changes)
  --text               to the terminal, in characters
  --json               WaveDrom, whatever the output's name]]

local known = {
  o = arguments.text, from = arguments.text, to = arguments.text, signals = arguments.text,
  period = arguments.text, width = arguments.integer, dark = false, text = false, json = false, help = false,
}

local function fail(message, status)
  io.stderr:write("strobe: trace: ", message, "\n")
  return status or 1
end

-- -o is the one option with a single dash.
local function read_arguments(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = word == "-o" and "--o" or word == "-h" and "--help" or word
  end
  return arguments.read(known, list)
end

-- Replaces the times by nanoseconds; a message when one is none.
local function read_times(options)
  for _, name in ipairs { "from", "to", "period" } do
    local text = options[name]
    if text then
      options[name] = view.time(text)
      if not options[name] or options[name] < 0 then
        return ("--%s %s: a time expected, as 1.5ms or 200us"):format(name, text)
      end
    end
  end
  if options.from and options.to and options.from >= options.to then
    return "--to: a time after --from expected"
  elseif options.period == 0 then
    return "--period: a time above 0 expected"
  end
end

local function names(list)
  local result = {}
  for name in (list or ""):gmatch "[^,]+" do
    result[#result + 1] = name:match "^%s*(.-)%s*$"
  end
  return list and result
end

local STDOUT = 1

local painters = { svg = diagram.svg, json = wavedrom.json, txt = terminal.text }

-- What draws it; a message when nothing does.
local function painter(options)
  local ending = (options.o or ""):match "%.(%w+)$"
  local wanted = options.text and "txt" or options.json and "json"
  if not wanted and ending and not painters[ending] then
    return nil, ("-o %s: a name that ends with .svg, .json or .txt expected"):format(options.o)
  end
  return painters[wanted or ending or "svg"]
end

-- The columns of the terminal that a text goes to, if it goes to one.
local function columns(options)
  local count = not options.o and screen.size(STDOUT)
  return count and count > 0 and count or nil
end

local function write(path, text)
  if not path or path == "-" then
    local good, message = io.stdout:write(text)
    if good then
      good, message = io.stdout:flush()
    end
    return good, message and "write stdout: " .. message
  end
  local sink, message = file.create(path)
  if not sink then
    return nil, message
  end
  local good, why = sink:write(text)
  local closed, reason = sink:close()
  return good and closed, why or reason
end

local function draw(path, options, paint)
  local content, message = vcd.read(path)
  if not content then
    return fail(message)
  end
  local drawn
  drawn, message = paint(content, {
    from = options.from, to = options.to, signals = names(options.signals), dark = options.dark,
    width = options.width or paint == terminal.text and columns(options) or nil, period = options.period,
  })
  if not drawn then
    return fail(message)
  end
  local good
  good, message = write(options.o, drawn)
  return good and 0 or fail(message)
end

--- `strobe trace FILE.vcd …`
---@param words string[]
---@return integer status
function trace.main(words)
  local options, message = read_arguments(words)
  if options and options.help then
    print(trace.usage)
    return 0
  end
  local paint
  message = message or read_times(options)
  if not message then
    paint, message = painter(options)
  end
  if message then
    return fail(message .. "; see 'strobe trace --help'", 2)
  elseif #options ~= 1 then
    io.stderr:write(trace.usage, "\n")
    return 2
  end
  host.slow_step(math.huge) -- drawing is all that it does
  return draw(options[1], options, paint)
end

return trace
