--- Newline JSON ticks: reads a connection's COUNT ticks to its end, decodes and batches them.
-- usage: strobe ticks.lua PORT COUNT
local net = require "strobe.net"
local decode = require("strobe.json").decode
local measure = dofile((arg[0]:match("^.*/") or "") .. "measure.lua")

local BATCH = 1000
local port, expected = tonumber(arg[1]), tonumber(arg[2])

--- Counts ticks into batches of {count, size, vwap}.
local Batcher = {}
Batcher.__index = Batcher

function Batcher.new()
  return setmetatable({total = 0, batches = {}, count = 0, size = 0, turnover = 0}, Batcher)
end

function Batcher:flush()
  local vwap = self.size > 0 and self.turnover / self.size or 0
  self.total = self.total + self.count
  self.batches[#self.batches + 1] = {count = self.count, size = self.size, vwap = vwap}
  self.count, self.size, self.turnover = 0, 0, 0
end

function Batcher:take(tick)
  local size = tick.size
  self.count = self.count + 1
  self.size = self.size + size
  self.turnover = self.turnover + tick.price * size
  if self.count == BATCH then self:flush() end
end

--- Hands each whole line of text to the batcher; returns what follows the last one.
local function take_lines(batcher, text)
  local start = 1
  while true do
    local stop = text:find("\n", start, true)
    if not stop then return text:sub(start) end
    batcher:take(decode(text:sub(start, stop - 1)))
    start = stop + 1
  end
end

local wall, cpu = measure.best(function()
  local conn = assert(net.connect("127.0.0.1", port))
  local batcher, rest = Batcher.new(), ""
  while true do
    local chunk = assert(conn:read(65536))
    if chunk == "" then break end
    rest = take_lines(batcher, rest .. chunk)
  end
  conn:close()
  batcher:flush()
  assert(batcher.total == expected, "ticks are missing")
end)
measure.result("ticks_per_s", expected / wall, "ticks/s")
measure.result("ticks_per_cpu_s", expected / cpu, "ticks/cpu-s")
