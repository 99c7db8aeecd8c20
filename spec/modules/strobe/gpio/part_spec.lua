local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local parts = require "strobe.gpio.part"
local reports = require "spec.support.reports"
local tasks = require "strobe.async"

local inverter = parts.kind {
  name = "inverter",
  pins = { "input", "output" },
  attributes = { initial = 1 },
  start = function(self)
    self.line.output:configure { direction = "output", output_value = self.attributes.initial }
    self:on_edge("input", "change", function(level)
      self.line.output:set(level == "0" and 1 or 0)
    end)
  end,
  label = function(self)
    return "~" .. self.name
  end,
}

-- What is reported while a part with these functions is on a board beside an LED that blinks on.
local function reported(kind)
  local led, part
  local contexts = reports.of(function()
    local board <close> = gpio.board { name = "bench", pins = { "D1" } }
    kind.name, kind.pins = "bad", { "a", "b" }
    led = board:add "led"
    part = board:add(parts.kind(kind), { name = "bad7" })
    board:wire("D1", "led1.anode")
    board:wire("D1", "bad7.a")
    board:wire("GND", "led1.cathode")
    local line <close> = assert(board:line("D1", { direction = "output" }))
    board:sleep(0.01)
    line:set_value(1)
    board:sleep(0.01)
    assert.is_true(led.state.lit)
  end)
  return contexts, part
end

describe("a part", function()
  it("is wired, and reacts", function()
    local board <close> = gpio.board { pins = 2 }
    local part = board:add(inverter, { name = "u1" })
    board:wire(0, "u1.input")
    board:wire(part:pin "output", 1)
    local out, input = assert(board:line(0, { direction = "output" })), assert(board:line(1))
    board:sleep(0.001)
    assert.equal(1, input:get_value())
    out:set_value(1)
    board:sleep(0.001)
    assert.equal(0, input:get_value())
    assert.equal("~u1", part:label())
  end)

  it("gets a name when it has none", function()
    local board <close> = gpio.board {}
    assert.same({ "led1", "inverter1", "led2" }, {
      board:add("led").name, board:add(inverter).name, board:add("led", {}).name,
    })
    assert.same({ "led1", "inverter1", "led2" }, { board.parts[1].name, board.parts[2].name, board.parts[3].name })
  end)

  it("keeps nothing of timers and handlers that were closed", function()
    local board <close> = gpio.board {}
    local part = board:add(parts.kind { name = "chip", pins = { "a" } })
    for _ = 1, 100 do
      part:after(1, print):close()
      part:on_edge("a", "change", print):close()
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(part.running))
  end)

  it("owns its pins", function()
    local board <close> = gpio.board { name = "bench" }
    board:add("led", { name = "red" })
    local line, message, code = board:line "red.anode"
    assert.same({ nil, "board bench: pin red.anode is in use by red", "EBUSY" }, { line, message, code })
  end)

  it("calls functions later, and runs tasks, until it stops", function()
    local board <close> = gpio.board {}
    local log = {}
    local function note(what)
      table.insert(log, ("%s@%g"):format(what, board:now()))
    end
    local part = board:add(parts.kind {
      name = "clockwork", pins = {},
      start = function(self)
        self:after(0.2, function() note "later" end)
        self:after(0.1, function() note "never" end):close()
        self:task(function()
          while board:sleep(0.15) do
            note "task"
          end
        end)
      end,
      finish = function() note "finish" end,
    })
    board:sleep(0.35)
    part:stop()
    part:stop()
    board:sleep(1)
    assert.same({ "task@0.15", "later@0.2", "task@0.3", "finish@0.35" }, log)
  end)

  it("leaves nothing behind when its board closes", function()
    local board = gpio.board {}
    board:add(parts.kind {
      name = "sleeper", pins = {},
      start = function(self)
        self:after(100, error)
        self:task(function()
          board:sleep(100)
        end)
      end,
    })
    tasks.sleep(0)
    board:close()
  end)

  describe("that raises", function()
    it("is named with its board, pin and net, and stops; the rest runs on", function()
      local contexts, part = reported {
        start = function(self)
          self:on_edge("a", "change", function()
            error "no idea"
          end)
        end,
      }
      assert.equal(1, #contexts)
      assert.matches("board bench: part bad7 (bad), pin a, net D1: error in its handler; the part stops",
        contexts[1].message, 1, true)
      assert.matches("no idea", part.failure)
    end)

    it("is named in its finish too, after its failure", function()
      local contexts, part = reported {
        start = function(self)
          self:on_edge("b", "change", error)
          self:after(0.001, function()
            error "first"
          end)
        end,
        finish = function()
          error { "second" }
        end,
      }
      assert.equal(2, #contexts)
      table.sort(contexts, function(a, b)
        return a.message > b.message
      end)
      assert.matches("board bench: part bad7 (bad): error in its timer; the part stops", contexts[1].message, 1, true)
      assert.matches("board bench: part bad7 (bad): error in its finish", contexts[2].message, 1, true)
      assert.matches("first", part.failure)
    end)

    it("is named when it starts, in its timers and in its tasks", function()
      for what, start in pairs {
        start = function()
          error "oops"
        end,
        timer = function(self)
          self:after(0.001, function()
            error "oops"
          end)
        end,
        task = function(self)
          self:task(function()
            self.board:sleep(0.001)
            error "oops"
          end)
        end,
      } do
        local contexts = reported { start = start }
        assert.equal(1, #contexts)
        assert.matches("board bench: part bad7 (bad): error in its " .. what, contexts[1].message, 1, true)
      end
    end)
  end)

  describe("that is none", function()
    local function mistake(kind, attributes)
      local board <close> = gpio.board { name = "bench" }
      board:add("led", { name = "led7" })
      return errors.raised_by(board.add, board, kind, attributes)
    end

    it("is refused by its name", function()
      assert.matches("board:add: there is no part laser in strobe.gpio.parts", mistake "laser")
      assert.matches("a kind of part, or its name, expected, got table", mistake {})
      assert.matches("part led has no attribute size", mistake("led", { size = 1 }))
      assert.matches("board bench has a led7 already", mistake("led", { name = "led7" }))
      assert.matches("without a dot expected, got a.b", mistake("led", { name = "a.b" }))
    end)

    it("has pins with names, each once", function()
      local board <close> = gpio.board {}
      local function refused(pins)
        return errors.raised_by(board.add, board, parts.kind { name = "chip", pins = pins })
      end
      assert.matches("board:add: part chip: pins: a is there twice", refused { "a", "b", "a" })
      assert.matches("board:add: part chip: pins%[2%]: a name .* expected, got 7", refused { "a", 7 })
      assert.matches("part chip: pins%[1%]: a name .* expected, got a\tb", refused { "a\tb" })
      assert.same({ 0, 0 }, { #board.parts, board:stats().lines })
    end)

    it("is refused as a kind", function()
      local function refused(kind)
        return errors.raised_by(parts.kind, kind)
      end
      assert.matches("gpio.part.kind: a table expected, got nil", refused(nil))
      assert.matches("gpio.part.kind: name: a name .* expected, got nil", refused {})
      assert.matches("gpio.part.kind: x: pins: a list of names expected", refused { name = "x" })
      assert.matches("gpio.part.kind: x: colour: functions are methods", refused { name = "x", pins = {}, colour = 1 })
      assert.matches("x: after: every part has that", refused { name = "x", pins = {}, after = print })
    end)

    it("has no other pins than its kind", function()
      local board <close> = gpio.board { name = "bench" }
      local led = board:add "led"
      assert.matches("part led1 %(led%) on board bench has no pin gate; it has anode, cathode",
        errors.raised_by(led.pin, led, "gate"))
      assert.matches("part led1 has no pin gate", errors.raised_by(led.on_edge, led, "gate", "both", print))
    end)
  end)
end)
