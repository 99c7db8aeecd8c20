--- A unit at work whose reload is refused, and what has to be true after that.
--
-- The unit adds up the numbers that come, and has a child that waits for the port "gate". That opens at the moment
-- the unit is frozen, so the child's wake-up comes while it is; or after the reload, if it was not frozen at all.

local Event = require("strobe.async.event").Event
local Run = require("strobe.live.run").Run
local UnitFolder = require "spec.support.unit_folder"
local assert = require "luassert"
local async = require "strobe.async"
local refusals = require "strobe.live.refusal"
local util = require "luassert.util"

local RefusedUnit = {}
RefusedUnit.__index = RefusedUnit

--- The unit's text. Words among the numbers that come have a meaning; `more` stands among the fields.
function RefusedUnit.text(word, more)
  return ([[
    local hold
    local acts = {
      slow = function(ctx) ctx:sleep(60) end,
      hold = function(ctx) hold = ctx:forbid_reload "settling" end,
      release = function() hold:release() end,
      spoil = function(_, st) st.book = { cb = print } end,
      grow = function(_, st) for i = 1, 200000 do st[i] = {} end end,
      reload = function(ctx) local report = require "strobe.live".reload() ctx:emit("out", report.verdict) end,
    }
    return {
      version = 1, subscribe = { "ticks" },
      on_event = function(ctx, st, m)
        if acts[m.data] then return acts[m.data](ctx, st) end
        st.sum = (st.sum or 0) + m.data
        st.seen = { last = m.seq }
        ctx:emit("out", "%s " .. st.sum)
      end,
      init = function(ctx) ctx:create_task(function() ctx:query "gate" ctx:emit("out", "woken") end) end,
      %s
    }]]):format(word, more or "")
end

-- Opens the gate when a run is frozen.
local function open_when_frozen(self)
  self.run.freeze = function(run)
    Run.freeze(run)
    self.frozen = true
    self.gate:set()
  end
end

--- A unit "mm" that has got 1 and 2, and then these words.
---@param files? table<string, string>
---@param options? table of the runtime
function RefusedUnit.new(files, options, ...)
  files = files or {}
  files["mm.lua"] = files["mm.lua"] or RefusedUnit.text "old"
  local self = setmetatable({ units = UnitFolder.new(files, options), gate = Event() }, RefusedUnit)
  self.path = self.units.folder.path
  self.units.runtime:add_port("gate", {
    query = function()
      return self.gate:wait()
    end,
  })
  assert.equal("committed", self.units:start("mm").verdict)
  self.units:offer("ticks", 1, 2, ...)
  self.unit = self.units.runtime.units.mm
  self.run = self.unit.run
  self.before = util.deepcopy(self.run.st)
  open_when_frozen(self)
  return self
end

--- Reloads it with a new text of the file, or of several: the report.
function RefusedUnit:reload(text, options)
  for name, content in pairs(type(text) == "table" and text or { ["mm.lua"] = text }) do
    self.units:write(name, content)
  end
  return self.units:reload("mm", nil, options)
end

--- The report is a refusal, with a line of what to do, and the place, in a file of the unit, that it is about.
---@param report strobe.live.Report
---@param code string
---@param place? string "mm.lua:2"
---@param text? string a pattern in the error
function RefusedUnit:assert_refused(report, code, place, text)
  assert.equal("rejected:" .. code, report.verdict, report.error)
  assert.equal(refusals.remedies[code], report.remedy)
  assert.is_nil(report.remedy:find "\n")
  assert.equal(place and self.path .. "/" .. place, report.place, report.error)
  assert.matches(text or ".", report.error)
  assert.equal(self.run.generation.number, report.from)
  local attempts = self.units.runtime:gens "mm"
  assert.same({ report.to, report.verdict }, { attempts[#attempts].number, attempts[#attempts].verdict })
end

--- The old code goes on as if nothing had been: with its state, with the next event, and with the wake-up of its
--- child, which comes once.
---@param said? string[] what else went out since 1 and 2 had come
function RefusedUnit:assert_goes_on(said)
  assert.equal(self.run.generation, self.unit.run.generation)
  assert.is_true(util.deepcompare(self.before, self.unit.run.st), "the state has changed")
  self.gate:set()
  async.sleep(0.001)
  self.units:offer("ticks", 10)
  local values = self.units:values()
  local expected = { "old 1", "old 3", "woken", "old 13" }
  for _, value in ipairs(said or {}) do
    table.insert(expected, value)
  end
  table.sort(values)
  table.sort(expected)
  assert.same(expected, values)
end

RefusedUnit.__close = function(self, e)
  self.gate:set()
  getmetatable(self.units).__close(self.units, e)
end

return RefusedUnit
