-- Whatever is typed, the loop of the process goes on: a task that sleeps 50 ms is not kept from its time. On a machine
-- that has other work, real time tells nothing; so what counts is the processor time between two of its turns.

local Folder = require "spec.support.folder"
local Pty = require "spec.support.pty"
local async = require "strobe.async"

local WITNESS = [[
  local async = require "strobe.async"
  worst = 0
  async.create_task(function()
    while true do
      local before = os.clock()
      async.sleep(0.05)
      worst = math.max(worst, os.clock() - before)
    end
  end)
  names = {}
  for i = 1, 200 do names["name_" .. i] = i end
]]

-- Seconds of work while a task sleeps: of 75 ms 50 are its own.
local MOST = 0.075

describe("while somebody types, the loop", function()
  local shows = Pty.stories(_ENV)

  local function check(type_it)
    local folder <close> = Folder.new { ["witness.lua"] = WITNESS }
    local pty <close> = Pty.open { "-i", folder.path .. "/witness.lua" }
    pty:shows "\n>"
    pty:type "worst = 0\r"
    pty:shows "> worst = 0\n>"
    type_it(pty)
    pty:type "#" -- a signal is faster than the keys before it: not before they are read
    pty:shows "#"
    pty:type "\3"
    pty:shows "^C"
    pty:type "('worst %.3f'):format(worst)\r"
    local worst = tonumber(pty:sends "\n\"worst ([%d.]+)\"\r\n")
    assert.is_true(worst < MOST, ("it took %.3f s"):format(worst))
  end

  shows("is not held up by keys, a lone ESC, and half a key", function()
    check(function(pty)
      for i = 1, 100 do
        pty:type(string.char(97 + i % 26))
        async.sleep(0.005)
      end
      pty:type "\27"
      async.sleep(0.2)
      pty:type "\27["
      async.sleep(0.2)
      pty:type "D"
    end)
  end)

  shows("… 200 candidates", function()
    check(function(pty)
      pty:type "names.name_\t\t"
      pty:sends "name_99"
    end)
  end)

  shows("… a search", function()
    check(function(pty)
      for i = 1, 20 do
        pty:type(("x%d = 1\r"):format(i))
      end
      pty:type "\18x1"
      async.sleep(0.1)
      pty:type "\18\18\18\7"
    end)
  end)

  shows("… a paste of 100 KB", function()
    check(function(pty)
      pty:type("\27[200~" .. ("local value = compute(argument)\n"):rep(3200) .. "-- the end\27[201~")
      pty:sends "the end"
    end)
  end)

  shows("… a terminal that takes nothing", function()
    check(function(pty)
      pty:type "long = ('x'):rep(99) .. '\\n'\r"
      pty:type "for i = 1, 15000 do io.write(long) if i % 100 == 0 then async.sleep(0) end end\r"
      pty:stop()
      async.sleep(0.5)
      pty:type "abc"
      async.sleep(0.5)
      pty:go()
      pty:sends "\n[^\n]*> [^\n]*$"
    end)
  end)
end)
