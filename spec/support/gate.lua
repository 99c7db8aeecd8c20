<<<<<<< HEAD
--- Logic gates in specs: what comes out of them.

local gpio = require "strobe.gpio"

local gate = {}

gate.NS = 1e-9

--- A board with a gate whose inputs are its pins.
---@param kind string
---@param inputs string[]
---@param attributes? table
---@return strobe.gpio.Board
---@return strobe.gpio.Part
---@return strobe.gpio.Line[]
function gate.wired(kind, inputs, attributes)
  local board = gpio.board { pins = inputs }
  local its = board:add(kind, attributes)
  local lines = {}
  for i, input in ipairs(inputs) do
    lines[i] = assert(board:line(input, { direction = "output", output_value = 0 }))
    board:wire(lines[i], its:pin(input))
  end
  return board, its, lines
end

--- What comes out for each mix of inputs, 8 ns after it.
---@param kind string
---@param inputs string[]
---@param mixes string "00 0x …"
---@return string levels "01x…"
function gate.outputs(kind, inputs, mixes)
  local board <close>, its, lines = gate.wired(kind, inputs)
  local found = {}
  for mix in mixes:gmatch "%S+" do
    for i, line in ipairs(lines) do
      line:set_value(mix:sub(i, i))
    end
    board:sleep(8 * gate.NS)
    found[#found + 1] = its.line.OUT:level()
  end
  return table.concat(found)
end

--- The times and levels of an output from now on, "0@110" at 110 ns.
---@param board strobe.gpio.Board
---@param its strobe.gpio.Part
---@return string[]
function gate.changes(board, its)
  local list = {}
  board.core:subscribe({ its.line.OUT }, "change", nil, function(level, time)
    list[#list + 1] = ("%s@%d"):format(level, time)
  end)
  return list
end

return gate
=======
--- A gate for jobs in other threads: they wait at it until the spec opens it.
--
-- It is two files, which is what threads without a common variable can both see.

local Folder = require "spec.support.folder"
local async = require "strobe.async"
local uv = require "luv"

---@class spec.Gate
local Gate = {}
Gate.__index = Gate

--- A gate, which is shut: a `<close>` value, which opens it.
function Gate.new()
  local folder = Folder.new {}
  return setmetatable({ folder = folder, path = folder.path }, Gate)
end

--- What a job does at the gate, without waiting in strobe's sense: `gate.pass(path)`.
---@param path string gate.path
function Gate.pass(path)
  local luv = require "luv"
  local here = io.open(path .. "/here", "w")
  if here then -- else the gate has gone already
    here:close()
  end
  while luv.fs_stat(path .. "/here") and not luv.fs_stat(path .. "/open") do
    luv.sleep(1)
  end
end

--- Waits until a job stands at the gate.
---@async
function Gate:reached()
  while not uv.fs_stat(self.path .. "/here") do
    uv.sleep(1) -- time stands still while a job runs, so there is no sleeping in it
    async.sleep(0)
  end
end

function Gate:open()
  if not self.is_open then
    self.is_open = true
    io.open(self.path .. "/open", "w"):close()
  end
end

function Gate:__close()
  self:open()
  self.folder:__close()
end

return Gate
>>>>>>> da8c93a (async: executors)
