local async = require "strobe.async"
local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local reports = require "spec.support.reports"

-- Two outputs that differ, joined from 1 ms to 3 ms.
local function clash(board)
  local a, b = assert(board:line(0, { direction = "output" })), assert(board:line(1, { direction = "output" }))
  b:set_value(1)
  board:sleep(0.001)
  local wire = board:wire(0, 1)
  board:sleep(0.002)
  wire:cut()
  board:sleep(0.001)
  return a, b, wire
end

describe("contention", function()
  it("is listed with its net, its time and who drove what", function()
    local board <close> = gpio.board { name = "bench", pins = 2 }
    clash(board)
    local list = board:contentions()
    assert.equal(1, #list)
    assert.same({ 0.001, 0.003 }, { list[1].began, list[1].ended })
    assert.same({ { pin = "0", level = "0" }, { pin = "1", level = "1" } }, list[1].drivers)
    assert.equal("board bench: net 0: 0 drives 0, 1 drives 1", list[1].message)
  end)

  it("is told when it begins and when it ends", function()
    local board <close> = gpio.board { pins = 2 }
    local told = {}
    local handle = board:on_contention(function(contention)
      table.insert(told, ("%g-%s"):format(contention.began, contention.ended))
    end)
    local _, _, wire = clash(board)
    handle:close()
    handle:close()
    wire:restore()
    board:sleep(0.001)
    assert.same({ "0.001-nil", "0.001-0.003" }, told)
  end)

  it("is told to others although one raises", function()
    local board <close> = gpio.board { pins = 2 }
    local told = 0
    local contexts = reports.of(function()
      board:on_contention(function()
        error "oops"
      end)
      board:on_contention(function()
        told = told + 1
      end)
      clash(board)
    end)
    assert.same({ 2, 2 }, { told, #contexts })
    assert.matches("error in a contention handler", contexts[1].message)
  end)

  it("is told in the order in which one asked for it, also where one is closed meanwhile", function()
    local board <close> = gpio.board { pins = 2 }
    local told, handles = {}, {}
    for i = 1, 9 do
      handles[i] = board:on_contention(function()
        table.insert(told, i)
        handles[i]:close()
        handles[9]:close()
      end)
    end
    clash(board)
    assert.same({ 1, 2, 3, 4, 5, 6, 7, 8 }, told)
  end)

  it("is no news of a board that is closed at once", function()
    assert.same({}, reports.of(function()
      local board = gpio.board {}
      board:on_contention(error)
      board:close()
      async.sleep(0.001)
    end))
  end)

  it("that lasted before is no news", function()
    local board <close> = gpio.board { pins = 2 }
    local _, _, wire = clash(board)
    wire:restore()
    board:sleep(0.001)
    local told = {}
    board:on_contention(function(contention)
      table.insert(told, contention.seq)
    end)
    wire:cut()
    board:sleep(0.001)
    assert.same({ 2 }, told)
  end)

  it("takes functions only", function()
    local board <close> = gpio.board {}
    assert.matches("board:on_contention: a function expected, got nil", errors.raised_by(board.on_contention, board))
  end)
end)
