--- The netlist: which pins are joined, and what looks wrong about it.

local netlist = {}

---@class strobe.gpio.Net pins that are joined by wires
---@field name string
---@field pins string[] in the order in which they were made
---@field level "0"|"1"|"z"|"x"

-- All pins of a board, rails too, in the order in which they were made.
local function all_pins(board)
  local pins = {}
  for _, pin in pairs(board.pins) do
    pins[#pins + 1] = pin
  end
  -- Pins of the board are there by number and by name.
  local seen, once = {}, {}
  for _, pin in ipairs(pins) do
    if not seen[pin] then
      seen[pin] = pin.core:info().id
      once[#once + 1] = pin
    end
  end
  table.sort(once, function(a, b)
    return seen[a] < seen[b]
  end)
  return once
end

-- Nets in the order of their first pins, with what check needs.
local function nets_of(board)
  local nets, by_name = {}, {}
  for _, pin in ipairs(all_pins(board)) do
    local info = pin.core:info()
    local net = by_name[info.net]
    if not net then
      net = { name = info.net, pins = {}, members = {}, level = pin.core:level() }
      by_name[info.net] = net
      nets[#nets + 1] = net
    end
    net.pins[#net.pins + 1] = pin.name
    net.members[#net.members + 1] = { pin = pin, info = info }
  end
  return nets
end

--- board:nets
---@param board strobe.gpio.Board
---@return strobe.gpio.Net[]
function netlist.nets(board)
  local nets = nets_of(board)
  for _, net in ipairs(nets) do
    net.members = nil
  end
  return nets
end

-- --- Checks: each takes a net and returns the pins that are wrong, and why -----------------------

-- The names of members for which f is true.
local function pick(net, f)
  local picked = {}
  for _, member in ipairs(net.members) do
    if f(member.pin, member.info) then
      picked[#picked + 1] = member.pin.name
    end
  end
  return picked
end

local function is_output(pin, info)
  return not pin.rail and info.direction == "output" and info.drive == "push-pull"
end

local function is_driver(pin, info)
  return pin.rail or info.direction == "output" or info.bias ~= "disabled"
end

-- A pin of the board that nobody has requested may still become an output.
local function is_free(pin, info)
  return not pin.part and not pin.rail and not info.consumer
end

local function is_input(_, info)
  return info.direction == "input" and info.consumer
end

local checks = {}

checks[#checks + 1] = function(net)
  local inputs = pick(net, is_input)
  if #net.pins == 1 and #inputs == 1 and #pick(net, is_driver) == 0 then
    return "unconnected input", inputs, ("nothing is wired to %s, and it has no bias"):format(inputs[1])
  end
end

checks[#checks + 1] = function(net)
  if #net.pins > 1 and #pick(net, is_driver) == 0 and #pick(net, is_free) == 0 then
    return "floating net", net.pins, ("nobody drives %s, and nobody pulls it"):format(table.concat(net.pins, ", "))
  end
end

checks[#checks + 1] = function(net)
  local outputs = pick(net, is_output)
  if #outputs > 1 then
    local names = table.concat(outputs, ", ")
    return "outputs joined", outputs, ("%s are push-pull outputs of one net"):format(names)
  end
end

checks[#checks + 1] = function(net)
  local rails = pick(net, function(pin)
    return pin.rail
  end)
  local outputs = pick(net, is_output)
  if #rails > 1 then
    return "short", rails, "GND and VCC are joined"
  elseif #rails == 1 and #outputs > 0 then
    table.insert(outputs, 1, rails[1])
    return "short", outputs, ("%s is an output, joined to %s"):format(outputs[2], rails[1])
  end
end

checks[#checks + 1] = function(net)
  local up = pick(net, function(_, info)
    return info.bias == "pull-up"
  end)
  local down = pick(net, function(_, info)
    return info.bias == "pull-down"
  end)
  if #up > 0 and #down > 0 then
    return "opposite biases", { up[1], down[1] }, ("%s pulls up and %s pulls down"):format(up[1], down[1])
  end
end

local function add_finding(findings, board, net, kind, pins, why)
  if kind then
    local message = ("board %s: net %s: %s: %s"):format(board.name, net, kind, why)
    findings[#findings + 1] = { kind = kind, net = net, pins = pins, message = message }
  end
end

-- Which pin stands for those that wires have joined so far.
local function root_of(roots, pin)
  while roots[pin] do
    pin = roots[pin]
  end
  return pin
end

-- A wire whose ends other wires have joined already closes a loop.
local function find_loops(board, findings)
  local roots = {}
  for _, wire in ipairs(board.wires) do
    if wire:joined() then
      local a, b = root_of(roots, wire.a), root_of(roots, wire.b)
      if a == b then
        local ends = { wire.a.name, wire.b.name }
        add_finding(findings, board, wire.a.core:info().net, "wire loop", ends,
          ("%s and %s are joined already without their wire"):format(ends[1], ends[2]))
      else
        roots[a] = b
      end
    end
  end
end

--- board:check
---@param board strobe.gpio.Board
---@return {kind: string, net: string, pins: string[], message: string}[]
function netlist.check(board)
  local findings = {}
  for _, net in ipairs(nets_of(board)) do
    for _, check in ipairs(checks) do
      add_finding(findings, board, net.name, check(net))
    end
  end
  find_loops(board, findings)
  return findings
end

--- board:analog
---@param board strobe.gpio.Board
---@param pin strobe.gpio.Pin
---@return number from 0 to 1
function netlist.analog(board, pin)
  local net = pin.core:info().net
  for _, part in ipairs(board.parts) do
    for name, fraction in pairs(part.analog or {}) do
      if part.line[name]:info().net == net then
        return fraction
      end
    end
  end
  return pin.core:level() == "1" and 1 or 0
end

return netlist
