local Pty = require "spec.support.pty"
local Terminal = require "strobe.console.terminal"
local async = require "strobe.async"
local dice = require "spec.support.dice"

-- A program that does something, has its terminal raw when somebody has pressed Enter, and then does something else.
local function raw(rest, first)
  return { "-e", ([[
    %s
    local t = require("strobe.core.terminal").open(0)
    io.read()
    assert(t:raw())
    io.stdout:write("raw\n")
    %s
  ]]):format(first or "", rest) }
end

local WAITS = 'require("strobe.async").sleep(100)'

describe("a terminal that is raw", function()
  local shows = Pty.stories(_ENV)

  local function opened(arguments)
    local pty = Pty.open(arguments)
    pty.before = pty:settings()
    pty:type "\r"
    pty:shows "raw"
    return pty
  end

  local function check_restored(pty)
    assert.equal(pty.before, pty:settings())
  end

  shows("has its settings back when the program ends", function()
    local pty <close> = opened(raw "t = nil")
    assert.equal(0, pty:wait())
    check_restored(pty)
  end)

  shows("… by an error", function()
    local pty <close> = opened(raw "error 'oh'")
    assert.equal(1, pty:wait())
    check_restored(pty)
  end)

  shows("… by os.exit", function()
    local pty <close> = opened(raw "os.exit(7)")
    assert.equal(7, pty:wait())
    check_restored(pty)
  end)

  for _, case in ipairs { { "SIGTERM", 143 }, { "SIGINT", 130 }, { "SIGABRT", 134 }, { "SIGQUIT", 131 },
    { "SIGSEGV" } } do -- which a sanitizer makes an exit
    shows("… by " .. case[1], function()
      local pty <close> = opened(raw(WAITS))
      assert.not_equal(pty.before, pty:settings())
      pty:signal(case[1])
      local status = pty:wait()
      assert.equal(case[2] or status, status)
      assert.not_equal(0, status)
      check_restored(pty)
    end)
  end

  shows("… by the second signal, when it does not heed the first", function()
    local pty <close> = opened(raw "while true do pcall(function() while true do end end) end")
    pty:signal "SIGTERM"
    async.sleep(0.1)
    pty:signal "SIGTERM"
    assert.equal(143, pty:wait())
    check_restored(pty)
  end)

  shows("… by SIGHUP, if it ends by that", function()
    local pty <close> = opened(raw(WAITS, 'require("strobe.core.host").end_by_hangup()'))
    pty:signal "SIGHUP"
    assert.equal(129, pty:wait())
    check_restored(pty)
  end)

  shows("gives it to the shell while it is stopped, and takes it again", function()
    local pty <close> = opened(raw(WAITS))
    local taken = pty:settings()
    pty:signal "SIGTSTP"
    assert.equal(20, pty:wait_stop())
    check_restored(pty)
    pty:foreground()
    local now
    repeat
      async.sleep(0.02)
      now = pty:settings()
    until now ~= pty.before
    assert.equal(taken, now)
  end)

  shows("is opened for us alone: who started us shares a descriptor that blocks", function()
    local pty <close> = opened(raw(WAITS))
    assert.matches(" blocking$", pty.before)
    assert.matches(" blocking$", pty:settings())
  end)

  shows("keeps Ctrl-C a signal, and what was typed ahead stays", function()
    local pty <close> = opened(raw [[
      local async = require "strobe.async"
      local ok, e = pcall(async.sleep, 100)
      io.stdout:write(tostring(e), "\n")
      local bytes repeat async.sleep(0.01) bytes = t:read() until bytes and #bytes >= 5
      io.stdout:write(("got %q\n"):format(bytes))
    ]])
    pty:type "ab\26\28\3cd"
    pty:shows "got"
    assert.equal('got "ab\\26\\28cd"', pty:expect "got [^\n]*")
  end)

  shows("is one at a time", function()
    local pty <close> = Pty.open { "-e", [[
      local open = require("strobe.core.terminal").open
      local a, b = open(0), open(1)
      print(a:raw(), a:raw(), b:raw())
      a:close() a:close()
      print(b:raw())
    ]] }
    pty:wait()
    assert.matches("true +true +nil +raw mode: [^\n]* EBUSY", pty:text())
    assert.matches("\ntrue$", pty:text())
  end)
end)

describe("opening a terminal", function()
  local core = require "strobe.core.terminal"

  it("fails where there is none", function()
    local uv = require "luv"
    local pipe = assert(uv.pipe())
    assert.same({ nil, "ENOTTY" }, { select(1, core.open(pipe.read)), select(3, core.open(pipe.read)) })
    uv.fs_close(pipe.read)
    uv.fs_close(pipe.write)
  end)
end)

-- A terminal that takes as many bytes as it is told to, and those that it has taken.
local function slow_terminal()
  local taken, room = {}, 0
  local function write(_, bytes, place)
    local part = bytes:sub(place or 1, (place or 1) + room - 1)
    room = room - #part
    taken[#taken + 1] = part
    return #part
  end
  local nothing = function() end
  local terminal = setmetatable({
    handle = { write = write }, poll = { start = nothing, stop = nothing }, dropped = 0, events = "", options = {},
  }, Terminal)
  terminal:forget()
  return terminal, taken, function(bytes)
    room = bytes
  end
end

describe("a terminal that takes little at a time", function()
  it("gets all that was written, in order", function()
    for seed = 1, 50 do
      local random = dice(seed)
      local terminal, taken, let = slow_terminal()
      local written = {}
      for i = 1, 200 do
        let(random(40))
        written[i] = ("%d\n"):format(i):rep(random(4))
        assert.is_true(terminal:write(written[i]))
      end
      let(1 << 40)
      terminal:write ""
      assert.equal(table.concat(written), table.concat(taken))
      assert.is_true(terminal:is_drained())
    end
  end)
end)
