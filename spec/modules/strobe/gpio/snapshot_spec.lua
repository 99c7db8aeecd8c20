local gpio = require "strobe.gpio"
local json = require "strobe.json"
local part = require "strobe.gpio.part"
local snapshot = require "strobe.gpio.snapshot"

local lamp = part.kind {
  name = "lamp", pins = { "in" }, attributes = { color = "red", power = 5, secret = false },
  start = function(self)
    self.state.lit, self.state.level, self.state.odd, self.state.inner = false, 0.5, 0 / 0, {}
  end,
  shine = function() end,
  _look = function() end,
}

local function wired()
  local board = gpio.board { name = "bench", pins = { "D2", "D13" } }
  board:add(lamp, { name = "lamp1", secret = {} })
  board:wire("D13", "lamp1.in")
  return board
end

describe("a snapshot of a board", function()
  it("lists its pins and parts in order", function()
    local board <close> = wired()
    local line <close> = assert(board:line("D13", { direction = "output", output_value = 1, consumer = "blink" }))
    board:sleep(0.001)
    local list = snapshot.list(board)
    assert.same({ "bench", 1000000, true, 3 }, { list.board, list.now_ns, list.running, list.size })
    assert.same({
      { name = "D2", net = "D2", direction = "input", level = "z" },
      { name = "D13", net = "D13", consumer = line.consumer, direction = "output", level = "1" },
      { name = "lamp1.in", net = "D13", part = "lamp1", consumer = "lamp1", direction = "input", level = "1" },
    }, { table.unpack(list.pins) })
    assert.same({
      name = "lamp1", kind = "lamp", pins = { "in" }, methods = { "shine" }, attributes = { color = "red", power = 5 },
      state = { lit = false, level = 0.5 },
    }, list.parts[1])
  end)

  it("has what changes as it runs", function()
    local board <close> = wired()
    board.parts.lamp1.state.lit = true
    board.parts.lamp1.failure = "it burnt"
    board:pause()
    assert.same({
      now_ns = 0, running = false, size = 3, levels = { D2 = "z", D13 = "z", ["lamp1.in"] = "z" },
      parts = { lamp1 = { lit = true, level = 0.5, failure = "it burnt" } },
    }, snapshot.states(board))
  end)

  it("of an empty board can be sent, and has lists", function()
    local board <close> = gpio.board()
    assert.matches('"pins":%[%]', json.encode(snapshot.list(board)))
    assert.matches('"parts":%[%]', json.encode(snapshot.list(board)))
  end)

  it("has plain values only", function()
    for _, value in ipairs { "", "text", true, false, 0, -1.5, math.mininteger } do
      assert.is_true(snapshot.is_plain(value))
    end
    for _, value in pairs { {}, print, 0 / 0, 1 / 0, -1 / 0, coroutine.create(print) } do
      assert.is_false(snapshot.is_plain(value))
    end
    assert.is_false(snapshot.is_plain(nil))
  end)

  it("knows the methods of a part's kind, and none of every part", function()
    local board <close> = wired()
    assert.is_function(snapshot.methods(board.parts.lamp1).shine)
    assert.is_nil(snapshot.methods(board.parts.lamp1).stop)
    assert.is_nil(snapshot.methods(board.parts.lamp1)._look)
  end)
end)
