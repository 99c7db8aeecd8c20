local json = require "strobe.json"
local sample = require "spec.support.vcd_sample"
local vcd = require "strobe.vcd"
local wavedrom = require "strobe.vcd.wavedrom"

local trace, pwm = sample.trace(), sample.pwm

describe("WaveDrom", function()
  it("has one character for each period", function()
    assert.equal([==[
{"signal":[
 ["board",
  {"name":"led","wave":"0101"},
  {"name":"sda","wave":"z0x1"},
  {"name":"bus","wave":"x=z=","data":["0F","00"]},
  {"name":"level","wave":"===.","data":["0","1.5","-1"]},
  {"name":"state","wave":"==..","data":["","<on&off>"]},
  {"name":"irq","wave":"0101"}]],
"config":{"hscale":1},
"head":{"text":"one period is 10000 ns, from 0 ns"}}
]==], wavedrom.json(trace))
  end)

  it("samples on the grid that is asked for", function()
    local wave = assert(wavedrom.json(trace, { period = 5000, signals = { "led" } }))
    assert.truthy(wave:find('"wave":"0.1.0.1."', 1, true))
  end)

  it("shrinks idle spans to a gap", function()
    local idle = assert(vcd.read "$var wire 1 ! a $end $enddefinitions $end #0 0! #1 1! #2 0! #1000 1! #1001")
    assert.truthy(wavedrom.json(idle):find('"wave":"010.|1"', 1, true))
  end)

  it("is cut where it gets too wide, and says so", function()
    local document = assert(json.decode(wavedrom.json(pwm())))
    assert.equal(200, #document.signal[1].wave)
    assert.matches("cut at 20000000 ns", document.head.text)
  end)
end)
