local Folder = require "spec.support.folder"
local Terminal = require "spec.support.terminal"
local sh = require("spec.support.shell").run

local trace = "$timescale 1 us $end $var wire 1 ! led $end $enddefinitions $end\n#0 0!\n#10 1!\n#20\n"

describe("strobe trace", function()
  it("draws SVG on stdout, text and WaveDrom if asked", function()
    assert.matches("^<svg .*>led</text>.*</svg>\n$", (sh("$S trace $F", trace)))
    assert.matches("\nled ▁▁▁[▁▔]+▔▔▔\n$", (sh("$S trace --text --width 40 $F", trace)))
    assert.matches('"wave":"01"', (sh("$S trace $F --json", trace)))
    assert.matches("^<svg ", (sh("$S trace - <$F", trace)))
  end)

  it("draws what the output's name says", function()
    assert.matches('^{"signal"', (sh("$S trace $F -o $F.json && cat $F.json; rm $F.json", trace)))
    assert.matches("^<svg ", (sh("$S trace -o $F.svg $F && cat $F.svg; rm $F.svg", trace)))
  end)

  it("draws a part", function()
    local svg = sh("$S trace $F --from 5us --to 8us --dark --width 500 --signals led", trace)
    assert.matches(">5 µs<", svg)
    assert.is_nil(svg:find(">20 µs<", 1, true))
  end)

  Terminal.stories(_ENV)("is as wide as the terminal, unless told", function()
    local folder <close> = Folder.new { ["led.vcd"] = trace }
    for words, width in pairs { [""] = 40, ["--width=30"] = 30 } do
      local line = { "trace", "--text", folder.path .. "/led.vcd", words ~= "" and words or nil }
      local terminal <close> = Terminal.open(line, { columns = 40 })
      assert.equal(0, terminal:wait())
      assert.equal(width, utf8.len(terminal:output():match "\n(led [^\r]+)\r"))
    end
  end)

  it("chooses signals by patterns", function()
    local two = trace:gsub("%$end %$enddef", "$end $var wire 1 # clk $end $var wire 1 $ clock $end $enddef")
    local function shown(patterns)
      local list = {}
      for name in sh(("$S trace $F --text --signals '%s'"):format(patterns), two):gmatch "\n(%a+)" do
        list[#list + 1] = name
      end
      return table.concat(list, " ")
    end
    assert.equal("clk clock", shown "cl*")
    assert.equal("led clk clock", shown "l?d,*")
    assert.equal("clock led", shown "clock, led")
    assert.matches("there is no signal 'q%*'; there are: led, clk, clock", (sh("$S trace $F --signals 'q*'", two)))
  end)

  for words, message in pairs {
    ["$F --from noon"] = "--from noon: a time expected, as 1.5ms or 200us; see 'strobe trace --help'",
    ["$F --from 5 --to 5"] = "--to: a time after --from expected; see 'strobe trace --help'",
    ["$F -o out.png"] = "-o out.png: a name that ends with .svg, .json or .txt expected; see 'strobe trace --help'",
    ["$F --what"] = "unknown option --what; see 'strobe trace --help'",
  } do
    it("says what is wrong with " .. words, function()
      assert.same({ "strobe: trace: " .. message .. "\n", 2 }, { sh("$S trace " .. words, trace) })
    end)
  end

  it("says what is wrong with a trace, or with where it goes", function()
    assert.same({ "strobe: trace: FILE:1:1: 'hello' before $enddefinitions\n", 1 }, { sh("$S trace $F", "hello") })
    assert.same({ "strobe: trace: there is no signal 'q'; there are: led\n", 1 },
      { sh("$S trace $F --signals q", trace) })
    local full = "strobe: trace: write /dev/full: no space left on device (free some space, or write elsewhere)\n"
    assert.same({ full, 1 }, { sh("$S trace $F -o /dev/full", trace) })
    assert.same({ "strobe: trace: write stdout: No space left on device\n", 1 },
      { sh("$S trace $F > /dev/full", trace) })
    assert.equal(2, select(2, sh "$S trace"))
  end)

  it("tells how it is used", function()
    assert.matches("^usage: strobe trace", (sh "$S trace --help"))
    assert.matches("strobe trace FILE.vcd", (sh "$S help"))
  end)
end)
