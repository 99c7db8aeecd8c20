local async = require "strobe.async"
local child = require "spec.support.child"
local discovery = require "strobe.discovery"
local folder = require "spec.support.folder"
local module = require("strobe.script").module
local sh = require("spec.support.shell").run
local sketch = require "strobe.sketch"
local vcd = require "strobe.vcd"
local with_group = require("spec.support.multicast").with_group

local program = require("strobe.core.host").program
local HOST = "127.0.0.1"

describe("the script circuit", function()
  -- One of its components in a process, ended after 100 seconds whatever happens; it announces and asks in a group.
  -- In the foreground, for else `timeout` hands a signal on twice; and a second one ends a program without farewell.
  local function circuit_in(group, ...)
    return child.spawn("timeout", { "--foreground", "-k", "2", "100", "env", "STROBE_DISCOVERY=" .. group, program,
      "run", "circuit", ... })
  end

  local function circuit(...)
    return circuit_in("off", ...)
  end

  -- Ends a process at the end of the block: `timeout` hands this signal on.
  local function ending(process)
    return setmetatable({}, {
      __close = function()
        process:kill "sigterm"
        process:wait()
      end,
    })
  end

  local function port_of(process)
    return (process:expect("stdout", "^%[ IOPin %] listening on ws://127%.0%.0%.1:(%d+)\n"))
  end

  it("is a pin in one terminal, and in another a clock whose tacks it acknowledges", function()
    local pin = circuit("iopin", "-p", "0")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    local clock = circuit("clock", "-s", HOST, "-p", port_of(pin), "-t", "5", "-d", "0.05")
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    assert.equal(0, clock:wait())
    assert.equal(table.concat({
      "[ Clock ] tack 1: 1", "[ Clock ] tack 2: 0", "[ Clock ] tack 3: 1", "[ Clock ] tack 4: 0",
      "[ Clock ] tack 5: 1\n",
    }, "\n"), clock.output.stdout)
    pin:expect("stdout", "%[ IOPin %] the clock is here\n%[ IOPin %] 1\n%[ IOPin %] 0\n%[ IOPin %] 1\n%[ IOPin %] 0\n"
      .. "%[ IOPin %] 1\n%[ IOPin %] the clock has closed: 1000 %(normal%)\n")
    pin:kill "sigint"
    assert.equal(130, pin:wait())
    assert.equal("", pin:complaints() .. clock:complaints())
  end)

  it("is a clock without a delay, which goes as fast as it is acknowledged", function()
    local pin = circuit("iopin", "-p", "0")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    local clock = circuit("clock", "-p", port_of(pin), "-t", "300", "-d", "0")
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    assert.equal(0, clock:wait())
    assert.matches("%[ Clock %] tack 299: 1\n%[ Clock %] tack 300: 0\n$", clock.output.stdout)
  end)

  it("is a buzzer in a third, which buzzes when the pin flips to one; with -t all three end", function()
    local pin = circuit("iopin", "-p0", "-t4")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    local port = port_of(pin)
    local buzzer = circuit("buzzer", "-p", port, "-t", "4")
    local buzzer_ends <close> = ending(buzzer) -- luacheck: ignore
    pin:expect("stdout", "the buzzer is here\n")
    local clock = circuit("clock", "--port=" .. port, "--tacks", "4", "-d=0.05")
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    assert.same({ 0, 0, 0 }, { clock:wait(), buzzer:wait(), pin:wait() })
    assert.equal("[ Buzzer ] listening to the iopin\n[ Buzzer ] bzzz\n[ Buzzer ] bzzz\n", buzzer.output.stdout)
    assert.matches("tack 4: 0\n$", clock.output.stdout)
  end)

  it("says that the pin has gone, when it goes and not later", function()
    local pin = circuit("iopin", "-p", "0")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    local port = port_of(pin)
    local clock, buzzer = circuit("clock", "-p", port, "-d", "3600"), circuit("buzzer", "-p", port)
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    local buzzer_ends <close> = ending(buzzer) -- luacheck: ignore
    clock:expect("stdout", "tack 1: 1\n")
    buzzer:expect("stdout", "listening to the iopin\n")
    pin:kill "sigint"
    assert.same({ 1, 0 }, { clock:wait(), buzzer:wait() })
    assert.equal("circuit: the iopin has closed: 1001 (going away)\n", clock:complaints())
    assert.equal("circuit: the iopin has closed: 1001 (going away)\n", buzzer:complaints())
    pin:wait()
    assert.matches("%[ IOPin %] the clock was told to go: 1001 %(going away%)\n", pin.output.stdout)
  end)

  it("says with status 1 that there is no pin, or that its port is in use", function()
    local part = assert(sketch.component "Part"():serve(HOST, 0))
    local port = part:port()
    local output, status = sh("$S run circuit iopin -p " .. port)
    assert.equal(("circuit: port %d on 127.0.0.1 is in use: stop the other program, or take another port "
      .. "(0 takes a free one)\n"):format(port), output)
    assert.equal(1, status)
    part:close()
    for _, role in ipairs { "clock", "buzzer" } do
      output, status = sh(("$S run circuit %s -p %d"):format(role, port))
      assert.equal(("circuit: nobody listens on port %d of 127.0.0.1: start the other component first\n"):format(port),
        output)
      assert.equal(1, status)
    end
  end)

  it("runs its components by their own names too", function()
    local output, status = sh "$S run circuit/clock -p 1"
    assert.matches("^circuit: nobody listens on port 1 of 127.0.0.1", output)
    assert.equal(1, status)
  end)

  it("finds the pin by its name, on any port", with_group(function(group)
    local pin = circuit_in(group, "iopin", "-p", "0", "-t", "4")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    local port = port_of(pin)
    local buzzer = circuit_in(group, "buzzer")
    local buzzer_ends <close> = ending(buzzer) -- luacheck: ignore
    pin:expect("stdout", "the buzzer is here\n")
    local clock = circuit_in(group, "clock", "-t", "4", "-d", "0.01")
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    assert.same({ 0, 0, 0 }, { clock:wait(), buzzer:wait(), pin:wait() })
    assert.matches(("^%%[ Clock %%] found iopin at 127.0.0.1:%s\n%%[ Clock %%] tack 1: 1\n"):format(port),
      clock.output.stdout)
    assert.matches(("^%%[ Buzzer %%] found iopin at 127.0.0.1:%s\n"):format(port), buzzer.output.stdout)
  end))

  it("finds a certain one of several pins", with_group(function(group)
    local first = circuit_in(group, "iopin", "-p", "0")
    local first_ends <close> = ending(first) -- luacheck: ignore
    local second = circuit_in(group, "iopin", "-p", "0", "--name", "left")
    local second_ends <close> = ending(second) -- luacheck: ignore
    assert(discovery.find("left", { group = group, type = "_strobe-circuit._tcp" }))
    local third = circuit_in(group, "iopin", "-p", "0", "-n", "left")
    local third_ends <close> = ending(third) -- luacheck: ignore
    third:expect("stdout", "there is another left: announced as left%-2\n")
    local clock = circuit_in(group, "clock", "-n", "left-2", "-t", "1")
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    assert.equal(port_of(third), (clock:expect("stdout", "found left%-2 at 127.0.0.1:(%d+)\n")))
    third:expect("stdout", "the clock is here\n")
  end))

  it("asks the list before the network", function()
    local pin = circuit("iopin", "-p", "0", "-t", "1")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    local port = port_of(pin)
    local output = sh(("STROBE_SERVICES='iopin=localhost:%s' $S run circuit clock -t 1"):format(port))
    assert.equal(("[ Clock ] found iopin at localhost:%s\n[ Clock ] tack 1: 1\n"):format(port), output)
    output = sh "STROBE_SERVICES=iopin $S run circuit clock -t 1"
    assert.equal("circuit: iopin: STROBE_SERVICES: iopin: No such file or directory\n", output)
  end)

  it("that finds nobody tries the usual place, unless it was told whom to find", with_group(function(group)
    -- Whatever listens there, or not.
    local clock = circuit_in(group, "clock", "-t", "1")
    local clock_ends <close> = ending(clock) -- luacheck: ignore
    clock:expect("stdout", "^%[ Clock %] no iopin has announced itself: trying 127.0.0.1:8765\n")
    local output, status = sh(("STROBE_DISCOVERY=%s $S run circuit clock -n right"):format(group))
    assert.equal("circuit: right: nobody of that name has answered within 1.5 s: is it started, and announced? If "
      .. 'multicast is blocked, say where it is: set STROBE_SERVICES="right=HOST:PORT", or the option services\n',
      output)
    assert.equal(1, status)
  end))

  it("tells nobody when it is not to", with_group(function(group)
    local pin = circuit_in(group, "iopin", "-p", "0", "--no-announce")
    local pin_ends <close> = ending(pin) -- luacheck: ignore
    port_of(pin)
    local output = sh(("STROBE_DISCOVERY=%s $S run circuit clock -n iopin"):format(group))
    assert.matches("^circuit: iopin: nobody of that name has answered", output)
  end))

  it("refuses what it does not know with its usage and status 2", function()
    for words, expected in pairs {
      [""] = "which component?",
      ["relay"] = "no component named 'relay'",
      ["clock -x 3"] = "unknown option '-x'",
      ["-x clock"] = "unknown option '-x'",
      ["clock --fast"] = "unknown option --fast",
      ["clock 5"] = "unknown argument '5'",
      ["clock -t"] = "--tacks: a value is missing",
      ["clock -t 1.5"] = "--tacks: a whole number expected, got '1.5'",
      ["clock -t -1"] = "--tacks -1: 0 or more expected",
      ["clock -d -1"] = "--delay -1: 0 or more seconds expected",
      ["clock -p 0"] = "--port 0: a port from 1 to 65535 expected",
      ["clock -n a.b"] = "--name a.b: letters, digits, - and _ expected, at most 63",
      ["demo -d 0.0005"] = "--delay 0.0005: for the demo 0, or 0.001 or more seconds expected",
      ["demo -p 1"] = "the demo has no network: --host, --port, --name and --no-announce are for the others",
      ["iopin --vcd a.vcd"] = "--vcd and --view are for the demo",
      ["clock --view"] = "--vcd and --view are for the demo",
      ["iopin -p 65536"] = "--port 65536: a port from 0 to 65535 expected",
    } do
      local output, status = sh("$S run circuit " .. words)
      local usage = "usage: strobe run circuit clock|iopin|buzzer [options]"
      assert.equal(expected .. "\n" .. usage, output:match "^[^\n]*\n[^\n]*")
      assert.equal(2, status)
    end
    assert.same({ 0 }, { select(2, sh "$S run circuit --help") })
  end)

  describe("its demo", function()
    local FOUR_TACKS = table.concat({
      "[ IOPin ] 1", "[ Buzzer ] bzzz", "[ Clock ] tack 1: 1",
      "[ IOPin ] 0", "[ Clock ] tack 2: 0",
      "[ IOPin ] 1", "[ Buzzer ] bzzz", "[ Clock ] tack 3: 1",
      "[ IOPin ] 0", "[ Clock ] tack 4: 0\n",
    }, "\n")

    -- What a trace has of a variable: "0@0 1@500 …", in ms.
    local function story_of(path, name)
      local story = {}
      for _, var in ipairs(assert(vcd.read(path)).vars) do
        if var.scope .. "." .. var.name == name then
          for i, time in ipairs(var.changes.times) do
            story[i] = ("%s@%d"):format(var.changes.values[i], time // 1000000)
          end
        end
      end
      return table.concat(story, " ")
    end

    it("is the clock, the pin and the buzzer on one board, and ends after ten tacks", function()
      local output, status = sh "$S --clock=virtual run circuit demo"
      assert.equal(FOUR_TACKS, output:sub(1, #FOUR_TACKS))
      assert.equal(10, select(2, output:gsub("%[ Clock %]", "")))
      assert.equal(5, select(2, output:gsub("bzzz", "")))
      assert.equal(0, status)
    end)

    it("shows all three in a trace, which is the same each time", function()
      local dir <close> = folder.new {}
      local path, again = dir.path .. "/out.vcd", dir.path .. "/again.vcd"
      local output = sh(("$S --clock=virtual run circuit demo -t 4 --vcd %s"):format(path))
      local told = ("[ Board ] a trace of 4 seconds is in %s: strobe trace %s draws it\n"):format(path, path)
      assert.equal(FOUR_TACKS .. told, output)
      assert.equal("0@0 1@500 0@1000 1@1500 0@2000 1@2500 0@3000 1@3500 0@4000", story_of(path, "circuit.clock.tack"))
      assert.equal("0@0 1@500 0@1500 1@2500 0@3500", story_of(path, "circuit.iopin.pin"))
      assert.equal("0@0 1@500 0@600 1@2500 0@2600", story_of(path, "circuit.buzzer.sound"))
      sh(("$S --clock=virtual run circuit demo -t 4 --vcd %s"):format(again))
      assert.equal(sh("cat " .. path), (sh("cat " .. again)))
    end)

    it("without a delay takes the shortest", function()
      local dir <close> = folder.new {}
      local path = dir.path .. "/out.vcd"
      local output, status = sh(("$S --clock=virtual run circuit demo -t 4 -d 0 --vcd %s"):format(path))
      assert.equal(FOUR_TACKS, output:sub(1, #FOUR_TACKS))
      assert.matches("a trace of 0.004 seconds is in", output)
      assert.equal("0@0 1@0 0@1 1@2 0@3", story_of(path, "circuit.iopin.pin"))
      assert.equal(0, status)
    end)

    it("shows the board below its lines", function()
      local output, status = sh "$S --clock=virtual run circuit demo -t 4 --view"
      assert.equal(FOUR_TACKS, output:sub(1, #FOUR_TACKS))
      assert.matches("\niopin%.pin +0 ", output)
      assert.equal(0, status)
    end)

    it("leaves a whole trace when it is interrupted", function()
      local dir <close> = folder.new {}
      local path = dir.path .. "/out.vcd"
      local demo = circuit("demo", "-t", "0", "-d", "0.01", "--vcd", path)
      local demo_ends <close> = ending(demo) -- luacheck: ignore
      demo:expect("stdout", "tack 3: 1\n")
      demo:kill "sigint"
      assert.equal(130, demo:wait())
      assert.equal("", demo:complaints())
      assert.matches("^0@0 1@5 0@15 1@25", story_of(path, "circuit.iopin.pin"))
    end)

    it("says why there is no trace, with status 1", function()
      local output, status = sh "$S run circuit demo --vcd /nowhere/out.vcd"
      assert.equal("circuit: open /nowhere/out.vcd: no such file or directory (check the path)\n", output)
      assert.equal(1, status)
    end)
  end)

  describe("its clock", function()
    -- What a kind prints goes to the list.
    local function quiet(kind, lines)
      function kind:out(text)
        table.insert(lines, tostring(text))
      end
      return kind
    end

    local Clock = module "circuit/clock"

    it("keeps its time, however long an acknowledgement takes", function()
      local times, start = {}, async.time()
      local Slow = quiet(sketch.component "Slow", {})
      function Slow:loop()
        table.insert(times, async.time() - start)
        async.sleep(#times == 2 and 2.5 or 0.5)
      end
      local slow <close> = assert(Slow():serve(HOST, 0))
      local lines = {}
      assert.is_true((quiet(Clock, lines)(5, 1):tick(HOST, slow:port())))
      for i, expected in ipairs { 0, 1, 3.5, 4.5, 5.5 } do
        assert.near(expected, times[i], 0.01)
      end
      assert.equal("tack 5: n/a", lines[5])
    end)

    it("ticks on for ever without a number, a second apart", function()
      local lines = {}
      local pin <close> = assert(quiet(module "circuit/iopin", {})():serve(HOST, 0))
      local clock = quiet(Clock, lines)()
      local ticking = async.create_task(clock.tick, clock, HOST, pin:port())
      async.sleep(99.5)
      ticking:cancel()
      async.wait { ticking }
      assert.equal(100, #lines)
      assert.equal("tack 100: 0", lines[100])
    end)
  end)
end)
