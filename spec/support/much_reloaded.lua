--- A unit that is reloaded over and over, well and badly, for specs of what that leaves behind.

local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"

local much_reloaded = {}

-- A unit with a module that stays, a type, timers, children and something kept: what could hold an old generation.
local UNIT = [[
  local leaf = require "leaf"
  return { version = 1, subscribe = { "ticks" },
    init = function(ctx, st)
      st.book = st.book or leaf.new()
      ctx:keep("gate", 1, function() return { close = function() end } end)
      ctx:timer("beat", 1, function() ctx:emit("out", "beat") end)
      ctx:create_task(function() while true do ctx:sleep(10) end end)
    end,
    on_event = function(ctx, st, m)
      st.book.n = st.book.n + m.data
      ctx:emit("out", st.book.n)
      FAIL
    end,
    dispose = function(ctx, st, why) end } -- VERSION]]
local LEAF = [[
  local live = require "strobe.live"
  local Book = live.type("book", {})
  return { new = function() return setmetatable({ n = 0 }, Book) end }]]

local function text_of(i, fails)
  return (UNIT:gsub("VERSION", i):gsub("FAIL", fails and "error 'broken'" or ""))
end

--- A folder with the unit, which runs as "mm".
function much_reloaded.start()
  local files = { ["mm.lua"] = text_of(0), ["leaf.lua"] = LEAF }
  local units = UnitFolder.new(files, { probation = { events = 1, seconds = 0 }, flight = { entries = 64 } })
  assert(units:start("mm").verdict == "committed")
  return units
end

--- Reloads it; one in five fails in its probation, one in five is no Lua.
function much_reloaded.reload(units, i)
  local text = i % 5 == 1 and "return {" or text_of(i, i % 5 == 0)
  local report = units:reload("mm", text)
  assert(report.verdict == (i % 5 == 1 and "rejected:syntax" or "committed"), report.error)
  units:offer("ticks", 1)
  async.sleep(0.2)
  units.sent, units.reports, units.logged = {}, {}, {}
end

local function resident()
  for line in io.lines "/proc/self/status" do
    local kilobytes = line:match "^VmRSS:%s+(%d+)"
    if kilobytes then
      return tonumber(kilobytes)
    end
  end
end

--- Reloads it many times: the heap and the resident memory in KiB, after a collection.
function much_reloaded.measure(units, count)
  for i = 1, count do
    much_reloaded.reload(units, i)
  end
  collectgarbage()
  collectgarbage()
  return collectgarbage "count", resident() or 0
end

return much_reloaded
