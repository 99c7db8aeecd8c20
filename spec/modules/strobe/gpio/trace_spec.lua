local Folder = require "spec.support.folder"
local async = require "strobe.async"
local fs = require "strobe.async.fs"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local reports = require "spec.support.reports"
local traces = require "spec.support.traces"
local vcd = require "strobe.vcd"

local led = part.kind { name = "led", pins = { "anode", "cathode" } }

local bench, gathered, values_of = traces.board, traces.sink, traces.values_of

-- Traces what `run` does on a board with a LED, if it is to have one: the text.
local function traced(run, options, board_options, with_led)
  return traces.of(run, options, board_options, with_led and function(board)
    board:add(led, { name = "led1" })
  end)
end

local function blink(board)
  local line <close> = assert(board:line("D13", { direction = "output" }))
  board:sleep(0.001)
  line:set_value(1)
  board:sleep(0.002)
end

-- A circuit that its board's own chance drives, with a wire that comes and goes.
local function dice(flushes)
  return function(board)
    local line <close> = assert(board:line("D13", { direction = "output" }))
    local other <close> = assert(board:line("D2", { direction = "output" }))
    for i = 1, 300 do
      board:sleep(board:random() * 0.01)
      line:set_value(board:random(0, 1))
      other:set_value(board:random(0, 1))
      if flushes and i % 3 == 1 then
        async.sleep(0)
      end
    end
    line:pwm(50000, 0.3)
    board:sleep(0.2)
  end
end

describe("a board's trace", function()
  it("has a scope for the board and one for each part, and one id for each net", function()
    assert.equal([[
$version strobe $end
$timescale 1 us $end
$scope module bench $end
$var wire 1 ! D2 $end
$var wire 1 " D13 $end
$scope module led1 $end
$var wire 1 " anode $end
$var wire 1 # cathode $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
z!
0"
0#
$end
#1000
1"
#3000
0"
#3001
]], (function()
      local board <close> = bench()
      board:add(led, { name = "led1" })
      board:wire("D13", "led1.anode")
      board:wire("led1.cathode", "GND")
      local parts, sink = gathered()
      local trace = assert(board:trace(sink, { reals = false }))
      local line = assert(board:line("D13", { direction = "output" }))
      board:sleep(0.001)
      line:set_value(1)
      board:sleep(0.002)
      line:set_value(0)
      assert(trace:close())
      return table.concat(parts)
    end)())
  end)

  it("is written to its file, by the end of its block", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/a.vcd"
    local board <close> = bench()
    do
      local trace <close> = assert(board:trace(path)) -- luacheck: ignore
      blink(board)
    end
    local content = assert(vcd.read(path))
    assert.same({ "0", "1", "z" }, (values_of(content, "D13")))
    assert.equal(3001000, content.finish)
  end)

  it("ends with its board", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/a.vcd"
    local board = bench()
    local trace = assert(board:trace(path))
    blink(board)
    board:close()
    assert(trace:close())
    assert(trace:close())
    assert.equal(3000000, assert(vcd.read(path)).finish)
  end)

  it("is drawn as WaveDrom once it was closed", function()
    local folder <close> = Folder.new {}
    local board <close> = bench()
    local trace = assert(board:trace(folder.path .. "/a.vcd"))
    blink(board)
    assert.has_error(function() gpio.wavedrom(trace) end, "gpio.wavedrom: a trace with a path that was closed expected")
    assert(trace:close())
    local drawn = assert(gpio.wavedrom(trace, { signals = { "D13" }, period = 1000000 }))
    assert.truthy(drawn:find('{"name":"D13","wave":"01.z"}', 1, true), drawn)
    assert.equal("ENOENT", (select(3, gpio.wavedrom(folder.path .. "/b.vcd"))))
  end)

  it("can be looked at while the board runs: what is over is in the file within a second", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/a.vcd"
    local board <close> = bench()
    local trace <close> = assert(board:trace(path)) -- luacheck: ignore
    blink(board)
    board:sleep(2)
    local content = assert(vcd.read(path))
    assert.same({ "0", "1", "z" }, (values_of(content, "D13")))
  end)

  it("is the same, byte for byte, for the same inputs, whenever it was written", function()
    local once = traced(dice(false), nil, { seed = 7 }, true)
    assert.equal(once, traced(dice(true), nil, { seed = 7 }, true))
    assert.not_equal(once, traced(dice(false), nil, { seed = 8 }, true))
    assert.is_true(#once > 10000)
  end)

  it("traces the pins that were asked for: by name, or all of a part", function()
    local board <close> = bench()
    board:add(led, { name = "led1" })
    board:add(led, { name = "led2" })
    local parts, sink = gathered()
    local trace = assert(board:trace(sink, { pins = { "led2", "D2", "led1.anode" }, reals = false }))
    assert(trace:close())
    local list = {}
    for i, var in ipairs(assert(vcd.read(table.concat(parts))).vars) do
      list[i] = var.scope .. "." .. var.name
    end
    assert.same({ "bench.D2", "bench.led1.anode", "bench.led2.anode", "bench.led2.cathode" }, list)
  end)

  it("has the duty of PWM as a number beside the edges", function()
    local content = assert(vcd.read(traced(function(board)
      local line = assert(board:line("D13", { direction = "output" }))
      board:sleep(0.01)
      line:pwm(100, 0.25)
      board:sleep(0.005)
      line:pwm(100, 0.75) -- begins with the next period
      board:sleep(0.02)
      line:pwm(100, 1)
      board:sleep(0.025)
      line:set_value(0)
    end, { reals = { "D13" } })))
    local values, times = values_of(content, "D13_duty")
    assert.same({ 0, 0.25, 0.75, 1, 0 }, values)
    assert.same({ 0, 10e6, 20e6, 40e6, 60e6 }, times)
    values, times = values_of(content, "D13")
    assert.same({ "z", "0", "1", "0", "1", "0", "1", "0", "1", "0" }, { "z", table.unpack(values) })
    assert.equal(12500000, times[3])
  end)

  it("shows pins whose wire was cut as x while they differ", function()
    local content = assert(vcd.read((function()
      local board <close> = bench()
      board:add(led, { name = "led1" })
      local wire = board:wire("D13", "led1.anode")
      local line = assert(board:line("D13", { direction = "output", output_value = 1 }))
      board:sleep(0.001)
      local parts, sink = gathered()
      local trace = assert(board:trace(sink))
      board:sleep(0.001)
      wire:cut()
      board:sleep(0.001)
      wire:restore()
      board:sleep(0.001)
      line:set_value(0)
      board:sleep(0.001)
      assert(trace:close())
      return table.concat(parts)
    end)()))
    assert.same({ "1", "x", "1", "0" }, (values_of(content, "anode")))
  end)

  it("takes marks as a string variable", function()
    local content = assert(vcd.read(traced(function(board, trace)
      board:sleep(0.5)
      assert(trace:mark "phase 2")
    end, { strings = true })))
    local values, times = values_of(content, "marks")
    assert.same({ { "", "phase 2" }, { 0, 500000000 } }, { values, times })
    traced(function(_, trace)
      assert.has_error(function() trace:mark "x" end,
        "trace:mark: the trace has no strings: board:trace(path, { strings = true })")
    end)
  end)

  it("is cut at max_size and says so", function()
    local text = traced(function(board)
      local line = assert(board:line("D13", { direction = "output" }))
      line:pwm(1000, 0.5)
      board:sleep(1)
      line:release()
    end, { max_size = 2000 })
    assert.is_true(#text <= 2000)
    assert.truthy(text:find("the trace is cut here: it has reached 2000 bytes", 1, true))
    assert(vcd.read(text))
  end)

  it("holds the board where writing is slow, and loses nothing", function()
    local board <close> = bench()
    local waiting, parts = 0, {}
    local trace = assert(board:trace(function(bytes)
      async.sleep(0.001)
      waiting = math.max(waiting, #bytes)
      parts[#parts + 1] = bytes
      return true
    end, { timescale = "1 ns" }))
    local line = assert(board:line("D13", { direction = "output" }))
    board:pause()
    line:pwm(1000000, 0.5)
    assert(board:step(0.5))
    assert(trace:close())
    assert.equal(1000000, trace:counters().changes)
    assert.equal(trace:counters().bytes, #table.concat(parts))
    assert.is_true(waiting < 5 * 1024 * 1024)
    assert.is_true(#table.concat(parts) > 2 * waiting)
  end)

  it("tells that the disk is full, at once and at its end; the board runs on", function()
    local board <close> = bench()
    local trace = assert(board:trace "/dev/full")
    local told = reports.of(function()
      blink(board)
      board:sleep(2)
    end)
    assert.matches("board bench: its trace ends: .*no space left on device", told[1].message)
    local good, message, code = trace:close()
    assert.is_nil(good)
    assert.matches("^write /dev/full: no space left on device", message)
    assert.equal("ENOSPC", code)
    assert.is_true(board:now() > 2)
    assert.is_true(assert(board:trace(function() return true end)):close())
  end)

  it("tells of an error of who is given the bytes", function()
    local board <close> = bench()
    local trace = assert(board:trace(function() error "no ink" end))
    reports.of(function()
      assert.same({ nil, "EIO" }, { (trace:close()), (select(3, trace:close())) })
    end)
    assert.matches("no ink", trace.failure)
  end)

  it("tells that its file cannot be, and leaves the board as it was", function()
    local board <close> = bench()
    local trace, message, code = board:trace "/nowhere/a.vcd"
    assert.is_nil(trace)
    assert.matches("^open /nowhere/a.vcd: no such file or directory", message)
    assert.equal("ENOENT", code)
    assert.is_true(assert(board:trace(function() return true end)):close())
  end)

  it("may have others beside it, with pins, units and limits of their own", function()
    local board <close> = bench()
    local texts = {}
    local function trace(options)
      local parts, sink = gathered()
      texts[#texts + 1] = parts
      return assert(board:trace(sink, options))
    end
    local all = trace { reals = false }
    local fine = trace { reals = false, pins = { "D13" }, timescale = "1 ns", all_changes = true }
    local line = assert(board:line("D13", { direction = "output" }))
    line:pwm(1000)
    board:sleep(0.002)
    local late = trace { reals = false }
    board:sleep(0.0011)
    assert(fine:close())
    board:sleep(0.001)
    assert.is_true(all:close() and late:close())
    for i, parts in ipairs(texts) do
      texts[i] = assert(vcd.read(table.concat(parts)))
    end
    assert.same({ { 0, 5e5, 1e6, 15e5, 2e6, 25e5, 3e6, 35e5, 4e6 }, 41e5 },
      { select(2, values_of(texts[1], "D13")), texts[1].finish })
    assert.same({ { 0, 0, 5e5, 1e6, 15e5, 2e6, 25e5, 3e6 }, 31e5 },
      { select(2, values_of(texts[2], "D13")), texts[2].finish })
    assert.same({ { 2e6, 25e5, 3e6, 35e5, 4e6 }, 41e5 }, { select(2, values_of(texts[3], "D13")), texts[3].finish })
  end)

  it("is whole beside one whose sink is slow, and one that fails", function()
    local board <close> = bench()
    local counts = {}
    local made = {}
    for i, sink in ipairs {
      function(bytes) async.sleep(0.001) counts[1] = (counts[1] or 0) + #bytes return true end,
      function(bytes) counts[2] = (counts[2] or 0) + #bytes return true end,
      function() return nil, "no ink", "EIO" end,
    } do
      made[i] = assert(board:trace(sink, { timescale = "1 ns", reals = false }))
    end
    board:pause()
    assert(board:line("D13", { direction = "output" })):pwm(1000000, 0.5)
    reports.of(function()
      assert(board:step(0.5))
      assert.is_true(made[1]:close() and made[2]:close())
    end)
    assert.same({ nil, "no ink", "EIO" }, { made[3]:close() })
    assert.same({ 1000000, counts[1] }, { made[2]:counters().changes, counts[2] })
    assert.equal(counts[1], made[1]:counters().bytes)
  end)

  it("is whole when its task is cancelled while it writes", function()
    local folder <close> = Folder.new {}
    local path = folder.path .. "/a.vcd"
    local task = async.create_task(function()
      local board <close> = bench()
      local trace <close> = assert(board:trace(path)) -- luacheck: ignore
      local line = assert(board:line("D13", { direction = "output" }))
      line:pwm(10000, 0.5)
      board:sleep(3600)
    end)
    async.sleep(10.00001)
    task:cancel()
    assert.is_false(pcall(task.await, task))
    local content = assert(vcd.read(path))
    assert.equal(10000010000, content.finish)
    assert.equal(200001, #(values_of(content, "D13")))
  end)

  it("refuses mistakes of its caller", function()
    local board <close> = bench()
    for message, call in pairs {
      ["board:trace: there is no option pin"] = function() board:trace("x", { pin = {} }) end,
      ["board:trace: pins: a table expected, got string"] = function() board:trace("x", { pins = "D2" }) end,
      ["board:trace: pins: board bench has no pin D3; it has D2, D13"] = function()
        board:trace("x", { pins = { "D3" } })
      end,
      ["board:trace: max_size: a count expected, got number"] = function() board:trace("x", { max_size = 0.5 }) end,
      ["board:trace: states: a list expected, got string"] = function() board:trace("x", { states = "k" }) end,
      ["board:trace: states: board bench has no part k; it has none"] = function()
        board:trace("x", { states = { "k" } })
      end,
      ["board:trace: a path or a function expected, got nil"] = function() board:trace() end,
      ["board:trace: timescale '3 us': 1, 10 or 100 of s, ms, us or ns expected"] = function()
        board:trace("x", { timescale = "3 us" })
      end,
    } do
      assert.has_error(call, message)
    end
    assert.is_nil((fs.stat "x"))
  end)
end)

describe("what is put on a board", function()
  -- The variables of a trace, as "SCOPE.NAME".
  local function names_in(parts)
    local list = {}
    for i, var in ipairs(assert(vcd.read(table.concat(parts))).vars) do
      list[i] = var.scope .. "." .. var.name
    end
    return list
  end

  it("is in the trace until something happens on the board, or its time passes", function()
    local board <close> = bench { paused = true }
    local parts, sink = gathered()
    local trace = assert(board:trace(sink, { reals = false }))
    async.sleep(10)
    board:add(led, { name = "late" })
    board:wire("late.anode", "D13")
    assert(board:step(0.001))
    assert(trace:close())
    assert.same({ "bench.D2", "bench.D13", "bench.late.anode", "bench.late.cathode" }, names_in(parts))
  end)

  it("in the same breath as the trace is in it too, with what it does first", function()
    local board <close> = bench()
    local parts, sink = gathered()
    local trace = assert(board:trace(sink, { reals = false }))
    board:add_pins { "D9" }
    board:add(led, { name = "late" })
    local line = assert(board:line("D9", { direction = "output", output_value = 1 }))
    board:wire("D9", "late.anode")
    board:sleep(0.001)
    line:set_value(0)
    assert(trace:close())
    local content = assert(vcd.read(table.concat(parts)))
    assert.same({ { "1", "0" }, { 0, 1000000 } }, { values_of(content, "anode") })
    assert.equal(5, #content.vars)
  end)

  it("later is not in the trace, which is said, but in the next one", function()
    local board <close> = bench()
    local parts, sink = gathered()
    local trace = assert(board:trace(sink))
    board:sleep(0.001)
    local said = reports.of(function()
      board:add(led, { name = "late" })
      board:add_pins { "D9" }
    end)
    assert.matches("board bench: part late was added after the trace began, and is not in it: add it before time",
      said[1].message)
    assert.matches("pin D9 was added after the trace began", said[2].message)
    local more, more_sink = gathered()
    local next_one = assert(board:trace(more_sink))
    board:sleep(0.001)
    assert.is_true(trace:close() and next_one:close())
    assert.is_nil(table.concat(parts):find "late")
    assert.truthy(table.concat(more):find "late")
    assert.same({}, reports.of(function()
      board:add(led, { name = "later" })
    end))
  end)

  it("later is no news to a trace of chosen pins", function()
    local board <close> = bench()
    local trace <close> = assert(board:trace(function() return true end, { pins = { "D2" } })) -- luacheck: ignore
    board:sleep(0.001)
    assert.same({}, reports.of(function()
      board:add(led, { name = "late" })
    end))
  end)

  it("is traced although nothing ever happens, and its board or trace is closed first", function()
    for _, close in ipairs { function(board, trace) board:close() assert(trace:close()) end,
      function(board, trace) assert(trace:close()) board:close() end } do
      local board = bench { paused = true }
      local parts, sink = gathered()
      close(board, assert(board:trace(sink, { reals = false })))
      assert.same({ "bench.D2", "bench.D13" }, names_in(parts))
    end
  end)
end)

describe("the states of parts", function()
  -- Turns from one state to the next every ms.
  local chip = part.kind {
    name = "chip", pins = { "a" },
    start = function(self)
      self.state.on, self.state.angle, self.state.mode = false, 0.5, "off"
      self:after(0.001, function()
        self.state.on, self.state.angle, self.state.mode = true, 90, "on now"
      end)
      self:after(0.002, function()
        self.state.on, self.state.angle, self.state.mode = nil, nil, nil
      end)
      self:after(0.003, function()
        self.state.new = 1
        self.state.new = 2
      end)
    end,
  }

  local function traced_states(options)
    local text, part_left
    local said = reports.of(function()
      local board <close> = bench()
      local parts, sink = gathered()
      local trace = assert(board:trace(sink, options))
      part_left = board:add(chip, { name = "c" }) -- in it too: nothing has happened yet
      board:sleep(0.004)
      assert(trace:close())
      text = table.concat(parts)
    end)
    return assert(vcd.read(text)), said, part_left
  end

  it("are traced as wires, numbers and texts, at their times", function()
    local content, said, its = traced_states { states = true, strings = true }
    assert.same({ { "0", "1", "x" }, { 0, 1e6, 2e6 } }, { values_of(content, "on") })
    assert.same({ { "off", "on now", "" }, { 0, 1e6, 2e6 } }, { values_of(content, "mode") })
    local angles, times = values_of(content, "angle")
    assert.same({ { 0.5, 90 }, { 0, 1e6, 2e6 } }, { { angles[1], angles[2] }, times })
    assert.is_true(angles[3] ~= angles[3]) -- no number
    assert.equal(1, #said)
    assert.matches("board bench: state new of part c had no value when the trace began, and is not in it",
      said[1].message)
    assert.is_nil(getmetatable(its.state))
    assert.same({ new = 2 }, its.state)
  end)

  it("are traced of the parts that are named, and texts where strings may be", function()
    local board <close> = bench()
    board:add(chip, { name = "a" })
    board:add(chip, { name = "b" })
    local parts, sink = gathered()
    local trace = assert(board:trace(sink, { states = { "b" }, pins = { "D2" }, reals = false }))
    assert(trace:close())
    local list = {}
    for i, var in ipairs(assert(vcd.read(table.concat(parts))).vars) do
      list[i] = ("%s.%s: %s"):format(var.scope, var.name, var.type)
    end
    assert.same({ "bench.D2: wire", "bench.b.angle: real", "bench.b.on: wire" }, list)
  end)

  it("of ready-made parts are a relay's contact and a servo's angle", function()
    local board <close> = bench()
    board:add("relay", { name = "k" })
    board:add("servo", { name = "s" })
    board:wire("D2", "k.IN")
    board:wire("D13", "s.PWM")
    local coil = assert(board:line("D2", { direction = "output" }))
    local pulses = assert(board:line("D13", { direction = "output" }))
    local parts, sink = gathered()
    local trace = assert(board:trace(sink, { states = { "k", "s" } }))
    board:sleep(0.001)
    coil:set_value(1)
    pulses:pwm(50, 2400e-6 / 0.02)
    reports.of(function()
      board:sleep(0.03)
    end)
    assert(trace:close())
    local content = assert(vcd.read(table.concat(parts)))
    assert.same({ { "0", "1" }, { 0, 11e6 } }, { values_of(content, "on") })
    assert.same({ { 90, 180 }, { 0, 3400e3 } }, { values_of(content, "angle") })
  end)

  it("may be traced twice at once, and are seen by all as before", function()
    local board <close> = bench()
    local its = board:add(chip, { name = "c" })
    local texts = {}
    for i = 1, 2 do
      local parts, sink = gathered()
      texts[i] = { parts = parts, trace = assert(board:trace(sink, { states = true, strings = true })) }
    end
    board:sleep(0.0015)
    local seen = {}
    for name, value in pairs(its.state) do
      seen[name] = value
    end
    assert.same({ on = true, angle = 90, mode = "on now" }, seen)
    assert.is_true(texts[1].trace:close() and texts[2].trace:close())
    assert.equal(table.concat(texts[1].parts), table.concat(texts[2].parts))
    assert.same({ on = true, angle = 90, mode = "on now" }, its.state)
  end)
end)
