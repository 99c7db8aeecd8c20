local Folder = require "spec.support.folder"
local async = require "strobe.async"
local fs = require "strobe.async.fs"
local gpio = require "strobe.gpio"
local part = require "strobe.gpio.part"
local reports = require "spec.support.reports"
local vcd = require "strobe.vcd"

local led = part.kind { name = "led", pins = { "anode", "cathode" } }

local function bench(options)
  options = options or {}
  options.name, options.pins = "bench", { "D2", "D13" }
  return gpio.board(options)
end

-- What a sink was given, and the sink.
local function gathered()
  local parts = {}
  return parts, function(bytes)
    parts[#parts + 1] = bytes
    return true
  end
end

-- Traces what `run` does on a board with a LED, if it is to have one: the text.
local function traced(run, options, board_options, with_led)
  local board <close> = bench(board_options)
  if with_led then
    board:add(led, { name = "led1" })
  end
  local parts, sink = gathered()
  local trace = assert(board:trace(sink, options))
  run(board, trace)
  assert(trace:close())
  return table.concat(parts)
end

local function values_of(content, name)
  for _, var in ipairs(content.vars) do
    if var.name == name then
      return var.changes.values, var.changes.times
    end
  end
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

  it("is one at a time", function()
    local board <close> = bench()
    local trace <close> = assert(board:trace(function() return true end)) -- luacheck: ignore
    local second, message, code = board:trace(function() return true end)
    assert.same({ "board bench: it is traced already: close that trace first", "EBUSY" }, { message, code })
    assert.is_nil(second)
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

describe("playing a trace", function()
  local stimulus = [[
$timescale 1 ms $end
$scope module board $end
$var wire 1 ! clk $end
$var wire 1 " data $end
$upscope $end
$enddefinitions $end
#0
0!
1"
#5
1!
#10
0!
x"
#15
1!
#20
]]

  it("drives pins at its times", function()
    local board <close> = bench()
    board:sleep(1)
    local seen, values = {}, {}
    local parts, sink = gathered()
    local trace = assert(board:trace(sink))
    assert(board:play(stimulus, { ["board.clk"] = "D2", data = "D13" }))
    assert(trace:close())
    local content = assert(vcd.read(table.concat(parts)))
    values[1], seen[1] = values_of(content, "D2")
    values[2], seen[2] = values_of(content, "D13")
    assert.same({ { "0", "1", "0", "1", "z" }, { "1", "z" } }, values)
    assert.same({ { 1000e6, 1005e6, 1010e6, 1015e6, 1020e6 }, { 1000e6, 1010e6 } }, seen)
    assert.is_nil(board:line_info("D2").consumer)
  end)

  it("makes the same trace again", function()
    local pins = { timescale = "1 ns", pins = { "D2", "D13" }, reals = false }
    local first = traced(dice(false), pins, { seed = 7 }, true)
    local again = traced(function(board)
      assert(board:play(first, { D2 = "D2", D13 = "D13" }))
    end, pins)
    assert.equal(first, again)
  end)

  it("says what is missing", function()
    local board <close> = bench()
    assert.same({ nil, "vcd: no variable q; it has clk, data", "ENOENT" }, { board:play(stimulus, { q = "D2" }) })
    local busy <close> = assert(board:line("D2", { consumer = "me" })) -- luacheck: ignore
    local good, message, code = board:play(stimulus, { clk = "D2", data = "D13" })
    assert.same({ "board bench: pin D2 is in use by me", "EBUSY" }, { message, code })
    assert.is_nil(good)
    assert.is_false(board:line_info("D13").used)
    local bus = "$timescale 1 us $end $var wire 8 ! bus $end $enddefinitions $end\n#0\n"
    assert.same({ nil, "vcd: bus is no single bit", "EINVAL" }, { board:play(bus, { bus = "D2" }) })
    assert.equal("EBADMSG", (select(3, board:play("$q\n", { clk = "D2" }))))
    assert.has_error(function() board:play(stimulus, { clk = "D9" }) end,
      "board:play: board bench has no pin D9; it has D2, D13")
  end)
end)

describe("what is added to a board while it is traced", function()
  it("is not in the trace, which is said", function()
    local board <close> = bench()
    local parts, sink = gathered()
    local trace = assert(board:trace(sink))
    local said = reports.of(function()
      board:add(led, { name = "late" })
      board:add_pins { "D9" }
    end)
    assert.matches("board bench: part late was added after the trace began, and is not in it", said[1].message)
    assert.matches("pin D9 was added after the trace began", said[2].message)
    assert(trace:close())
    assert.is_nil(table.concat(parts):find "late")
    assert.same({}, reports.of(function()
      board:add(led, { name = "later" })
    end))
  end)
end)
