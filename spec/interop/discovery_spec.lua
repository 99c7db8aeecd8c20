-- Services between strobe and two others, in both directions: zeroconf for Python, which is what $PYTHON (or python3)
-- imports, and avahi. All programs run on a machine of their own: a network namespace which has nothing but its
-- loopback, so that the port of multicast DNS is free and nobody else hears of it.
-- The programs at the other end are in peers/.

local Folder = require "spec.support.folder"
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

local NO_MACHINE = not runs "unshare -n -m ip link set lo up" and "this user may not make a network namespace"
local PYTHON = python()
local NO_ZEROCONF = not PYTHON and "python3 has no zeroconf (apt-get install python3-zeroconf)" or NO_MACHINE
local NO_AVAHI = not runs "{ command -v avahi-daemon && command -v avahi-publish && command -v dbus-daemon; }"
  and "there is no avahi (apt-get install avahi-daemon avahi-utils dbus)" or NO_MACHINE

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

-- Runs f(start) while a holder keeps the machine, where start(…) runs a program on it; all are over in the end.
local function on_machine(holder, f)
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
    local words = { "--foreground", "100", "nsenter", "-n", "-t", pid, ... }
    local program = child.spawn("timeout", words, { input = false })
    table.insert(programs, program)
    return program
  end)
end

-- A story that needs what there may be not; then it is skipped, and says why.
local function shows(name, lacking, story)
  it(name, function()
    if lacking then
      pending(lacking)
    else
      story()
    end
  end)
end

describe("zeroconf for Python", function()
  local function with(story)
    return function()
      on_machine(child.spawn("timeout", { "30", "unshare", "-n", "sh", "-c",
        "ip link set lo up; echo PID $$; exec sleep 30" }), story)
    end
  end

  local function announced_by_python(start, name)
    local peer = start(PYTHON, FOLDER .. "zeroconf_announce.py", name, "1234", "colour=blue")
    return peer, peer:expect("stdout", "announced (%S+)\n")
  end

  shows("finds what we announce, and hears that it has gone", NO_ZEROCONF, with(function(start)
    local peer = start(PYTHON, FOLDER .. "zeroconf_browse.py")
    peer:expect("stdout", "browsing")
    local ours = start(STROBE, "-e", ANNOUNCE)
    peer:expect("stdout", "added iopin%._strobe%._tcp%.local%. 127%.0%.0%.1 4321 colour=red loud=True\n")
    ours:kill "sigterm"
    peer:expect("stdout", "removed iopin%._strobe%._tcp%.local%.\n")
  end))

  shows("finds what we had announced before it came", NO_ZEROCONF, with(function(start)
    local ours = start(STROBE, "-e", ANNOUNCE)
    ours:expect("stdout", "announced")
    local peer = start(PYTHON, FOLDER .. "zeroconf_browse.py")
    peer:expect("stdout", "added iopin%._strobe%._tcp%.local%. 127%.0%.0%.1 4321 colour=red loud=True\n")
  end))

  shows("is found by us, and we hear that it has gone", NO_ZEROCONF, with(function(start)
    local ours = start(STROBE, "-e", BROWSE)
    ours:expect("stdout", "browsing")
    local peer = announced_by_python(start, "pythonpin")
    ours:expect("stdout", "added\tpythonpin\t127.0.0.1\t1234\tblue\n")
    peer.pipes.stdin:close() -- its input ends
    ours:expect("stdout", "removed\tpythonpin\t127.0.0.1\t1234\tblue\n")
  end))

  shows("is found by its name", NO_ZEROCONF, with(function(start)
    announced_by_python(start, "pythonpin")
    local ours = start(STROBE, "-e", [[
      local service = assert(require "strobe.discovery".find "pythonpin")
      print(service.name, service.host, service.port, service.target)]])
    ours:expect("stdout", "pythonpin\t127.0.0.1\t1234\tpython.local\n")
  end))

  shows("keeps its name when we want the same", NO_ZEROCONF, with(function(start)
    local _, name = announced_by_python(start, "iopin")
    assert.equal("iopin._strobe._tcp.local.", name)
    start(STROBE, "-e", ANNOUNCE):expect("stdout", "announced\tiopin%-2\n")
  end))

  shows("takes another name when ours is the same", NO_ZEROCONF, with(function(start)
    start(STROBE, "-e", ANNOUNCE):expect("stdout", "announced\tiopin\n")
    local _, name = announced_by_python(start, "iopin")
    assert.equal("iopin-2._strobe._tcp.local.", name)
  end))
end)

describe("avahi", function()
  local function with(story)
    return function()
      local folder <close> = Folder.new {}
      local holder = child.spawn("timeout", { "30", "unshare", "-n", "-m", FOLDER .. "avahi.sh", folder.path },
        { input = false })
      on_machine(holder, function(start)
        holder:expect("stdout", "ready")
        story(function(...)
          return start("env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" .. folder.path .. "/bus", ...)
        end)
      end)
    end
  end

  shows("shares the port with us, finds what we announce, and hears that it has gone", NO_AVAHI, with(function(start)
    local peer = start("avahi-browse", "-r", "-p", "_strobe._tcp")
    local ours = start(STROBE, "-e", ANNOUNCE)
    peer:expect("stdout", '=;lo;IPv4;iopin;_strobe._tcp;local;strobe%-%x+.local;127.0.0.1;4321;"[^\n]*colour=red')
    ours:kill "sigterm"
    peer:expect("stdout", "%-;lo;IPv4;iopin;_strobe._tcp;local\n")
  end))

  shows("is found by us, by browsing and by name, and we hear that it has gone", NO_AVAHI, with(function(start)
    local ours = start(STROBE, "-e", BROWSE)
    ours:expect("stdout", "browsing")
    local peer = start("avahi-publish", "-s", "avahi pin", "_strobe._tcp", "999", "colour=blue")
    ours:expect("stdout", "added\tavahi pin\t127.0.0.1\t999\tblue\n")
    start(STROBE, "-e", [[
      local service = assert(require "strobe.discovery".find "avahi pin")
      print(service.host, service.port, service.target)]]):expect("stdout", "127.0.0.1\t999\tavahihost.local\n")
    peer:kill "sigterm"
    ours:expect("stdout", "removed\tavahi pin\t127.0.0.1\t999\tblue\n")
  end))

  shows("takes another name when ours is the same, and keeps its own when we come later", NO_AVAHI,
    with(function(start)
      local ours = start(STROBE, "-e", ANNOUNCE)
      ours:expect("stdout", "announced\tiopin\n")
      local peer = start("avahi-publish", "-s", "iopin", "_strobe._tcp", "999")
      peer:expect("stderr", "Established under name 'iopin #2'")
      ours:kill "sigterm"
      start("avahi-publish", "-s", "buzzer", "_strobe._tcp", "998"):expect("stderr", "Established under name 'buzzer'")
      start(STROBE, "-e", (ANNOUNCE:gsub("iopin", "buzzer"))):expect("stdout", "announced\tbuzzer%-2\n")
    end))
end)
