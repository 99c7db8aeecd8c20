local async = require "strobe.async"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local view = require "strobe.gpio.view"

local led = part.kind {
  name = "led",
  pins = { "anode" },
  start = function(self)
    self.state.lit = false
    self:on_edge("anode", "change", function(level)
      self.state.lit = level == "1"
    end)
  end,
}

local snapshot = {
  name = "bench", now_ns = 1500000, running = false, contentions = 2, contended = { "D2" },
  pins = {
    { name = "D2", level = "x", changes = 12, owner = "sketch" },
    { name = "D13", level = "1", changes = 3 },
  },
  parts = {
    { name = "led1", kind = "led", state = { lit = true } },
    { name = "arm", kind = "servo", state = { angle = 90 / 7, busy = false } },
    { name = "old", kind = "relay", state = {}, failure = "it burnt\27[2J" },
  },
}

-- A terminal of a spec: what a stream was given.
local function paper()
  local written = {}
  return written, { write = function(_, text) written[#written + 1] = text end }
end

describe("the view of a board", function()
  it("is a text of levels, edges, parts and contentions", function()
    assert.equal([[
bench  0.001500 s  paused  2 contentions, now on D2
D2    X          12 edges  sketch
D13   1           3 edges
led1  ●  lit
arm   ·  angle 12.86, busy false
old   ✗  stopped: it burnt?[2J
]], view.text(snapshot))
  end)

  it("fits the terminal", function()
    local text = view.text(snapshot, { width = 24, height = 4 })
    local lines = {}
    for line in text:gmatch "([^\n]*)\n" do
      lines[#lines + 1] = line
      assert.is_true(utf8.len(line) <= 24, line)
    end
    assert.equal(4, #lines)
    assert.equal("… 3 more", lines[4])
    for width = 1, 100 do
      for height = 1, 8 do
        local _, count = view.text(snapshot, { width = width, height = height }):gsub("\n", "\n")
        assert.equal(math.min(height, 6), count)
      end
    end
  end)

  it("has colours only where they are wanted", function()
    assert.is_nil(view.text(snapshot):find "\27%[%d*;?%d*m")
    local colored = view.text(snapshot, { color = true })
    assert.truthy(colored:find("\27[33;1m●\27[0m", 1, true))
    assert.equal(view.text(snapshot), (colored:gsub("\27%[[%d;]*m", "")))
  end)

  it("shows a board as it is now", function()
    local board <close> = gpio.board { name = "bench", pins = { "D2", "D13" } }
    board:add(led, { name = "led1" })
    board:wire("D13", "led1.anode")
    local written, stream = paper()
    local shown = board:view { stream = stream, color = false }
    local line <close> = assert(board:line("D13", { direction = "output", consumer = "blink" }))
    for _ = 1, 5 do
      board:sleep(0.1)
      line:toggle()
    end
    board:sleep(0.25)
    assert.same({}, written) -- there is no terminal
    shown:close()
    shown:close()
    assert.same({ [[
bench  0.750000 s
D2    Z           0 edges
D13   1           6 edges  blink
led1  ●  lit
]] }, written)
  end)

  it("stands at the bottom of a terminal, at a bounded rate, and gives it back", function()
    local board <close> = gpio.board { name = "bench", pins = { "D2" } }
    local written, stream = paper()
    local rows = 24
    local shown = board:view { stream = stream, rate = 5, color = false, size = function() return 40, rows end }
    async.sleep(0.95)
    assert.equal(5, #written)
    assert.equal("\n\n\27[2A\0277\27[1;22r\0278" -- room, and what scrolls
      .. "\0277\27[23;1H\27[2Kbench  0.000000 s\27[24;1H\27[2KD2  Z           0 edges\0278", written[1])
    assert.equal("\0277\27[23;1H\27[2Kbench  0.200000 s\27[24;1H\27[2KD2  Z           0 edges\0278", written[2])
    rows = 30 -- the window was resized
    async.sleep(0.1)
    assert.matches("^\0277\27%[r.*\27%[1;28r", written[6])
    shown:close()
    assert.equal("\0277\27[r\27[29;1H\27[J\0278bench  1.050000 s\nD2  Z           0 edges\n", written[7])
    async.sleep(1)
    assert.equal(7, #written)
  end)

  it("ends with its board, and refuses mistakes", function()
    local board = gpio.board { name = "bench", pins = { "D2" } }
    local written, stream = paper()
    board:view { stream = stream }
    async.sleep(0)
    assert.has_error(function() board:view { rate = 1000 } end, "board:view: rate: up to 60 Hz expected, got 1000")
    assert.has_error(function() board:view { speed = 1 } end, "board:view: there is no option speed")
    assert.has_error(function() board:view { pins = { "D3" } } end,
      "board:view: pins: board bench has no pin D3; it has D2")
    board:close()
    assert.equal(1, #written)
  end)
end)
