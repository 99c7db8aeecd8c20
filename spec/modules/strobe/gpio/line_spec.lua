local async = require "strobe.async"
local errors = require "spec.support.errors"
local gpio = require "strobe.gpio"
local sh = require("spec.support.shell").run

local MS = 1000 * 1000 -- in ns

-- An output that is wired to an input.
local function wired(settings)
  local board = gpio.board { name = "bench", pins = { "D1", "D2" } }
  board:wire("D1", "D2")
  local out = assert(board:line("D1", { direction = "output" }))
  local input = assert(board:line("D2", settings))
  board:sleep(0.001)
  return board, out, input
end

describe("a line", function()
  describe("when it is requested", function()
    it("belongs to one at a time", function()
      local board <close> = gpio.board { name = "bench", pins = { "D1" } }
      local first = assert(board:line("D1", { consumer = "blink" }))
      local line, message, code = board:line "D1"
      assert.same({ nil, "board bench: pin D1 is in use by blink", "EBUSY" }, { line, message, code })
      first:release()
      first:release()
      assert.matches("^line_spec.lua:%d+$", assert(board:line "D1"):info().consumer)
      assert.matches("line:set_value: pin D1 was released", errors.raised_by(first.set_value, first, 1))
    end)

    it("may be shared by those who say so", function()
      local board <close> = gpio.board { pins = 1 }
      local a = assert(board:line(0, { shared = true }))
      local b <close> = assert(board:line(0, { shared = true }))
      a:release()
      assert.is_true(b:info().used)
      assert.equal("EBUSY", select(3, board:line(0)))
    end)

    it("refuses pins and settings that there are not", function()
      local board <close> = gpio.board { name = "bench", pins = { "D1" } }
      local function mistake(pin, settings)
        return errors.raised_by(board.line, board, pin, settings)
      end
      assert.matches("board:line: board bench has no pin D99; it has D1", mistake "D99")
      assert.matches("board bench has no part led7", mistake "led7.anode")
      assert.matches("there is no setting pull; there are active_low, bias", mistake("D1", { pull = "up" }))
      assert.matches("bias: one of as%-is, disabled, .* expected, got up", mistake("D1", { bias = "up" }))
      assert.matches("active_low: a boolean expected, got number", mistake("D1", { active_low = 1 }))
      assert.matches("debounce_period: 0 seconds or more expected", mistake("D1", { debounce_period = -1 }))
      assert.is_false(board:line_info("D1").used)
    end)

    it("takes its settings as a table", function()
      local board <close> = gpio.board { pins = 1 }
      assert.matches("board:line: settings: a table expected, got string",
        errors.raised_by(board.line, board, 0, "output"))
    end)

    it("is free again when its settings were refused late", function()
      local board <close> = gpio.board { pins = 1 }
      errors.raised_by(board.line, board, 0, { direction = "output", output_value = "?" })
      assert.is_false(board:line_info(0).used)
    end)
  end)

  it("tells what there is to know about it", function()
    local board <close> = gpio.board { pins = { "D1" } }
    local line <close> = assert(board:line("D1", {
      bias = "pull-up", active_low = true, debounce_period = 0.005, edge = "falling", consumer = "me",
    }))
    assert.same({
      name = "D1", net = "D1", direction = "input", bias = "pull-up", drive = "push-pull", active_low = true,
      edge = "falling", debounce_period = 0.005, consumer = "me", used = true, floating_reads = 0,
    }, line:info())
    line:reconfigure { direction = "output", drive = "open-drain" }
    assert.equal("open-drain", board:line_info("D1").drive)
    assert.equal("pull-up", board:line_info("D1").bias)
  end)

  it("drives and reads", function()
    local board <close>, out, input = wired()
    out:set_value(true)
    board:sleep(0.001)
    assert.equal(1, input:get_value())
    out:toggle()
    board:sleep(0.001)
    assert.equal("0", input:level())
    out:set_value "z"
    board:sleep(0.001)
    assert.equal("z", input:level())
    assert.matches("board bench: .*D2.* an input", errors.raised_by(input.set_value, input, 1))
  end)

  it("says where a wrong direction was asked for, in the caller's file", function()
    local output, status = sh("env -u STROBE_MODULES $S $F", [[
      local board <close> = require("strobe.gpio").board { pins = { "D1" } }
      local line = assert(board:line "D1")
      line:set_value(1)
    ]])
    assert.matches("^strobe: FILE:3: board board: a write to pin board.D1 %(net D1%), an input: make it an output",
      output)
    assert.equal(1, status)
  end)

  it("toggles what it wrote, also where others hold the net", function()
    local board <close> = gpio.board { pins = 2, floating = "error" }
    local line = assert(board:line(0, { direction = "output", output_value = 1, drive = "open-drain" }))
    board:wire(0, "GND")
    board:sleep(0.001)
    local seen = {}
    for i = 1, 3 do
      line:toggle()
      board:sleep(0.001)
      seen[i] = line.core:info().output
    end
    assert.same({ "0", "1", "0" }, seen)
    line:set_value "z"
    line:toggle()
    assert.equal("1", line.core:info().output)
  end)

  it("says where a floating read is an error", function()
    local board <close> = gpio.board { name = "bench", pins = { "D1" }, floating = "error" }
    local line <close> = assert(board:line "D1")
    local value, message, code = line:get_value()
    assert.same({ nil, "EFLOATING" }, { value, code })
    assert.matches("bench.D1", message, 1, true)
  end)

  describe("with edges", function()
    it("is waited for, from now on", function()
      local _ <close>, out, input = wired()
      out:pwm(1000)
      local event = assert(input:wait_edge("falling", 1))
      assert.same({ "falling", 0, "D2" }, { event.edge, event.value, event.line })
      assert.equal(1500000, event.timestamp_ns)
      out:set_value(0)
      local none, message, code = input:wait_edge("rising", 0.5)
      assert.same({ nil, "no event of bench.D2 came in time", "ETIMEDOUT" }, { none, message, code })
      assert.equal("ETIMEDOUT", select(3, input:wait_edge(0.1)))
    end)

    it("keeps them since it was requested", function()
      local board <close>, out, input = wired { edge = "both", event_buffer_size = 2 }
      for _ = 1, 4 do
        out:toggle()
        board:sleep(0.001)
      end
      local event = assert(input:wait_edge())
      assert.same({ "rising", 3, 3 * MS, 2 },
        { event.edge, event.global_seqno, event.timestamp_ns, input:overruns() })
      assert.equal(4, input:wait_edge().line_seqno)
    end)

    it("keeps as many as it is told anew", function()
      local board <close>, out, input = wired { edge = "both", event_buffer_size = 2 }
      input:reconfigure { event_buffer_size = 4 }
      for _ = 1, 5 do
        out:toggle()
        board:sleep(0.001)
      end
      assert.same({ 2, 1 }, { input:wait_edge().global_seqno, input:overruns() })
    end)

    it("has a loop over them, in events or in plain values", function()
      local _ <close>, out, input = wired()
      out:pwm(1000)
      local seen = {}
      for event in input:edges "rising" do
        table.insert(seen, event.timestamp_ns)
        if #seen == 3 then
          break
        end
      end
      assert.same({ MS, 2 * MS, 3 * MS }, seen)
      for value, time, line_seqno, global_seqno in input:edge_values "falling" do
        table.insert(seen, ("%d@%g, %d of %d"):format(value, time / MS, global_seqno, line_seqno))
        if #seen == 5 then
          break
        end
      end
      assert.same({ "0@3.5, 1 of 6", "0@4.5, 2 of 8" }, { seen[4], seen[5] })
    end)

    it("ends its loops, waits and handlers when it is released", function()
      local board <close>, out, input = wired()
      local calls, ends = 0, {}
      input:on_edge("both", function()
        calls = calls + 1
      end)
      local loop = async.create_task(function()
        for _ in input:edges() do -- luacheck: ignore
        end
        table.insert(ends, "loop")
      end)
      local wait = async.create_task(function()
        table.insert(ends, (select(3, input:wait_edge "both")))
      end)
      async.sleep(0)
      input:release()
      out:set_value(1)
      board:sleep(0.001)
      loop:await()
      wait:await()
      table.sort(ends)
      assert.same({ "ECANCELED", "loop" }, ends)
      assert.equal(0, calls)
    end)

    it("ends the loop when the board closes", function()
      local board, _, input = wired()
      local task = async.create_task(function()
        for _ in input:edges() do -- luacheck: ignore
        end
        return "ended"
      end)
      async.sleep(0)
      board:close()
      assert.equal("ended", task:await())
    end)

    it("means the opposite with active_low, and nothing shorter than the debounce", function()
      local board <close>, out, input = wired { active_low = true, debounce_period = 0.005 }
      out:set_value(1)
      assert.equal(0, input:wait_edge("both", 1).value)
      out:set_value(0)
      board:sleep(0.001)
      out:set_value(1)
      assert.equal("ETIMEDOUT", select(3, input:wait_edge("both", 1)))
    end)

    describe("that are debounced", function()
      -- The edges of a line with a debounce of 5 ms, as "edge@ms", where these levels are written, one each ms.
      local function edges(levels, first)
        local board <close> = gpio.board { pins = 2, seed = 1 }
        board:wire(0, 1)
        local out = assert(board:line(0, { direction = "output", output_value = first or "z" }))
        board:sleep(0.001)
        local seen = {}
        local line <close> = assert(board:line(1, { debounce_period = 0.005, edge = "both" }))
        for level in levels:gmatch "." do
          out:set_value(tonumber(level) or level)
          board:sleep(0.001)
        end
        board:sleep(0.01)
        for i = 1, 9 do
          local event = line:wait_edge(0)
          seen[i] = event and ("%s@%g"):format(event.edge, event.timestamp_ns / MS)
        end
        return table.concat(seen, " "), line:get_value()
      end

      it("have the end of their period, also in the first one after the request", function()
        assert.same({ "rising@6", 1 }, { edges("1", 0) })
        assert.same({ "rising@7", 1 }, { edges("01", 0) })
        assert.same({ "falling@6", 0 }, { edges("0", 1) })
      end)

      it("begin with the level that is there, or else with the first that comes", function()
        assert.same({ "", 1 }, { edges("1") })
        assert.same({ "", 0 }, { edges("z0") })
        assert.same({ "rising@7", 1 }, { edges("01") })
        assert.same({ "falling@7", 0 }, { edges("10") })
      end)

      it("are those of levels that stayed: z and x are none", function()
        assert.same({ "", 0 }, { edges("010101010", 0) })
        assert.same({ "", 0 }, { edges("1z0", 0) })
        assert.same({ "rising@6", 1 }, { edges("1zzzzzzzz", 0) })
        assert.same({ "rising@6 falling@13", 0 }, { edges("11111110", 0) })
      end)
    end)

    it("calls a function with plain values, until its handle is closed", function()
      local board <close>, out, input = wired()
      local seen = {}
      local handle = input:on_edge("both", function(...)
        table.insert(seen, { ... })
      end)
      out:set_value(1)
      board:sleep(0.001)
      handle:close()
      out:set_value(0)
      board:sleep(0.001)
      assert.same({ { 1, MS, 1, 1 } }, seen)
    end)

    it("goes on after a handler that raises", function()
      local board <close>, out, input = wired()
      local calls = 0
      local contexts = require("spec.support.reports").of(function()
        input:on_edge("both", function()
          calls = calls + 1
          error "oops"
        end)
        out:set_value(1)
        board:sleep(0.001)
        out:set_value(0)
        board:sleep(0.001)
      end)
      assert.same({ 2, 2 }, { calls, #contexts })
    end)

    it("refuses edges that are none", function()
      local board <close>, _, input = wired()
      assert.matches("line:wait_edge: edge: rising, falling or both expected, got up",
        errors.raised_by(input.wait_edge, input, "up"))
      assert.matches("got none", errors.raised_by(input.on_edge, input, "none", print))
      assert.matches("a function expected, got nil", errors.raised_by(input.on_edge, input, "both"))
      assert.matches("a list of lines expected", errors.raised_by(board.edges, board, {}))
    end)
  end)

  it("refuses a PWM that is none", function()
    local board <close>, out = wired()
    assert.matches("frequency: above 0 and up to 1e9 Hz expected, got 0", errors.raised_by(out.pwm, out, 0))
    assert.matches("duty: 0 to 1 expected, got 2", errors.raised_by(out.pwm, out, 1, 2))
    assert.is_false(board.closed or false)
  end)

  it("is waited for beside others", function()
    local board <close> = gpio.board { pins = 4 }
    board:wire(0, 2)
    board:wire(1, 3)
    local a, b = assert(board:line(0, { direction = "output" })), assert(board:line(1, { direction = "output" }))
    local c, d = assert(board:line(2)), assert(board:line(3))
    async.create_task(function()
      for _, line in ipairs { b, a, a, b } do
        board:sleep(0.001)
        line:toggle()
      end
    end)
    board:sleep(0.0001)
    local seen = {}
    for event in board:edges { c, d } do
      table.insert(seen, event.line .. event.value .. "#" .. event.global_seqno)
      if #seen == 4 then
        break
      end
    end
    assert.same({ "31#1", "21#2", "20#3", "30#4" }, seen)
  end)
end)
