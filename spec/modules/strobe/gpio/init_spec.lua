local async = require "strobe.async"
local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local reports = require "spec.support.reports"

-- Its error, without the place.
local function mistake(f, ...)
  return (errors.raised_by(f, ...):gsub("^[^ ]*:%d+: ", ""))
end

describe("a board", function()
  describe("when it is made", function()
    it("has the pins that are named, or as many as are asked for", function()
      local named <close> = gpio.board { pins = { "D2", "D13" } }
      local counted <close> = gpio.board { pins = 20 }
      assert.equal("D13", named:line_info("D13").name)
      assert.equal("19", counted:line_info(19).name)
      assert.equal("19", counted:line_info("19").name)
    end)

    it("refuses options that are none", function()
      assert.equal("gpio.board: there is no option pin", mistake(gpio.board, { pin = {} }))
      assert.equal("gpio.board: seed: a whole number expected, got 1", mistake(gpio.board, { seed = "1" }))
      assert.matches("pins: names, or a number up to %d+, expected, got %-1", mistake(gpio.board, { pins = -1 }))
      assert.equal("gpio.board: pins: D1 is there twice", mistake(gpio.board, { pins = { "D1", "D1" } }))
      assert.equal("gpio.board: pins: GND is there anyway", mistake(gpio.board, { pins = { "GND" } }))
      assert.matches("without a dot expected, got a.b", mistake(gpio.board, { pins = { "a.b" } }))
      assert.equal("gpio.board: seed: a whole number expected, got 0.5", mistake(gpio.board, { seed = 0.5 }))
      assert.equal("gpio.board: floating: one of error, high, hold, low, random expected, got up",
        mistake(gpio.board, { floating = "up" }))
    end)
  end)

  describe("in time", function()
    it("follows the clock, in seconds", function()
      local board <close> = gpio.board {}
      async.sleep(0.25)
      assert.equal(0.25, board:now())
      assert(board:sleep(0.5))
      assert.equal(750000000, board:now_ns())
    end)

    it("stands still when it is paused, and steps", function()
      local board <close> = gpio.board { pins = 1, paused = true }
      local line <close> = assert(board:line(0, { direction = "output" }))
      async.sleep(1)
      assert.equal(0, board:now())
      assert.equal(0.1, board:step(0.1))
      line:pwm(1000)
      assert.equal(0.1, board:run_until(line, "1", 1))
      assert.equal(0.1005, board:run_until(line, "0", 1))
      assert.equal(0.101, board:run_until("0", 1))
      board:step_events(1)
      local now, message, code = board:run_until(0, "x", 0.25)
      assert.same({ nil, "board board: 0 did not become x within 0.25 s", "ETIMEDOUT" }, { now, message, code })
      board:resume()
      async.sleep(1)
      assert.near(1.3515, board:now(), 0.0011)
    end)

    it("ends all waits when it closes", function()
      local board = gpio.board {}
      local sleeping = async.create_task(function()
        return select(3, board:sleep(100))
      end)
      async.sleep(0)
      board:close()
      board:close()
      assert.equal("ECANCELED", sleeping:await())
    end)

    -- A board on which stepping does not come to its end soon.
    local function busy(board)
      board:add("clock", { frequency = 1e6 })
      board:wire("clock1.OUT", "D3")
      assert(board:line("D3")):on_edge("both", function() end) -- a clock makes edges for who looks
      board:pause()
      return board
    end

    -- Each way to wait on a board: D1 is an output, D2 an input, joined with it.
    local waits = {
      sleep = function(board) return board:sleep(100) end,
      wait_edge = function(_, input) return input:wait_edge() end,
      edges = function(_, input) for _ in input:edges() do error "no edge" end end,
      edge_values = function(_, input) for _ in input:edge_values() do error "no edge" end end,
      ["board:edges"] = function(board, input) for _ in board:edges { input } do error "no edge" end end,
      watch_lines = function(board) return board:watch_lines():wait() end,
      serout = function(board) return board:serout("D3", 1, { 100 }) end,
      play = function(board)
        return board:play("$timescale 1 s $end $var wire 1 ! c $end $enddefinitions $end\n#9\n1!\n", { c = "D3" })
      end,
      trace = function(board)
        local trace <close> = assert(board:trace(function() return true end)) -- luacheck: ignore
        return board:sleep(100)
      end,
      step = function(board) return busy(board):step(1e6) end,
      step_events = function(board) return busy(board):step_events(1000000000) end,
      run_until = function(board) return busy(board):run_until("D3", "x") end,
    }

    -- Has a task wait, then calls `ending(board, task)`; what the task returned.
    local function ended(wait, ending)
      local board <close> = gpio.board { name = "bench", pins = { "D1", "D2", "D3" } }
      board:wire("D1", "D2")
      assert(board:line("D1", { direction = "output" }))
      board:sleep(0.001)
      local input = assert(board:line("D2"))
      board:on_contention(error)
      local task = async.create_task(wait, board, input)
      for _ = 1, 5 do
        async.sleep(0)
      end
      assert.is_false(task:done())
      ending(board, task)
      async.wait { task }
      return task
    end

    for name, wait in pairs(waits) do
      it("ends a wait when it closes: " .. name, function()
        local task = ended(wait, function(board)
          board:close()
        end)
        local value, _, code = task:result()
        assert.is_true(value == nil and (code == nil or code == "ECANCELED"))
      end)

      it("lets a wait be cancelled, and goes on: " .. name, function()
        local task = ended(wait, function(board, its)
          its:cancel()
          async.wait { its }
          board:resume()
          assert(board:sleep(0.001))
        end)
        assert.is_true(task:cancelled())
      end)
    end

    it("waits no more once it is closed, and says its name to all else", function()
      local board = gpio.board { name = "bench", pins = 1 }
      local line = assert(board:line(0))
      board:close()
      for _, wait in ipairs { "sleep", "step", "step_events" } do
        assert.same({ nil, "board bench was closed", "ECANCELED" }, { board[wait](board, 1) })
      end
      assert.same({ nil, "board bench was closed", "ECANCELED" }, { line:wait_edge() })
      for _, call in ipairs { "now", "pause", "stats", "watch_lines", "contentions" } do
        assert.matches("board bench was closed$", errors.raised_by(board[call], board))
      end
      assert.matches("board:line: board bench was closed$", errors.raised_by(board.line, board, 0))
      assert.matches("board bench was closed$", errors.raised_by(board.add, board, "led"))
    end)

    it("is closed once, whoever closes it meanwhile", function()
      local board = gpio.board {}
      local part = require("strobe.gpio.part").kind { name = "closer", pins = {}, finish = function()
        board:close()
      end }
      board:add(part)
      board:at_close(function()
        board:close()
      end)
      board:close()
      assert.is_true(board.closed)
    end)

    it("runs by the clock or by steps, not by both", function()
      local board <close> = gpio.board { name = "bench", pins = 1 }
      assert.equal("board:step: pause board bench first: it runs by the clock", mistake(board.step, board, 1))
      assert.equal("board:run_until: pause board bench first: it runs by the clock",
        mistake(board.run_until, board, 0, 1))
      board:pause()
      assert.equal("board:run_until: level: 0, 1, z or x expected, got 2", mistake(board.run_until, board, 0, 2))
    end)

    it("refuses times that are none", function()
      local board <close> = gpio.board {}
      assert.equal("board:sleep: 0 seconds or more expected, got -1", mistake(board.sleep, board, -1))
      assert.matches("expected, got %-?nan", mistake(board.sleep, board, 0 / 0))
      assert.matches("expected, got 1e", mistake(board.step, board, 1e300))
    end)
  end)

  describe("with chance", function()
    it("has the same one from the same seed", function()
      local function numbers(seed)
        local board <close> = gpio.board { seed = seed }
        return { board:random(), board:random(1, 6), board:random(1, 6) }
      end
      assert.same(numbers(1), numbers(1))
      assert.not_same(numbers(1), numbers(2))
    end)
  end)

  it("warns once of each pin that is read while it floats", function()
    local board <close> = gpio.board { name = "bench", pins = 2 }
    local a <close> = assert(board:line(0))
    local b <close> = assert(board:line(1))
    local contexts = reports.of(function()
      assert.same({ 0, 0, 0 }, { a:get_value(), a:get_value(), b:get_value() })
    end)
    assert.equal(2, #contexts)
    assert.equal("board bench: pin 0 was read while its level is z: nobody drives it: give it a bias, or a wire",
      contexts[1].message)
    assert.is_true(contexts[1].warning)
    assert.equal(3, board:stats().floating_reads)
  end)

  it("stops with the nets that oscillate, and goes on when their loop was cut", function()
    local board <close> = gpio.board { name = "ring", pins = 2 }
    local inverter = require("strobe.gpio.part").kind {
      name = "not", pins = { "a", "q" },
      start = function(self)
        self.line.q:configure { direction = "output" }
        self:on_edge("a", "change", function(level)
          self.line.q:set(level == "0" and 1 or 0)
        end)
      end,
    }
    board:add(inverter, { name = "u1" })
    local loop = board:wire("u1.a", "u1.q")
    local ok, message, code = board:sleep(0.1)
    assert.same({ nil, "EOSCILLATION" }, { ok, code })
    assert.matches("board ring: .*u1", message)
    loop:cut()
    board:clear()
    assert(board:sleep(0.1))
  end)
end)
