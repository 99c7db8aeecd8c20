local Pty = require "spec.support.pty"
local async = require "strobe.async"

-- A program that has its terminal raw, and then does something.
local function raw(rest)
  return { "-e", ([[
    local t = require("strobe.core.terminal").open(0)
    assert(t:raw())
    io.stdout:write("raw\n")
    %s
  ]]):format(rest) }
end

local WAITS = 'require("strobe.async").sleep(100)'

describe("a terminal that is raw", function()
  local shows = Pty.stories(_ENV)

  local function opened(arguments)
    local pty = Pty.open(arguments)
    pty.before = pty:settings()
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
    local pty <close> = opened(raw('require("strobe.core.host").end_by_hangup()' .. WAITS))
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
