-- The session that the README shows, typed as there; only the port is another one, and the numbers are what they are.

local Pty = require "spec.support.pty"
local child = require "spec.support.child"
local program = require("strobe.core.host").program

-- What is typed, and what is on the screen then, above the next prompt.
local SESSION = {
  { "db = tectonic.connect { port = PORT }", "" },
  { "for tick in db:ticks 'btc_usd' do print(tick.price, tick.size) if tick.is_trade then break end end",
    "\n[%d.]+ +[%d.]+" },
  { ":bg for tick in tectonic.connect { port = PORT }:ticks 'btc_usd' do last = tick end", "\n%[1%] task %d+" },
  { "async.sleep(0.5) return last.price > 0", "\ntrue" },
  { ":watch last.price 200ms", "" },
  { "async.sleep(1)", "" },
  { ":ps console", "\nTASK +NAME.*console 1:%d+ +[wr]%a+ " },
  { "runtime = live.Runtime {}; live.set_runtime(runtime)", "" },
  { "runtime:start('monitor', 'scripts/strategies/monitor.lua').verdict", "\n\"committed\"" },
  { "feed = require('strobe.live.feed').open 'tectonic://localhost:PORT/btc_usd'", "" },
  { "runtime:add_feed(feed)", "" },
  { ":streams", "\nbtc_usd +[%d.]+/s.*monitor" },
  { ":reload monitor", "\nmonitor: .*committed, generation 2" },
  { ":gens monitor", "generation 2.*\n +1 +committed" },
}

describe("a first session", function()
  local shows = Pty.stories(_ENV)

  shows("goes as the README says", function()
    local feed <close> = child.spawn(program, { "run", "feed", "--port", "0", "--rate", "50", "--every", "0" })
    local port = feed:expect("stderr", "127%.0%.0%.1:(%d+)")
    local pty <close> = Pty.open({ "repl", "--norc" }, { rows = 60, columns = 120 })
    pty:shows "\n>"
    for _, step in ipairs(SESSION) do
      local line = step[1]:gsub("PORT", port)
      pty:type(line .. "\r")
      pty:expect("> " .. line:gsub("%p", "%%%0") .. "[^>]*" .. step[2] .. ".*\n>")
    end
    pty:expect "%[1%] last%.price = [%d.]+ .*\n>$" -- the watched expression stands above the prompt
    pty:type ":q\r"
    pty:shows "1 unit runs: :q once more ends it"
    pty:type ":q\r"
    assert.equal(0, pty:wait())
  end)
end)
