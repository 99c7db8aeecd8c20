local Folder = require "spec.support.folder"
local program = require "spec.support.program"

local function assert_good(name)
  local output, status = program.run(name)
  assert.equal(0, status, output)
  assert.matches("^good: %d+ checks\n$", output)
end

-- What the engine resolved: { pulls = 0 to 3, outputs = "01z", level = "x" } for each case.
local function resolved_cases()
  local output, status = program.run("net_test", "--table")
  assert.equal(0, status, output)
  local cases = {}
  for pulls, outputs, level in output:gmatch "(%d) ([01zx]+) ([01zx])\n" do
    cases[#cases + 1] = { pulls = tonumber(pulls), outputs = outputs, level = level }
  end
  return cases
end

-- The same nets in Verilog, which prints a level for each.
local function verilog(cases)
  local nets, prints = {}, {}
  for number, case in ipairs(cases) do
    local net = "n" .. number
    nets[#nets + 1] = ("wire %s;"):format(net)
    for output in case.outputs:gmatch "." do
      nets[#nets + 1] = ("assign %s = 1'b%s;"):format(net, output)
    end
    nets[#nets + 1] = case.pulls & 1 ~= 0 and ("pullup (%s);"):format(net) or nil
    nets[#nets + 1] = case.pulls & 2 ~= 0 and ("pulldown (%s);"):format(net) or nil
    prints[number] = ('$display("%%b", %s);'):format(net)
  end
  return ("module nets;\n%s\ninitial begin #1;\n%s\nend\nendmodule\n"):format(
    table.concat(nets, "\n"),
    table.concat(prints, "\n")
  )
end

-- What Icarus Verilog prints, or nothing when it is not here.
local function simulate(source)
  local folder <close> = Folder.new { ["nets.v"] = source }
  local line = "command -v iverilog vvp >/dev/null && cd '%s' && iverilog -o nets nets.v && timeout 60 vvp nets"
  local pipe = assert(io.popen(line:format(folder.path)))
  local output = pipe:read "a"
  return pipe:close() and output or nil
end

describe("the circuit engine", function()
  it("resolves every mix of outputs and pulls, and reports contention", function()
    assert_good "net_test"
  end)

  it("resolves them as Icarus Verilog does", function()
    local cases = resolved_cases()
    assert.equal(336, #cases)
    local output = simulate(verilog(cases))
    if not output then
      pending "no Icarus Verilog here (Debian package iverilog)"
      return
    end
    local number = 0
    for level in output:gmatch "([01zx])\n" do
      number = number + 1
      local case = cases[number]
      assert.equal(level, case.level, ("pulls %d, outputs %s"):format(case.pulls, case.outputs))
    end
    assert.equal(336, number)
  end)

  it("lets time pass in deltas, in one order", function()
    assert_good "step_test"
  end)

  it("tells edges, debounced or not, of outputs, PWM and wires", function()
    assert_good "line_test"
  end)

  it("goes on where memory was missing", function()
    local output, status = program.run "memory_test"
    assert.equal(0, status, output)
    if output:find "no allocation fails here" then
      pending(output:match "[^\n]+")
    end
  end)

  it("does the same in every run", function()
    assert_good "circuit_test"
  end)
end)
