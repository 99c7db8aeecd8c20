local Folder = require "spec.support.folder"
local async = require "strobe.async"
local child = require "spec.support.child"
local json = require "strobe.json"
local program = require("strobe.core.host").program
local sh = require("spec.support.shell").run
local time = require "strobe.core.time"

-- A unit without a feed: it says a word ten times a second, and another one at its end.
local function beating(word)
  return ([[
    return {
      version = 1, subscribe = {},
      init = function(ctx, st)
        ctx:timer("beat", 0.1, function() st.n = (st.n or 0) + 1 print("%s " .. st.n) end)
      end,
      main = function(ctx) for _ in ctx:inbox() do end end,
      dispose = function(ctx, st, why) ctx:log("info", "disposed: %%s", why) end,
    }]]):format(word)
end

local function live(folder, ...)
  return child.spawn(program, { "live", ... }, { cwd = folder.path })
end

local function write(folder, name, text)
  local file <close> = assert(io.open(folder.path .. "/" .. name, "w"))
  file:write(text)
end

describe("strobe live", function()
  it("runs units until SIGTERM: they are told, and it ends well", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "tick" }
    local process <close> = live(folder, "mm.lua")
    process:expect("stderr", "mm: committed, generation 1 starts %(mm.lua%)\n")
    process:expect("stdout", "tick 1\ntick 2\n")
    process:kill "sigterm"
    assert.equal(0, process:wait())
    assert.matches("mm: info: disposed: stop\n", process.output.stderr)
  end)

  it("ends in the same way by Ctrl-C, with status 130", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "tick" }
    local process <close> = live(folder, "mm.lua")
    process:expect("stdout", "tick 1\n")
    process:kill "sigint"
    assert.equal(130, process:wait())
    assert.matches("mm: info: disposed: stop\n", process.output.stderr)
  end)

  it("starts all units or none, and says which line is wrong and what to do", function()
    local folder <close> = Folder.new { ["good.lua"] = beating "good", ["bad.lua"] = "return {\n  version = = 1" }
    local process <close> = live(folder, "good.lua", "b=bad.lua")
    assert.equal(1, process:wait())
    assert.equal("", process.output.stdout)
    assert.matches("\nb: rejected:syntax, it does not start\n  bad.lua:2: unexpected symbol near '='\n"
      .. "  remedy: fix the line, save, reload\n$", process.output.stderr)
  end)

  it("gives units other names, and refuses two of the same", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "x", ["parts/init.lua"] = beating "y" }
    local process <close> = live(folder, "a=mm.lua", "b=./mm.lua", "parts/init.lua")
    for _, name in ipairs { "a", "b", "parts" } do
      process:expect("stderr", name .. ": committed")
    end
    local output, status = sh "$S live mm.lua mm.lua"
    assert.matches("^strobe: live: mm.lua: a unit 'mm' is there already; say NAME=mm.lua", output)
    assert.equal(2, status)
  end)

  it("reloads what is saved when --watch is given: a broken file changes nothing, a good one goes on", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "one" }
    local process <close> = live(folder, "mm.lua", "--watch")
    process:expect("stdout", "one 2\n")
    write(folder, "mm.lua", "return {")
    process:expect("stderr", "mm: rejected:syntax, generation 1 goes on\n  mm.lua:1: .-\n  remedy: ")
    write(folder, "mm.lua", beating "two")
    process:expect("stderr", "mm: committed, generation 3 takes over from 1 %(mm.lua%), paused %d")
    process:expect("stdout", "one (%d+)\ntwo %d+\n")
    local n = 0
    for number in process.output.stdout:gmatch "%a+ (%d+)\n" do
      n = n + 1
      assert.equal(n, tonumber(number), "no beat is lost")
    end
  end)

  it("does not reload without --watch, but by SIGHUP when no terminal can send it", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "one" }
    -- A child leads no group of processes, so setsid becomes the program.
    local process <close> = child.spawn("setsid", { program, "live", "mm.lua", "--json" }, { cwd = folder.path })
    process:expect("stdout", '"out":"one 1"')
    write(folder, "mm.lua", beating "two")
    process:expect("stdout", '"out":"one 5"')
    process:kill "sighup"
    process:expect("stdout", '"out":"two %d')
    process:kill "sigterm"
    assert.equal(0, process:wait())
  end)

  it("writes objects with --json, one in each line", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "tick" }
    local process <close> = live(folder, "mm.lua", "--json")
    process:expect("stdout", "tick 1")
    process:kill "sigterm"
    assert.equal(0, process:wait())
    local objects = {}
    for line in process.output.stdout:gmatch "[^\n]+" do
      objects[#objects + 1] = assert(json.decode(line))
    end
    assert.equal("committed", objects[1].verdict)
    assert.same({ unit = "mm", out = "tick 1" }, objects[2])
  end)

  it("goes on when nobody reads what it says, or the disk is full", function()
    local folder <close> = Folder.new { ["mm.lua"] = beating "x" }
    for _, words in ipairs { "mm.lua", "mm.lua --json" } do
      for _, reader in ipairs { ">/dev/full", "> >(head -n 1)" } do
        local line = ("exec '%s' live %s %s"):format(program, words, reader)
        local process <close> = child.spawn("bash", { "-c", line }, { cwd = folder.path })
        process:expect("stderr", "strobe: stdout: ")
        process:kill "sigterm"
        assert.equal(0, process:wait())
        assert.matches("mm: info: disposed: stop\n", process.output.stderr)
        assert.not_matches("Traceback", process.output.stderr)
      end
    end
  end)

  it("runs a script first with --setup, which gives units ports", function()
    local folder <close> = Folder.new {
      ["setup.lua"] = [[
        local live = require "strobe.live"
        live.port("shout", { send = function(value) print(value:upper()) end })]],
      ["mm.lua"] = [[
        return { version = 1, init = function(ctx) ctx:emit("shout", "hello") end,
          main = function(ctx) for _ in ctx:inbox() do end end }]],
    }
    local process <close> = live(folder, "mm.lua", "--setup", "setup.lua")
    process:expect("stdout", "HELLO\n")
    write(folder, "setup.lua", "local x = nil\nx()")
    local broken <close> = live(folder, "mm.lua", "--setup", "setup.lua")
    assert.equal(1, broken:wait())
    assert.matches("strobe: error: %-%-setup: setup.lua:2: ", broken.output.stderr)
  end)

  describe("with a feed", function()
    -- A unit that says a word and the number of each tick, and at its end how many there were.
    local function counting(word)
      return ([[
        return { version = 1, subscribe = { "btc_usd" },
          on_event = function(ctx, st, m)
            st.n, st.sum = (st.n or 0) + 1, (st.sum or 0) + m.data.price
            print("%s " .. m.data.seq)
          end,
          dispose = function(ctx, st, why) print(("%%s: %%d ticks, sum %%.2f"):format(why, st.n or 0, st.sum or 0)) end,
        }]]):format(word)
    end

    -- The sum of all prices, as another run of the same feed tells it.
    local function last_line(process)
      return process.output.stdout:match "(stop: [^\n]+)\n$"
    end

    local function numbers(process)
      local list = {}
      for number in process.output.stdout:gmatch "%a+ (%d+)\n" do
        list[#list + 1] = tonumber(number)
      end
      return list
    end

    local function check_numbers(count, process)
      local list = numbers(process)
      assert.equal(count, #list)
      for i = 2, count do
        assert.equal(list[i - 1] + 1, list[i])
      end
    end

    it("ends by itself when that does, and the same twice under the virtual clock", function()
      local folder <close> = Folder.new { ["mm.lua"] = counting "x" }
      local outputs = {}
      for i = 1, 2 do
        local process <close> = live(folder, "mm.lua", "--feed", "synthetic:1?count=3000", "--clock=virtual")
        assert.equal(0, process:wait())
        check_numbers(3000, process)
        outputs[i] = process.output.stdout
      end
      assert.matches("stop: 3000 ticks, sum [%d.]+\n$", outputs[1])
      assert.equal(outputs[1], outputs[2])
    end)

    it("loses no tick while its file is edited: broken, good, and good again", function()
      local folder <close> = Folder.new { ["mm.lua"] = counting "one" }
      local url = "synthetic:7?rate=1000&count=4000"
      local process <close> = live(folder, "mm.lua", "--feed", url, "--watch")
      process:expect("stdout", "one %d+\n")
      write(folder, "mm.lua", "return { version = 1, subscribe = { 'btc_usd' } on_event")
      process:expect("stderr", "mm: rejected:syntax, generation 1 goes on\n  mm.lua:1: ")
      write(folder, "mm.lua", counting "two")
      process:expect("stdout", "one %d+\n.*two %d+\n")
      write(folder, "mm.lua.new", counting "three")
      assert(os.rename(folder.path .. "/mm.lua.new", folder.path .. "/mm.lua"))
      process:expect("stdout", "two %d+\n.*three %d+\n")
      assert.equal(0, process:wait())
      check_numbers(4000, process)
      local undisturbed <close> = live(folder, "mm.lua", "--feed", url, "--clock=virtual")
      assert.equal(0, undisturbed:wait())
      assert.equal(last_line(undisturbed), last_line(process))
    end)

    it("undoes code that fails on probation, and loses no tick by that", function()
      local folder <close> = Folder.new { ["mm.lua"] = counting "one" }
      local process <close> = live(folder, "mm.lua", "--feed", "synthetic:7?rate=500&count=2000", "--watch")
      process:expect("stdout", "one %d+\n")
      local bad = "st.bad = (st.bad or 0) + 1 if st.bad > 5 then error 'no' end "
      write(folder, "mm.lua", (counting("two"):gsub("st.n,", bad .. "%0", 1)))
      process:expect("stderr", "mm: rolled_back:error, generation 1 takes over again from 2, 5 events processed again\n"
        .. "  mm.lua:3: no\n")
      process:expect("stdout", "two %d+\nrollback: %d+ ticks[^\n]+\none %d+\n")
      assert.equal(0, process:wait())
      check_numbers(2000, process)
    end)

    it("is a back-test that takes no longer than it must, and can be ended", function()
      local folder <close> = Folder.new { ["mm.lua"] = [[
        return { version = 1, subscribe = { "btc_usd" }, on_event = function(_, st)
            st.n = (st.n or 0) + 1
            if st.n == 1000 then print "many" end
          end, dispose = function(ctx, st, why) print(why) end }]] }
      local began = time.real()
      local quick <close> = live(folder, "mm.lua", "--feed", "synthetic:1?count=20000", "--clock=virtual")
      assert.equal(0, quick:wait())
      assert.is_true(time.real() - began < 20, "time does not linger at each tick")
      local endless <close> = live(folder, "mm.lua", "--feed", "synthetic:1", "--clock=virtual")
      endless:expect("stderr", "mm: committed")
      endless:expect("stdout", "many\n")
      repeat
        async.sleep(0)
      until sh("$S ps"):find "%d+ +%S+ s +mm:1 " -- it can be looked at, as any
      endless:kill "sigterm"
      assert.equal(0, endless:wait())
      assert.equal("many\nstop\n", endless.output.stdout)
      assert.is_nil(endless:complaints():find "warning", endless.output.stderr)
    end)

    it("is a back-test whose time can be held, and moved on, from afar", function()
      local folder <close> = Folder.new { -- of few words: nobody reads them while a line of the shell runs
        ["mm.lua"] = 'return { version = 1, subscribe = { "btc_usd" }, on_event = function() end }',
      }
      local process <close> = live(folder, "mm.lua", "--feed", "synthetic:1", "--clock=virtual")
      process:expect("stderr", "mm: committed")
      local function ask(text)
        return (sh(("$S attach %d -e '%s'"):format(process.pid, text)))
      end
      local function now()
        return tonumber((ask "return async.time()"))
      end
      repeat
        async.sleep(0)
      until ask(":clock stop"):find "virtual, and stands"
      local at = now()
      assert.equal(at, now())
      assert.matches("^10.0 s on: ", ask ":advance 10")
      assert.near(at + 10, now(), 1e-3)
      assert.matches("it jumps when every task waits", ask ":clock run")
      assert.is_true(now() > at + 10)
    end)

    it("has names for feeds, and knows their streams", function()
      local folder <close> = Folder.new { ["mm.lua"] = (counting("x"):gsub("btc_usd", "b:btc_usd")) }
      local process <close> = live(folder, "mm.lua", "--feed", "a=synthetic:1?count=5", "--feed",
        "b=synthetic:2?count=7", "--clock=virtual")
      assert.equal(0, process:wait())
      assert.matches("stop: 7 ticks", process.output.stdout)
      local lost <close> = live(folder, "mm.lua", "--feed", "a=synthetic:1?count=5")
      assert.equal(1, lost:wait())
      assert.matches("mm: rejected:subscribe, it does not start\n", lost.output.stderr)
      for url, message in pairs { ["gopher://x"] = "it begins with", ["synthetic:x"] = "seed expected" } do
        local wrong <close> = live(folder, "mm.lua", "--feed", url)
        assert.equal(2, wrong:wait())
        assert.matches("error: %-%-feed " .. url:gsub("%p", "%%%0") .. ": .*" .. message, wrong.output.stderr)
      end
    end)

    it("ends with status 1 when a unit has given up, and so does a recording that is missing", function()
      local folder <close> = Folder.new { ["mm.lua"] = [[
        return { version = 1, subscribe = { "btc_usd" }, on_event = function() error "always" end }]],
        ["good.lua"] = counting "x" }
      local process <close> = live(folder, "mm.lua", "--feed", "synthetic:1?count=3", "--clock=virtual")
      assert.equal(1, process:wait())
      local full <close> = live(folder, "mm.lua", "good.lua", "--feed", "synthetic:1?count=100", "--clock=virtual",
        "--inbox", "10")
      assert.equal(1, full:wait())
      check_numbers(100, full) -- the other one has all
      local missing <close> = live(folder, "mm.lua", "--feed", "replay:no.csv")
      assert.not_equal(0, missing:wait())
      assert.matches("no.csv", missing.output.stderr)
    end)
  end)

  for words, message in pairs {
    [""] = "which unit? a file is missing",
    ["12.lua"] = "12.lua: '12' is no name of a unit (letters, digits, _ - . and not digits alone); say NAME=12.lua",
    ["mm.lua --probation 5/x"] = "--probation 5/x: EVENTS/SECONDS expected, as 50/30, or off",
    ["mm.lua --policy all"] = "--policy all: block or drop_oldest or latest expected",
    ["mm.lua --on-drain wait"] = "--on-drain wait: abort or cancel expected",
    ["mm.lua --inbox 0"] = "--inbox 0: a number above 0 expected",
    ["mm.lua --quota=-1"] = "--quota -1: a number above 0 expected",
    ["mm.lua --fee 4"] = "--fee 4: a part of 1 expected, as 0.0004",
    ["mm.lua --cash 1e12"] = "--cash 1000000000000.0: a number below 1e10 expected",
    ["mm.lua --broker real"] = "--broker real: paper, paper:JOURNAL or none expected",
    ["mm.lua --report out.txt"] = "--report out.txt: a name that ends with .html or .json expected",
    ["mm.lua --clock=fast"] = "--clock=fast: live, virtual or xN (as x10) expected",
    ["mm.lua --what"] = "unknown option --what",
  } do
    it("says what is wrong with live " .. words, function()
      assert.same({ ("strobe: live: %s; see 'strobe live --help'\n"):format(message), 2 }, { sh("$S live " .. words) })
    end)
  end

  it("says how it is used", function()
    local output, status = sh "$S live --help"
    assert.matches("^usage: strobe live %[NAME=%]UNIT.lua", output)
    assert.equal(0, status)
    output = sh "$S help live"
    assert.matches("^usage: strobe live", output)
    assert.matches("\nstrobe%.live\n", output, "and what a unit is")
  end)
end)
