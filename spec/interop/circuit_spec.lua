-- A circuit of two languages: a clock and an IO pin in Python, peers/circuit_*.py, and ours of scripts/circuit/.

local peer = require "spec.support.peer"
local sketch = require "strobe.sketch"

local OURS = { require("strobe.core.host").program, "run", "circuit" }

describe("the circuit and Python", function()
  local python = peer.python "websockets"
  local shows = peer.stories(_ENV, python, "python3 has no websockets (apt-get install python3-websockets)")

  local function their(name)
    return { python[1], peer.file(("circuit_%s.py"):format(name)) }
  end

  local function tacks(...)
    local lines = {}
    for number, acknowledgement in ipairs { ... } do
      lines[number] = ("[ Clock ] tack %d: %s\n"):format(number, acknowledgement)
    end
    return table.concat(lines)
  end

  shows("ticks our pin by a clock of theirs", function()
    peer.with(OURS, { "iopin", "-p", "0", "-t", "5" }, function(pin)
      local port = pin:expect("stdout", "listening on ws://127.0.0.1:(%d+)\n")
      local said = peer.run(their "clock", { "-s", "127.0.0.1", "-p", port, "-t", "5", "-d", "0.05" })
      assert.equal(tacks(1, 0, 1, 0, 1), said)
      assert.equal(0, pin:wait())
      assert.matches("%[ IOPin %] the clock is here\n%[ IOPin %] 1\n%[ IOPin %] 0\n%[ IOPin %] 1\n%[ IOPin %] 0\n"
        .. "%[ IOPin %] 1\n", pin.output.stdout)
      assert.equal("", pin:complaints())
    end)
  end)

  shows("ticks their pin by our clock", function()
    peer.with(their "iopin", { "-p", "0" }, function(pin)
      local port = pin:expect("stdout", "listening on port (%d+)\n")
      local said = peer.run(OURS, { "clock", "-s", "127.0.0.1", "-p", port, "-t", "5", "-d", "0.1" })
      assert.equal(tacks(1, 0, 1, 0, 1), said)
      pin:expect("stdout", "%[ IOPin %] the clock is here\n%[ IOPin %] 1\n%[ IOPin %] 0\n%[ IOPin %] 1\n%[ IOPin %] 0\n"
        .. "%[ IOPin %] 1\n%[ IOPin %] the clock has gone: 1000\n")
    end)
  end)

  shows("is told that their pin has gone", function()
    peer.with(their "iopin", { "-p", "0", "-t", "2" }, function(pin)
      local port = pin:expect("stdout", "listening on port (%d+)\n")
      peer.with(OURS, { "clock", "-s", "127.0.0.1", "-p", port, "-d", "0.1" }, function(clock)
        assert.equal(1, clock:wait())
        assert.equal(tacks(1, 0), clock.output.stdout)
        assert.equal("circuit: the peer has closed: 1001 (going away)\n", clock:complaints())
      end)
      assert.equal(0, pin:wait(), pin.output.stderr)
    end)
  end)

  shows("acknowledges with n/a, both ways, what has no answer", function()
    local Silent, heard = sketch.component "Silent", {}
    function Silent:out() end -- luacheck: ignore
    function Silent:loop(channel, message) -- luacheck: ignore
      table.insert(heard, channel .. " " .. message)
    end
    local part <close> = assert(Silent():serve("127.0.0.1", 0))
    local said = peer.run(their "clock", { "-p", tostring(part:port()), "-t", "2", "-d", "0" })
    assert.equal(tacks("n/a", "n/a"), said)
    assert.same({ "clock tack", "clock tack" }, heard)
    peer.with(their "iopin", { "-p", "0" }, function(pin)
      local link <close> = assert(part:connect("127.0.0.1", tonumber(pin:expect("stdout", "on port (%d+)\n"))))
      assert.same({ "n/a", "1", "n/a" }, { link:send "tick", link:send "tack", link:send "ünd \u{1f600}" })
      assert.equal("peer", link.channel)
      pin:expect("stdout", "%[ IOPin %] 'tick' from the silent%?\n")
    end)
  end)

  shows("takes tacks of clocks of both at once", function()
    peer.with(OURS, { "iopin", "-p", "0", "-t", "40" }, function(pin)
      local port = pin:expect("stdout", "listening on ws://127.0.0.1:(%d+)\n")
      local words = { "-s", "127.0.0.1", "-p", port, "-t", "20", "-d", "0.01" }
      peer.with(their "clock", words, function(clock)
        local said = peer.run(OURS, { "clock", table.unpack(words) })
        assert.equal(0, clock:wait(), clock.output.stderr)
        assert.equal(40, select(2, (said .. clock.output.stdout):gsub("tack %d+: [01]\n", "")))
      end)
      assert.equal(0, pin:wait())
      assert.equal(20, select(2, pin.output.stdout:gsub("%] 1\n", "")))
    end)
  end)
end)
