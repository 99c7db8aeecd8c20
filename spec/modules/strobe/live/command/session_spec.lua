local Folder = require "spec.support.folder"
local child = require "spec.support.child"
local program = require("strobe.core.host").program

-- Time that is looked at passes fifty times as fast, where it decides how long a shield is held.
local FAST = [[
  local time = require "strobe.core.time"
  local real = time.real
  time.real = function() return 50 * real() end]]

-- A unit that does something in a task of its own. Its steps are long by the real clock, which only unsafe ones have.
local function unit(code, stream)
  return ([[
    local time = require "strobe.core.time"
    local function spin()
      local began = time.real()
      while time.real() - began < 0.07 do end
    end
    return {
      version = 1, unsafe = true, subscribe = { %s },
      on_event = function(ctx) ctx:sleep(1) end,
      init = function(ctx)
        ctx:create_task(function()
          ctx:sleep(0.1)
          %s
        end)
      end,
    }]]):format(stream, code)
end

-- What `strobe live` says of a unit until the pattern is there, and at its end.
local function said(code, pattern, setup, stream, ...)
  local folder <close> = Folder.new { ["mm.lua"] = unit(code, stream or ""), ["setup.lua"] = setup or "" }
  local process <close> = child.spawn(program, { "live", "mm.lua", "--setup", "setup.lua", ... }, { cwd = folder.path })
  process:expect("stderr", pattern)
  process:kill "sigterm"
  process:wait()
  return process.output.stderr
end

local function count(output, pattern)
  return select(2, output:gsub(pattern, ""))
end

describe("strobe live warns", function()
  it("of a unit's step over 50 ms, with its place, once in a minute", function()
    local text = "mm: warning: [^\n]+ ran 0%.%d+ s without waiting, until [^\n]*mm.lua:%d+\n"
    local output = said("for _ = 1, 3 do spin() ctx:sleep(0.01) end ctx:log('info', 'over')", "over\n")
    assert.matches(text, output)
    assert.equal(1, count(output, text), output)
    assert.matches("strobe: warning: 2 more of: [^\n]+ ran 0%.%d+ s", output)
  end)

  it("of such a step also when its task ends with it", function()
    local output = said("ctx:create_task(spin) ctx:sleep(0.2) ctx:log('info', 'over')", "over\n")
    assert.matches("mm: warning: [^\n]+ ran 0%.%d+ s without waiting\n", output)
  end)

  it("of a shield that is held for more than 5 s, once in a minute", function()
    local text = "mm: warning: unit mm has held a shield for more than 5 s: no reload can begin\n"
    local output = said("ctx:shield(function() ctx:sleep(9) end)", text, FAST)
    assert.equal(1, count(output, text), output)
  end)

  it("of an inbox that is more than half full, once in a minute", function()
    local text = "mm: warning: the inbox of unit mm is more than half full: it takes events slower than they come\n"
    local output = said("ctx:sleep(1.5) ctx:log('info', 'over')", text, nil, "'btc_usd'",
      "--feed", "synthetic:1?rate=500", "--inbox", "4")
    assert.equal(1, count(output, text), output)
  end)
end)
