local errors = require "spec.support.errors"
local faults = require "strobe.gpio.faults"
local gpio = require "strobe.gpio"

-- Two pins with a wire between them: OUT drives, IN reads; and the changes of IN as "level@ms".
local function wired(seed)
  local board = gpio.board { pins = { "OUT", "IN" }, seed = seed }
  local wire = board:wire("OUT", "IN")
  local out = assert(board:line("OUT", { direction = "output" }))
  local input, changes = assert(board:line("IN", { direction = "input" })), {}
  board:sleep(0.001)
  board.core:subscribe({ input.core }, "change", 64, function(level, time)
    table.insert(changes, ("%s@%g"):format(level, time / 1e6))
  end)
  return board, { out = out, input = input, wire = wire, changes = changes }
end

describe("a net that is stuck", function()
  it("keeps its level whoever drives it, until the fault ends", function()
    local board <close>, bench = wired()
    local fault = faults.stuck_at(board, bench.input, 1)
    board:sleep(0.001)
    bench.out:set_value(1)
    board:sleep(0.001)
    bench.out:set_value(0)
    board:sleep(0.001)
    assert.same({ 1, true }, { bench.input:get_value(), fault.active })
    fault:close()
    fault:close()
    board:sleep(0.001)
    assert.same({ "1@1", "0@4" }, bench.changes)
    assert.same({}, board.core:contentions()) -- a fault is no output
  end)

  it("may be stuck twice", function()
    local board <close>, bench = wired()
    local first, second = faults.stuck_at(board, "IN", 1), faults.stuck_at(board, "OUT", 1)
    board:sleep(0.001)
    first:close()
    board:sleep(0.001)
    assert.equal(1, bench.input:get_value())
    second:close()
    board:sleep(0.001)
    assert.equal(0, bench.input:get_value())
  end)

  it("is stuck at 0 or 1", function()
    local board <close> = wired()
    assert.matches("level: 0 or 1 expected, got 2", errors.raised_by(faults.stuck_at, board, "IN", 2))
    assert.matches("faults.stuck_at: board board has no pin D9", errors.raised_by(faults.stuck_at, board, "D9", 0))
    assert.equal(0, #board.parts)
  end)
end)

-- What a bouncing net does when it is driven to 1 and to 0.
local function bounced(seed)
  local board <close>, bench = wired(seed)
  local fault <close> = faults.bounce(board, "IN", { period = 0.004 }) -- luacheck: ignore
  board:sleep(0.009)
  bench.out:set_value(1)
  board:sleep(0.01)
  bench.out:set_value(0)
  board:sleep(0.01)
  return bench.changes
end

describe("a net that bounces", function()
  it("rests within the period, at what it is driven to", function()
    local changes = bounced(1)
    local rises, falls = {}, {}
    for _, change in ipairs(changes) do
      local level, ms = change:match "(.)@(.+)"
      table.insert(tonumber(ms) < 20 and rises or falls, level)
      assert.is_true(tonumber(ms) % 10 <= 4)
    end
    for first, levels in pairs { ["1"] = rises, ["0"] = falls } do
      assert.is_true(#levels >= 3 and #levels % 2 == 1)
      assert.same({ first, first }, { levels[1], levels[#levels] })
    end
  end)

  it("does the same with the same seed", function()
    assert.same(bounced(7), bounced(7))
    assert.not_same(bounced(7), bounced(8))
  end)

  it("bounces no more when the fault ends, even in the middle", function()
    local board <close>, bench = wired()
    local fault = faults.bounce(board, "IN")
    bench.out:set_value(1)
    board:sleep(0.001)
    fault:close()
    board:sleep(0.001)
    local count = #bench.changes
    bench.out:set_value(0)
    board:sleep(0.01)
    assert.equal(count + 1, #bench.changes)
    assert.equal(0, board.core:stats().events)
  end)
end)

describe("a wire that is cut", function()
  it("joins nothing, until the fault ends", function()
    local board <close>, bench = wired()
    bench.out:set_value(1)
    board:sleep(0.001)
    local fault = faults.cut(bench.wire)
    assert.equal("z", bench.input:level())
    fault:close()
    board:sleep(0.001)
    assert.equal("1", bench.input:level())
  end)
end)

describe("a short", function()
  it("is contention of the two outputs, until the fault ends", function()
    local board <close> = gpio.board { pins = { "A", "B" } }
    local a = assert(board:line("A", { direction = "output", output_value = 0 }))
    local b = assert(board:line("B", { direction = "output", output_value = 1 }))
    board:sleep(0.001)
    do
      local fault <close> = faults.short(board, a, b) -- luacheck: ignore
      board:sleep(0.001)
      assert.same({ "x", "x" }, { a:level(), b:level() })
    end
    board:sleep(0.001)
    assert.same({ "0", "1" }, { a:level(), b:level() })
    local contention = board.core:contentions()[1]
    assert.same({ 1000000, 2000000 }, { contention.began, contention.ended })
  end)
end)

describe("faults", function()
  it("on top of each other end in any order", function()
    local board <close>, bench = wired(5)
    for _ = 1, 60 do
      local list = {
        faults.stuck_at(board, "IN", 1), faults.stuck_at(board, "OUT", 0), faults.bounce(board, "IN"),
        faults.bounce(board, "OUT"), faults.cut(bench.wire), faults.cut(bench.wire), faults.short(board, "IN", "VCC"),
      }
      while #list > 0 do
        bench.out:set_value(#list % 2)
        board:sleep(0.0003)
        table.remove(list, board:random(1, #list)):close()
      end
      board:sleep(0.02)
      for value = 0, 1 do
        bench.out:set_value(value)
        board:sleep(0.001)
        assert.equal(tostring(value), bench.input:level())
      end
      assert.equal(0, board:stats().events)
    end
    assert.is_true(bench.wire:joined())
  end)

  it("leave a cut wire cut that was before", function()
    local board <close>, bench = wired() -- luacheck: ignore
    bench.wire:cut()
    faults.cut(bench.wire):close()
    assert.is_false(bench.wire:joined())
    assert.equal("z", bench.input:level())
  end)

  it("add nothing to a board that their like has left there", function()
    local board <close>, bench = wired()
    local function all(level)
      faults.stuck_at(board, "IN", level):close()
      faults.short(board, "IN", "GND"):close()
      faults.bounce(board, "IN", { period = 0.002 }):close()
    end
    all(0)
    local parts, wires = #board.parts, #board.wires
    for i = 1, 100 do
      all(i % 2)
    end
    assert.same({ parts, wires }, { #board.parts, #board.wires })
    local again <close> = faults.bounce(board, "IN", { period = 0.002 }) -- luacheck: ignore
    board:sleep(0.01)
    assert.same({ active = true, bounced = 0 }, board.parts.bounce1.state)
    bench.out:set_value(1)
    board:sleep(0.01)
    assert.equal(1, board.parts.bounce1.state.bounced)
  end)
end)

describe("a fault", function()
  it("may end after its board", function()
    local board, bench = wired()
    local cut = faults.cut(bench.wire)
    local stuck, short = faults.stuck_at(board, "IN", 0), faults.short(board, "IN", "VCC")
    board:close()
    stuck:close()
    short:close()
    cut:close()
    assert.is_false(stuck.active)
  end)
end)
