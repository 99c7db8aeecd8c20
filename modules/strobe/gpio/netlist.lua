--- The netlist: which pins are joined, and what looks wrong about it.

local wiring = require "strobe.gpio.wiring"

local netlist = {}

---@class strobe.gpio.Net pins that are joined by wires
---@field name string
---@field pins string[] in the order in which they were made
---@field level "0"|"1"|"z"|"x"

-- All pins of a board, those of parts and rails too, in the order in which they were made.
local function all_pins(board)
  local pins, ids = {}, {}
  for name, pin in pairs(board.pins) do
    if type(name) == "string" then -- the board's own are there by number too
      pins[#pins + 1] = pin
      ids[pin] = pin.core:info().id
    end
  end
  table.sort(pins, function(a, b)
    return ids[a] < ids[b]
  end)
  return pins
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

local function is_rail(pin)
  return pin.rail
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

-- The pins of a net that stand for a rail.
local function rail_pins(net, rail)
  return pick(net, function(pin)
    return pin.rail == rail
  end)
end

checks[#checks + 1] = function(net)
  local low, high = rail_pins(net, "GND"), rail_pins(net, "VCC")
  local outputs = pick(net, is_output)
  if #low > 0 and #high > 0 then
    return "short", pick(net, is_rail), ("%s and %s are joined"):format(low[1], high[1])
  elseif #low + #high > 0 and #outputs > 0 then
    local rail = low[1] or high[1]
    table.insert(outputs, 1, rail)
    return "short", outputs, ("%s is an output, joined to %s"):format(outputs[2], rail)
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

-- A wire whose ends other wires have joined already closes a loop.
local function find_loops(board, findings)
  wiring.groups(board, function(wire)
    local a, b = wire.a.name, wire.b.name
    local why = ("%s and %s are joined already without their wire"):format(a, b)
    add_finding(findings, board, wire.a.core:info().net, "wire loop", { a, b }, why)
  end)
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
