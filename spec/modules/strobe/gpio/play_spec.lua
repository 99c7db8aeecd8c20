local traces = require "spec.support.traces"
local vcd = require "strobe.vcd"

local bench, gathered, traced, values_of = traces.board, traces.sink, traces.of, traces.values_of

-- What the board's own chance drives.
local function dice(board)
  local line <close> = assert(board:line("D13", { direction = "output" }))
  local other <close> = assert(board:line("D2", { direction = "output" }))
  for _ = 1, 300 do
    board:sleep(board:random() * 0.01)
    line:set_value(board:random(0, 1))
    other:set_value(board:random(0, 1))
  end
  line:pwm(50000, 0.3)
  board:sleep(0.2)
end

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
    local first = traced(dice, pins, { seed = 7 })
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
