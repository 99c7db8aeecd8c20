local gpio = require "strobe.gpio"

-- What is found, as "kind: pins".
local function found(board)
  local list = {}
  for i, finding in ipairs(board:check()) do
    list[i] = finding.kind .. ": " .. table.concat(finding.pins, " ")
  end
  return list
end

describe("a netlist", function()
  it("has nets with their pins and levels, in order", function()
    local board <close> = gpio.board { pins = 3 }
    board:wire(2, 0)
    board:wire(1, "VCC")
    board:sleep(0.001)
    assert.same({
      { name = "0", level = "z", pins = { "0", "2" } },
      { name = "1", level = "1", pins = { "1", "VCC" } },
    }, board:nets())
  end)

  describe("when it is checked", function()
    it("is content with a good circuit", function()
      local board <close> = gpio.board { pins = 3 }
      board:add("led", { name = "l" })
      board:add("button", { name = "b" })
      board:wire(0, "l.anode")
      board:wire("l.cathode", "GND")
      board:wire(1, "b.1")
      board:wire("b.2", "GND")
      assert(board:line(1, { bias = "pull-up" }))
      assert.same({}, found(board))
    end)

    it("finds inputs that nothing drives", function()
      local board <close> = gpio.board { name = "bench", pins = 3 }
      assert(board:line(0))
      assert(board:line(1))
      board:add("button", { name = "b" })
      board:wire(1, "b.1")
      board:wire("b.2", "GND")
      assert.same({ "unconnected input: 0", "floating net: 1 b.1" }, found(board))
      assert.equal("board bench: net 0: unconnected input: nothing is wired to 0, and it has no bias",
        board:check()[1].message)
    end)

    it("finds outputs that are joined, and shorts", function()
      local board <close> = gpio.board { pins = 4 }
      for pin = 0, 2 do
        assert(board:line(pin, { direction = "output" }))
      end
      board:wire(0, 1)
      board:wire(2, "VCC")
      assert.same({ "outputs joined: 0 1", "short: VCC 2" }, found(board))
      board:wire("VCC", "GND")
      assert.same({ "outputs joined: 0 1", "short: VCC GND" }, found(board))
    end)

    it("finds shorts by the supply pins of parts", function()
      local board <close> = gpio.board { name = "bench", pins = { "D2" } }
      board:add("relay", { name = "r" })
      board:wire("r.VCC", "VCC")
      board:wire("r.GND", "GND")
      board:wire("r.IN", "r.GND")
      assert.same({ "floating net: r.NC r.COM", "unconnected input: r.NO" }, found(board)) -- and nothing else
      local wire = board:wire("r.VCC", "r.GND")
      assert.same("short: r.VCC r.GND VCC GND", found(board)[1])
      assert.equal("board bench: net VCC: short: r.GND and r.VCC are joined", board:check()[1].message)
      wire:cut()
      assert(board:line("D2", { direction = "output" }))
      board:wire("D2", "r.VCC")
      assert.equal("board bench: net D2: short: D2 is an output, joined to r.VCC", board:check()[1].message)
    end)

    it("checks thousands of wires at one rail in no time", function()
      local board <close> = gpio.board { pins = 5000 }
      for pin = 0, 4999 do
        board:wire("GND", pin)
      end
      assert.same({}, found(board))
    end)

    it("lets open-drain outputs be joined", function()
      local board <close> = gpio.board { pins = 2 }
      for pin = 0, 1 do
        assert(board:line(pin, { direction = "output", drive = "open-drain", bias = "pull-up" }))
      end
      board:wire(0, 1)
      assert.same({}, found(board))
    end)

    it("finds opposite biases and loops of wires", function()
      local board <close> = gpio.board { pins = 3 }
      assert(board:line(0, { bias = "pull-up" }))
      assert(board:line(1, { bias = "pull-down" }))
      board:wire(0, 1)
      board:wire(1, 2)
      local wire = board:wire(2, 0)
      assert.same({ "opposite biases: 0 1", "wire loop: 2 0" }, found(board))
      wire:cut()
      assert.same({ "opposite biases: 0 1" }, found(board))
    end)
  end)
end)
