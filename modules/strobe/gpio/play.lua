--- Playing traces: pins that are driven as the variables of a VCD say, at its times.

local mistake = require("strobe.mistake").raise
local names = require "strobe.gpio.name"
local vcd = require "strobe.vcd"

local play = {}

-- The variables of the trace that are to drive pins: "SCOPE.NAME" or NAME → pin.
local function find_pins(content, map, source)
  local by_code, found = {}, {}
  for _, var in ipairs(content.vars) do
    local full = var.scope ~= "" and var.scope .. "." .. var.name or var.name
    local key = map[full] and full or map[var.name] and var.name
    if key and (var.class ~= "bits" or var.width ~= 1) then
      return nil, ("%s: %s is no single bit"):format(source, key), "EINVAL"
    elseif key and not found[key] then
      found[key], by_code[var.code] = true, map[key]
    end
  end
  for key in pairs(map) do
    if not found[key] then
      local list = {}
      for i, var in ipairs(content.vars) do
        list[i] = var.name
      end
      return nil, ("%s: no variable %s; it has %s"):format(source, key, names.list(list)), "ENOENT"
    end
  end
  return by_code
end

local function release(lines)
  for _, line in pairs(lines) do
    line:release()
  end
end

-- Requests the pins; nil, message, code when one is in use.
local function request(board, by_code)
  local lines = setmetatable({}, { __close = release })
  for code, pin in pairs(by_code) do
    local line, message, why = board:line(pin, { direction = "output", output_value = "z", consumer = "play" })
    if not line then
      release(lines)
      return nil, message, why
    end
    lines[code] = line
  end
  return lines
end

local function wait_until(board, time)
  local left = time - board:now_ns()
  if left > 0 then
    return board.core:delay(left)
  end
  return true
end

-- Drives the lines as the changes say, each at its time, up to the trace's end.
local function drive(board, lines, changes)
  local start = board:now_ns()
  for time, var, value in table.unpack(changes) do
    local line = lines[var.code]
    if line then
      local good, message, code = wait_until(board, start + math.floor(time))
      if not good then
        return nil, message, code
      end
      line:set_value(value == "x" and "z" or value)
    end
  end
  return wait_until(board, start + math.floor(changes[2].finish))
end

--- board:play
---@async
---@param board strobe.gpio.Board
---@param source string|fun(): string?
---@param map table<string, string>
---@return boolean? good
---@return string? message
---@return string? code
function play.play(board, source, map)
  if type(map) ~= "table" or next(map) == nil then
    mistake("board:play: what drives which pin expected: { clk = \"D2\" }")
  end
  for _, pin in pairs(map) do
    board:find_pin("board:play", pin)
  end
  local changes = table.pack(vcd.changes(source))
  if not changes[1] then
    return nil, changes[2], changes[3]
  end
  local opened <close> = changes[4] -- luacheck: ignore
  local name = type(source) == "string" and not source:find "\n" and source or "vcd"
  local by_code, message, code = find_pins(changes[2], map, name)
  if not by_code then
    return nil, message, code
  end
  local lines <close>, why, word = request(board, by_code)
  if not lines then
    return nil, why, word
  end
  return drive(board, lines, changes)
end

return play
