-- Services between strobe and zeroconf for Python, which is what $PYTHON (or python3) imports, in both directions.
-- All programs run on a machine of their own: a network namespace which has nothing but its loopback, so that the
-- port of multicast DNS is free and nobody else hears of it.
-- The programs at the other end are in peers/.

local child = require "spec.support.child"

local STROBE = require("strobe.core.host").program
local FOLDER = debug.getinfo(1, "S").source:match "^@(.*/)" .. "peers/"

local function runs(line)
  return os.execute(line .. " >/dev/null 2>&1") == true
end

local function python()
  for _, program in ipairs { os.getenv "PYTHON" or "/usr/bin/python3", "python3" } do
    if runs(program .. " -c 'import zeroconf'") then
      return program
    end
  end
end

local PYTHON = python()
local WHY = not PYTHON and "python3 has no zeroconf (apt-get install python3-zeroconf)"
  or not runs "unshare -n ip link set lo up" and "this user may not make a network namespace"

describe("zeroconf for Python", function()
  -- Runs f(start), where start(…) runs a program on that machine; all are over in the end.
  local function machine(f)
    local holder = child.spawn("timeout", { "30", "unshare", "-n", "sh", "-c",
      "ip link set lo up; echo PID $$; exec sleep 30" })
    local programs = { holder }
    local ending <close> = setmetatable({}, { -- luacheck: ignore
      __close = function()
        for i = #programs, 1, -1 do
          programs[i]:kill "sigterm"
          programs[i]:wait()
          programs[i]:__close()
        end
      end,
    })
    local pid = holder:expect("stdout", "PID (%d+)")
    f(function(...)
      local program = child.spawn("timeout", { "20", "nsenter", "-n", "-t", pid, ... }, { input = false })
      table.insert(programs, program)
      return program
    end)
  end

  -- What is shown needs the peer; without it the story is skipped.
  local function shows(name, story)
    it(name, function()
      if WHY then
        pending(WHY)
      else
        machine(story)
      end
    end)
  end

  local ANNOUNCE = [[
    local async, discovery = require "strobe.async", require "strobe.discovery"
    local here = assert(discovery.announce { name = "iopin", port = 4321, text = { colour = "red", loud = true } })
    print("announced", here:name())
    async.sleep(20)]]

  local BROWSE = [[
    local discovery = require "strobe.discovery"
    print "browsing"
    for service, event in assert(discovery.browse()) do
      print(event, service.name, service.host, service.port, service.text.colour)
    end]]

  local function announced_by_python(start, name)
    local peer = start(PYTHON, FOLDER .. "zeroconf_announce.py", name, "1234", "colour=blue")
    return peer, peer:expect("stdout", "announced (%S+)\n")
  end

  shows("finds what we announce, and hears that it has gone", function(start)
    local peer = start(PYTHON, FOLDER .. "zeroconf_browse.py")
    peer:expect("stdout", "browsing")
    local ours = start(STROBE, "-e", ANNOUNCE)
    peer:expect("stdout", "added iopin%._strobe%._tcp%.local%. 127%.0%.0%.1 4321 colour=red loud=True\n")
    ours:kill "sigterm"
    peer:expect("stdout", "removed iopin%._strobe%._tcp%.local%.\n")
  end)

  shows("finds what we had announced before it came", function(start)
    local ours = start(STROBE, "-e", ANNOUNCE)
    ours:expect("stdout", "announced")
    local peer = start(PYTHON, FOLDER .. "zeroconf_browse.py")
    peer:expect("stdout", "added iopin%._strobe%._tcp%.local%. 127%.0%.0%.1 4321 colour=red loud=True\n")
  end)

  shows("is found by us, and we hear that it has gone", function(start)
    local ours = start(STROBE, "-e", BROWSE)
    ours:expect("stdout", "browsing")
    local peer = announced_by_python(start, "pythonpin")
    ours:expect("stdout", "added\tpythonpin\t127.0.0.1\t1234\tblue\n")
    peer.pipes.stdin:close() -- its input ends
    ours:expect("stdout", "removed\tpythonpin\t127.0.0.1\t1234\tblue\n")
  end)

  shows("is found by its name", function(start)
    announced_by_python(start, "pythonpin")
    local ours = start(STROBE, "-e", [[
      local service = assert(require "strobe.discovery".find "pythonpin")
      print(service.name, service.host, service.port, service.target)]])
    ours:expect("stdout", "pythonpin\t127.0.0.1\t1234\tpython.local\n")
  end)

  shows("keeps its name when we want the same", function(start)
    local _, name = announced_by_python(start, "iopin")
    assert.equal("iopin._strobe._tcp.local.", name)
    start(STROBE, "-e", ANNOUNCE):expect("stdout", "announced\tiopin%-2\n")
  end)

  shows("takes another name when ours is the same", function(start)
    start(STROBE, "-e", ANNOUNCE):expect("stdout", "announced\tiopin\n")
    local _, name = announced_by_python(start, "iopin")
    assert.equal("iopin-2._strobe._tcp.local.", name)
  end)
end)
