local vcd = require "strobe.vcd"
local view = require "strobe.vcd.view"

local trace = assert(vcd.read [[
$timescale 1 ns $end
$scope module a $end $var wire 1 ! w $end $var wire 8 " bus [7:0] $end $upscope $end
$var wire 1 # w $end
$enddefinitions $end
#10 1! b10100101 " #20 0! #20 1! #30 1! #40 0! bzzzz0001 " #50]])

local function pieces(name, from, to)
  local list = {}
  for began, ended, value in view.pieces(assert(view.select(trace, { name }))[1], from, to) do
    list[#list + 1] = ("%d-%d %s"):format(began, ended, tostring(value))
  end
  return table.concat(list, ", ")
end

describe("the view of a trace", function()
  it("is a variable piece by piece, unknown before its first value", function()
    assert.equal("0-10 nil, 10-40 1, 40-50 0", pieces("a.w", 0, 50))
    assert.equal("15-35 1", pieces("a.w", 15, 35))
    assert.equal("41-42 0", pieces("a.w", 41, 42))
    assert.equal("0-50 nil", pieces("w", 0, 50))
  end)

  it("finds variables with and without their scopes, and says which there are", function()
    assert.equal("a", assert(view.select(trace, { "bus" }))[1].scope)
    assert.same({ nil, "there is no signal 'q'; there are: a.w, a.bus, w" }, { view.select(trace, { "bus", "q" }) })
    assert.equal(3, #view.select(trace))
  end)

  it("shows from the first change to the end, unless told otherwise", function()
    assert.same({ 10, 50 }, { view.bounds(trace, {}) })
    assert.same({ 0, 20 }, { view.bounds(trace, { from = 0, to = 20 }) })
    assert.same({ 60, 61 }, { view.bounds(trace, { from = 60 }) })
  end)

  it("reads times with units", function()
    for text, ns in pairs {
      ["5"] = 5, ["1.5ms"] = 1500000, ["20 us"] = 20000, ["2s"] = 2000000000, ["1e3"] = 1000, ["3µs"] = 3000,
    } do
      assert.equal(ns, view.time(text))
    end
    for _, text in ipairs { "", "ms", "5 h", "1.2.3s" } do
      assert.is_nil(view.time(text))
    end
  end)

  it("labels vectors in hexadecimal, with unknown digits", function()
    local bus = assert(view.select(trace, { "bus" }))[1]
    assert.equal("A5", view.label(bus, "10100101"))
    assert.equal("z1", view.label(bus, "zzzz0001"))
    assert.equal("xF", view.label(bus, "0x001111"))
    assert.equal("z", view.label(bus, "zzzzzzzz"))
    assert.equal("x", view.label(bus, nil))
    assert.equal("101", view.label({ class = "bits", width = 3 }, "101"))
    assert.equal("25", view.label({ class = "bits", width = 6 }, "100101"))
    assert.equal("0.333333", view.label({ class = "real", width = 1 }, 1 / 3))
  end)
end)
