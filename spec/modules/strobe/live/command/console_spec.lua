local Console = require "strobe.live.command.console"
local Folder = require "spec.support.folder"
local Terminal = require "spec.support.terminal"
local child = require "spec.support.child"
local json = require "strobe.json"
local program = require("strobe.core.host").program

local stories = Terminal.stories(_ENV)

local UNIT = 'return { version = 1, subscribe = { "btc_usd" }, on_event = function() end }'

describe("the progress of strobe live", function()
  it("tells the part that is done, how many events that were, how fast, and how long it takes", function()
    assert.equal("  0% [..............................] 0 events", Console.bar(0, 0, 0))
    assert.equal(" 50% [###############...............] 1,234,567 events, 123,456/s, 10 s left",
      Console.bar(0.5, 1234567, 10))
    assert.equal(" 10% [###...........................] 100 events, 10/s, 1:30 min left", Console.bar(0.1, 100, 10))
    assert.equal("100% [##############################] 999 events, 999/s", Console.bar(1.2, 999, 1))
  end)
end)

describe("strobe live with --report", function()
  it("writes trades and equity as HTML and as JSON, the same bytes each time", function()
    local folder <close> = Folder.new { ["mm.lua"] = [[
      return { version = 1, subscribe = { "btc_usd" }, on_event = function(ctx, st, m)
        if m.data.seq == 100 then ctx.orders:buy("btc_usd", 1) end
        if m.data.seq == 200 then ctx.orders:sell("btc_usd", 1) end
      end }]] }
    local texts = {}
    for i = 1, 2 do
      local process <close> = child.spawn(program, { "live", "mm.lua", "--feed", "synthetic:1?count=300",
        "--clock=virtual", "--report", "out.html" }, { cwd = folder.path })
      assert.equal(0, process:wait(), process.output.stderr)
      local file <close> = assert(io.open(folder.path .. "/out.json"))
      texts[i] = file:read "a"
    end
    assert.equal(texts[1], texts[2])
    assert.is_table(json.decode(texts[1]))
    local html <close> = assert(io.open(folder.path .. "/out.html"))
    assert.matches("<svg", html:read "a")
    local nowhere <close> = child.spawn(program, { "live", "mm.lua", "--feed", "synthetic:1?count=3",
      "--report", "no/out.html" }, { cwd = folder.path })
    assert.equal(1, nowhere:wait())
    assert.matches("error: %-%-report: no/out.html: ", nowhere.output.stderr)
  end)
end)

describe("strobe live on a terminal", function()
  local it = stories

  it("has its verdicts in colour, and a bar of progress that goes at the end", function()
    local folder <close> = Folder.new { ["mm.lua"] = UNIT }
    local words = "exec env -u NO_COLOR TERM=xterm '%s' live '%s/mm.lua' --feed 'synthetic:1?count=500&rate=500' 2>&1"
    local line = words:format(program, folder.path)
    local process <close> = child.spawn("script", { "-qefc", "stty rows 24 cols 80; " .. line, "/dev/null" },
      { input = false })
    process:expect("stdout", "mm: \27%[32mcommitted\27%[0m, generation 1")
    process:expect("stdout", "%d+%% %[#+%.+%] %d+ events")
    assert.equal(0, process:wait())
    assert.matches("\27%[r.*\27%[J", process.output.stdout)
  end)
end)
