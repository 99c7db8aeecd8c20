local Folder = require "spec.support.folder"
local vcd = require "strobe.vcd"

local function have(program)
  return os.execute(("command -v %s >/dev/null 2>&1"):format(program))
end

local function run(folder, line)
  assert(os.execute(("cd '%s' && { %s; } >log 2>&1"):format(folder.path, line)), line)
end

-- Times, names and values, one per line.
local function changes_of(path)
  local list = {}
  for time, var, value in assert(vcd.changes(path)) do
    list[#list + 1] = ("%d %s %s"):format(time, var.name, tostring(value))
  end
  table.sort(list)
  return list
end

local function write_trace(path)
  local writer <close> = assert(vcd.open(path, { timescale = "1 ns" }))
  writer:scope "board"
  local wires = {}
  for i = 1, 100 do
    wires[i] = writer:var("n" .. i)
  end
  local bus, real = writer:var("bus", { width = 12 }), writer:var("real", { type = "real" })
  for step = 1, 2000 do
    writer:change(step * 7, wires[step * 31 % 100 + 1], ("01xz"):sub(step % 4 + 1, step % 4 + 1))
    writer:change(step * 7, bus, step)
    writer:change(step * 7, real, step / 8)
  end
end

local verilog = [[
module top;
  reg clk = 0; reg [7:0] count = 8'hzz; real level = 0.5; integer i;
  event ping;
  always #5 clk = ~clk;
  initial begin
    $dumpfile("icarus.vcd"); $dumpvars;
    #3 count = 8'b1x; level = 1.25; -> ping;
    for (i = 0; i < 4; i = i + 1) begin #10 count = i; level = level * 2; end
    #1 $dumpoff; #10 $dumpon; #4 $finish;
  end
endmodule
]]

describe("traces beside other programs", function()
  it("keep all values on the way through GTKWave's FST", function()
    if not (have "vcd2fst" and have "fst2vcd") then
      print "skipped: there is no vcd2fst here (Debian: gtkwave)"
      return pending "no vcd2fst"
    end
    local folder <close> = Folder.new {}
    write_trace(folder.path .. "/a.vcd")
    run(folder, "vcd2fst a.vcd a.fst && fst2vcd a.fst -o b.vcd")
    assert.same(changes_of(folder.path .. "/a.vcd"), changes_of(folder.path .. "/b.vcd"))
  end)

  it("are read as Icarus Verilog writes them", function()
    if not (have "iverilog" and have "vvp") then
      print "skipped: there is no iverilog here"
      return pending "no iverilog"
    end
    local folder <close> = Folder.new { ["top.v"] = verilog }
    run(folder, "iverilog -o top top.v && vvp top")
    local trace = assert(vcd.read(folder.path .. "/icarus.vcd"))
    local by_name = {}
    for _, var in ipairs(trace.vars) do
      assert.equal("top", var.scope:match "^%w+")
      by_name[var.name] = var
    end
    assert.equal("1 s", trace.timescale)
    assert.equal("zzzzzzzz", by_name.count.changes.values[1])
    assert.equal("0000001x", by_name.count.changes.values[2])
    assert.equal("00000011", by_name.count.changes.values[#by_name.count.changes.values])
    assert.equal(20.0, by_name.level.changes.values[#by_name.level.changes.values])
    assert.equal(5 * 10 ^ 9 // 1 | 0, by_name.clk.changes.times[2])
  end)
end)
