local async = require "strobe.async"
local collect = require("spec.support.collector").collect
local errors = require "spec.support.errors"
local gpio = require "strobe.core.gpio"
local program = require "spec.support.program"
local reports = require "spec.support.reports"

local MS = 1000 * 1000 -- in ns

-- A board with an output wired to an input.
local function wired(options)
  local board = gpio.board(options or {})
  local out, input = board:component("u", "out"), board:component("v", "in")
  out:configure { direction = "output" }
  out:connect(input)
  return board, out, input
end

-- A handler that notes "value@time" in ms, and its list.
local function noted()
  local notes = {}
  return function(value, time)
    table.insert(notes, ("%s@%g"):format(value, time / MS))
  end, notes
end

describe("a board", function()
  it("follows the loop's clock", function()
    local board, out, input = wired()
    local handler, notes = noted()
    board:subscribe({ input }, "both", nil, handler)
    async.sleep(0.005)
    out:set(1)
    async.sleep(0.005)
    assert.equal(10 * MS, board:time())
    out:set(false)
    assert.equal(0, out:get()) -- the writer reads back what others see a delta later
    assert.equal(1, input:get())
    async.sleep(0)
    async.sleep(0)
    assert.equal(0, input:get())
    assert.same({ "1@5", "0@10" }, notes)
    board:close()
  end)

  it("makes edges while somebody looks, at their times", function()
    local board, out, input = wired()
    local handler, notes = noted()
    out:pwm(2 * MS, MS)
    async.sleep(0.0105)
    assert.equal("1", input:level())
    assert.equal(0, board:stats().events)
    local subscription = board:subscribe({ input }, "both", nil, handler)
    async.sleep(0.004)
    assert.same({ "0@11", "1@12", "0@13", "1@14" }, notes)
    subscription:close()
    subscription:close()
    async.sleep(0.004)
    assert.equal(4, #notes)
    board:close()
  end)

  it("stands still when paused, and steps", function()
    local board, out, input = wired()
    board:pause()
    out:pwm(10, 5)
    local seen = board:subscribe({ input }, "both", 100)
    async.sleep(1)
    assert.equal(0, board:time())
    assert.equal(100, board:step(100))
    assert.equal(20, #seen)
    assert.equal(105, board:step_until(input, 0))
    assert.equal(115, board:step_deltas(2))
    assert.equal(120, board:step_until(input, "x", 5))
    local values, times, indexes, line_seqs, seqs = seen:read(2)
    assert.same({ { 0, 1 }, { 5, 10 }, { 1, 1 } }, { values, times, indexes })
    assert.same({ line_seqs[1] + 1, seqs[1] + 1 }, { line_seqs[2], seqs[2] })
    seen:close()
    board:resume()
    async.sleep(1)
    assert.equal(120 + 1000 * MS, board:time())
    assert.matches("pause the board first", errors.raised_by(board.step, board, 1))
    board:close()
  end)

  it("delays tasks by simulated time", function()
    local board = gpio.board {}
    local order = {}
    for _, ms in ipairs { 3, 1, 2, 1 } do
      async.create_task(function()
        assert(board:delay(ms * MS))
        table.insert(order, ("%d@%d"):format(ms, board:time() // MS))
      end)
    end
    async.sleep(0.01)
    assert.same({ "1@1", "1@1", "2@2", "3@3" }, order)
    board:close()
  end)

  it("calls functions after simulated time, unless their alarm is closed", function()
    local board = gpio.board {}
    local order = {}
    local function note(name)
      return function()
        table.insert(order, ("%s@%g"):format(name, board:time() / MS))
      end
    end
    board:after(2 * MS, note "b")
    board:after(0, note "now")
    board:after(MS, note "never"):close()
    local rung = board:after(MS, function()
      note "a" ()
      board:after(2 * MS, note "c")
      collectgarbage()
    end)
    async.sleep(0.01)
    rung:close()
    assert.same({ "now@0", "a@1", "b@2", "c@3" }, order)
    assert.matches("0 ns or more expected", errors.raised_by(board.after, board, -1, print))
    assert.matches("function expected", errors.raised_by(board.after, board, 1))
    board:close()
  end)

  it("ends its alarms when it closes, also in one of them", function()
    local board = gpio.board {}
    local calls = 0
    local last = board:after(2 * MS, error)
    board:after(MS, function()
      calls = calls + 1
      board:close()
    end)
    board:after(MS, error)
    async.sleep(0.01)
    last:close()
    collect()
    assert.equal(1, calls)
  end)

  it("goes on after an alarm that raises", function()
    local board = gpio.board {}
    local contexts = reports.of(function()
      board:after(MS, function()
        error "oops"
      end)
      assert(board:delay(2 * MS))
    end)
    assert.equal(1, #contexts)
    assert.matches("circuit timer", contexts[1].message)
    board:close()
  end)

  it("lets tasks react within the same time", function()
    local board, out, input = wired()
    local led = board:component("led", "a")
    led:configure { direction = "output" }
    local edges, lit = board:subscribe({ input }, "rising"), board:subscribe({ led }, "change")
    local task = async.create_task(function()
      while edges:wait() do
        led:set(input:get())
      end
    end)
    async.sleep(0.001)
    out:set(1)
    assert.same({ "1", MS, 1, 2, 2 }, { select(2, lit:wait(), lit:wait()) })
    board:close()
    task:await()
  end)

  it("lets tasks that a handler starts begin at the handler's time", function()
    local board, out, input = wired()
    board:pause()
    local ends = {}
    board:subscribe({ input }, "rising", nil, function()
      async.create_task(function()
        board:delay(MS)
        table.insert(ends, board:time() / MS)
      end)
    end)
    out:pwm(4 * MS, 2 * MS)
    board:step(10 * MS)
    assert.same({ 5, 9 }, ends)
    board:close()
  end)

  it("wakes all who wait when it closes", function()
    local board, _, input = wired()
    local edges = board:subscribe({ input }, "both")
    local ends = {}
    for _, wait in ipairs {
      function()
        return edges:wait()
      end,
      function()
        return board:delay(MS * MS)
      end,
    } do
      async.create_task(function()
        table.insert(ends, (select(3, wait())))
      end)
    end
    async.sleep(0.001)
    board:close()
    board:close()
    async.sleep(0)
    assert.same({ "ECANCELED", "ECANCELED" }, ends)
    assert.matches("closed", errors.raised_by(input.get, input))
    assert.matches("closed", errors.raised_by(board.time, board))
    edges:close()
  end)

  it("stops with the names of what oscillates", function()
    local board, out, input = wired { name = "lab", delta_limit = 100 }
    input:label "loop"
    local contexts = reports.of(function()
      board:subscribe({ input }, "change", nil, function(value)
        out:set(value == "1" and 0 or 1)
      end)
      out:set(1)
      async.sleep(0.1)
    end)
    assert.equal(1, #contexts)
    assert.matches("board lab: at 0 ns nothing settles within 100 deltas; still changing: loop", contexts[1].message)
    local value, message, code = board:delay(1)
    assert.same({ nil, "EOSCILLATION" }, { value, code })
    assert.matches("loop", message)
    board:close()
  end)

  it("reports contention with both outputs", function()
    local board, out, input = wired()
    async.sleep(0.001)
    assert.equal("ETIMEDOUT", (select(3, board:wait_contention(0))))
    input:configure { direction = "output", output_value = 1 }
    assert.is_true(board:wait_contention(MS))
    async.sleep(0.001)
    assert.equal("x", out:level())
    assert.same({ 0, "x" }, { out:get() })
    input:configure { direction = "input" }
    assert.is_true(board:wait_contention())
    assert.same({
      {
        seq = 1,
        began = MS,
        ended = 2 * MS,
        net = "u.out",
        drivers = { { pin = "u.out", level = "0" }, { pin = "v.in", level = "1" } },
      },
    }, board:contentions())
    assert.same({}, board:contentions(1))
    board:close()
  end)

  it("is collected with all that belongs to it, unless a handler is there", function()
    local handler, notes = noted()
    do
      local dropped, out, input = wired()
      dropped:subscribe({ input }, "both")
      out:pwm(2 * MS, MS)
    end
    do
      local board, out, input = wired()
      board:subscribe({ input }, "rising", nil, function(value, time)
        handler(value, time)
        if #notes == 2 then
          board:close()
        end
      end)
      out:pwm(2 * MS, MS)
    end
    collect()
    async.sleep(0.01)
    assert.same({ "1@2", "1@4" }, notes)
  end)
end)

describe("a board without memory", function()
  for _, in_a_row in ipairs { 1, 2, 8 } do
    it(("comes to its end when %d allocations fail, whichever"):format(in_a_row), function()
      local path = "spec/modules/strobe/gpio/allocation_program.lua"
      local output, status = program.run("allocation_test", path, 1, in_a_row)
      assert.equal(0, status, output)
      assert.matches("%d%d runs, 0 bad\n$", output)
    end)
  end
end)

describe("a subscription", function()
  it("times out in simulated time", function()
    local board, out, input = wired()
    local edges = board:subscribe({ input }, "rising")
    local value, message, code = edges:wait(5 * MS)
    assert.same({ nil, "no event of v.in came in time", "ETIMEDOUT" }, { value, message, code })
    assert.equal(5 * MS, board:time())
    assert.is_nil((edges:wait(0)))
    async.sleep(0.001)
    assert.is_nil((edges:wait(2 * MS))) -- from now on, not from when the board last had work
    assert.equal(8 * MS, board:time())
    out:set(1)
    assert.equal(1, (edges:wait(MS)))
    assert.equal(0, board:stats().events)
    board:close()
  end)

  it("may be cancelled", function()
    local board, out, input = wired()
    local edges = board:subscribe({ input }, "rising")
    local task = async.create_task(edges.wait, edges, MS)
    async.sleep(0)
    assert.matches("another task", errors.raised_by(edges.wait, edges))
    task:cancel()
    errors.raised(async.CancelledError, task.await, task)
    out:set(1)
    assert.equal(1, (edges:wait(MS)))
    board:close()
  end)

  it("ends under who waits", function()
    local board, _, input = wired()
    local edges = board:subscribe({ input }, "rising")
    local task = async.create_task(edges.wait, edges)
    async.sleep(0)
    edges:close()
    assert.equal("ECANCELED", (select(3, task:await())))
    assert.equal("ECANCELED", (select(3, edges:read())))
    assert.equal(0, #edges)
    board:close()
  end)

  it("keeps the newest, and counts what it lost", function()
    local board, out, input = wired()
    board:pause()
    local edges = board:subscribe({ input }, "both", 2)
    out:pwm(10, 5)
    board:step(100)
    assert.same({ 2, 18 }, { #edges, edges:overruns() })
    local _, times, _, _, seqs = edges:read()
    assert.same({ { 95, 100 }, { 19, 20 } }, { times, seqs })
    edges:close()
    assert.equal(18, edges:overruns())
    board:close()
  end)

  it("goes on after a handler's error, which is reported", function()
    local board, out, input = wired()
    local calls = 0
    local contexts = reports.of(function()
      board:subscribe({ input }, "both", nil, function()
        calls = calls + 1
        error "oops"
      end)
      async.sleep(0.001)
      out:set(1)
      async.sleep(0.001)
      out:set(0)
      async.sleep(0.001)
    end)
    assert.same({ 2, 2 }, { calls, #contexts })
    board:close()
  end)

  it("calls handlers in the order they were registered", function()
    local board, out, input = wired()
    local order, first = {}, nil
    for number = 1, 3 do
      local subscription = board:subscribe({ out }, "change", nil, function()
        table.insert(order, number)
        if number == 1 then
          board:subscribe({ input }, "change"):close()
          first:close()
        end
      end)
      first = first or subscription
    end
    out:set(1)
    async.sleep(0.001)
    out:set(0)
    async.sleep(0.001)
    assert.same({ 1, 2, 3, 2, 3 }, order)
    board:close()
  end)

  it("lets its handler close the board", function()
    local board, out, input = wired()
    board:subscribe({ input }, "rising", nil, function()
      board:close()
      collectgarbage()
    end)
    out:pwm(10, 5)
    async.sleep(0.001)
    assert.matches("closed", errors.raised_by(out.get, out))
  end)
end)

describe("a line", function()
  it("refuses what cannot be, and says where", function()
    local board, out, input = wired { name = "lab", read = "error" }
    assert.matches("board lab: a write to pin v.in %(net u.out%), an input", errors.raised_by(input.set, input, 1))
    assert.matches("board lab: edges of pin u.out", errors.raised_by(board.subscribe, board, { out }, "both"))
    assert.matches("bias: up is no bias", errors.raised_by(out.configure, out, { bias = "up" }))
    assert.matches("0, 1, 'z' or 'x' expected", errors.raised_by(out.set, out, "high"))
    assert.matches("lines of this board", errors.raised_by(board.subscribe, board, { 1 }, "both"))
    async.sleep(0)
    out:set "z"
    async.sleep(0.001)
    local _, message, code = input:get()
    assert.equal("EFLOATING", code)
    assert.equal("board lab: pin v.in (net u.out) is driven by nobody", message)
    assert.is_true(input:request("blink.lua"))
    assert.equal("EBUSY", (select(3, input:request "fade.lua")))
    assert.same({ "blink.lua", 1 }, { input:info().consumer, input:info().floating_reads })
    board:close()
  end)

  it("may be cut off, and stuck", function()
    local board = gpio.board {}
    local out, input = board:component("u", "out"), board:component("v", "in")
    local wire = out:connect(input)
    out:configure { direction = "output", output_value = 1 }
    async.sleep(0.001)
    assert.same({ "1", "1" }, { out:level(), input:level() })
    wire:cut()
    wire:cut()
    assert.same({ "1", "z" }, { out:level(), input:level() })
    out:stick(0)
    async.sleep(0.001)
    assert.equal("0", out:level())
    out:stick()
    async.sleep(0.001)
    assert.equal("1", out:level())
    board:close()
  end)
end)
