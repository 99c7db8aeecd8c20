local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local clock = require "strobe.testing.clock"

-- Every version does the same with an event, and says so; what it does besides is its kind.
local UNIT = [[
local at, count = %d, 0
return {
  version = %d, subscribe = { "ticks" }, %s
  migrate = function(st, from)
    %s
    return st
  end,
  init = function(ctx, st)
    %s
  end,
  %s = function(ctx, st, m)
   for _, m in ipairs(m[1] and m or { m }) do
    count = count + 1
    local fails = count == at and not ctx.replaying
    %s
    st.sum = ((st.sum or 0) * 31 + m.data) %% 4294967296
    st.count = (st.count or 0) + 1
    st.last = { seq = m.seq, again = m.redelivered }
    ctx:emit("order", m.seq)
    %s
   end
  end,
}]]

local function unit(options)
  local form = options.form or "on_event"
  return UNIT:format(options.at or 0, options.version, form == "on_batch" and "batch = { size = 200 }," or "",
    options.migrate or "", options.init or "", form, options.first or "", options.last or "")
end

-- Kinds of new code: what it is, and the verdict; those which fail later are committed first.
local kinds = {
  good = { verdict = "committed" },
  syntax = { text = "return {", verdict = "rejected:syntax" },
  empty = { text = "\n", verdict = "rejected:empty" },
  ["no table"] = { text = "return 7", verdict = "rejected:empty" },
  ["init error"] = { init = "error 'init'", verdict = "rejected:init" },
  ["init timeout"] = { init = "ctx:sleep(9)", verdict = "rejected:init_timeout" },
  ["migrate error"] = { migrate = "error 'migrate'", new_version = true, verdict = "rejected:migrate" },
  ["bad state"] = { migrate = "st.f = print", new_version = true, verdict = "rejected:state_type" },
  ["migration"] = { migrate = "st.migrated = (st.migrated or 0) + 1", new_version = true, verdict = "committed" },
  ["error"] = { fails = 60, first = "if fails then error 'first' end", verdict = "committed" },
  ["hang"] = { fails = 60, verdict = "committed",
    first = "while fails do pcall(function() while true do local _ = {} end end) end" },
  ["effect, then error"] = { fails = 60, first = "if fails then ctx:emit('order', m.seq) error 'x' end",
    verdict = "committed" },
  ["effect, await, error"] = { fails = 60, verdict = "committed",
    first = "if fails then ctx:emit('order', m.seq) ctx:sleep(0.001) error 'late' end" },
  ["batches"] = { form = "on_batch", verdict = "committed" },
  ["batch error"] = { form = "on_batch", fails = 50, verdict = "committed", -- later, st would be half changed
    first = "if fails then error 'batch' end" },
  ["child error"] = { fails = 60, verdict = "committed",
    first = "if fails then ctx:create_task(function() error 'child' end) ctx:sleep(0.001) end" },
}

local names = {}
for name in pairs(kinds) do
  names[#names + 1] = name
end
table.sort(names)

local function text_of(kind, version, random)
  return kind.text or unit {
    version = version, at = kind.fails and random(kind.fails) or 0, migrate = kind.migrate, init = kind.init,
    first = kind.first, form = kind.form,
  }
end

-- Events in bursts, until all are out.
local function feed(units, count)
  for i = 1, count do
    units.runtime:offer("ticks", i)
    if i % 50 == 0 then
      async.sleep(0.05)
    end
  end
end

local function reload_at_random(units, random, left)
  local version, verdicts = 1, {}
  while not left:done() do
    async.sleep(random() * 0.2)
    local kind = kinds[names[random(#names)]]
    local next_version = kind.new_version and version + 1 or version
    local report = units:reload("mm", text_of(kind, next_version, random))
    assert.equal(kind.verdict, report.verdict, report.error)
    verdicts[report.verdict] = (verdicts[report.verdict] or 0) + 1
    async.sleep(0)
    version = units.runtime.units.mm.run.generation.contract.version
  end
  return verdicts
end

local function model(count)
  local sum = 0
  for i = 1, count do
    sum = (sum * 31 + i) % 4294967296
  end
  return sum
end

-- What goes out, as `sent` of a folder of units. Each event has an effect; what comes again has its id again, and no
-- other has that. Looked at as it comes, and forgotten when it is old: millions of them would make the collector's
-- cycles as long as a quota.
local WINDOW = 10000

---@class spec.SoakEffects
---@field problem? string the first
local Effects = {}
Effects.__index = Effects

function Effects.new()
  return setmetatable({ last = 0, ids = {}, values = {} }, Effects)
end

function Effects:is_lost(value)
  if value >= 1 and not self.ids[value] then
    self.problem = self.problem or ("event %d was lost"):format(value)
  end
end

-- The newest is `value`: others are too old to come again.
function Effects:move_on(value)
  for old = self.last + 1 - WINDOW, value - WINDOW do
    self:is_lost(old)
    self.values[self.ids[old] or 0], self.ids[old] = nil, nil
  end
  self.last = value
end

function Effects:take(id, value)
  local ids, values = self.ids, self.values
  if value > self.last then
    self:move_on(value)
  end
  values[id], ids[value] = values[id] or value, ids[value] or id
  if value <= self.last - WINDOW or values[id] ~= value or ids[value] ~= id then
    local text = "effect %s of event %s: %s has that id, and %s that event; the last was %s"
    self.problem = self.problem or text:format(id, value, values[id], ids[value], self.last)
  end
end

-- Why they are not those of so many events.
function Effects:problem_of(count)
  for value = self.last - WINDOW + 1, count do
    self:is_lost(value)
  end
  return self.problem
end

-- Of processor time; well above the 5 ms that a batch takes, for a step that is cut leaves st half changed: with one
-- that cuts batches which do not hang, events count twice.
local QUOTA = { seconds = 0.3 }

local function soak(seed, count)
  clock.prolong(count * 0.001)
  local state = seed
  local function random(most)
    state = (state * 6364136223846793005 + 1442695040888963407)
    local bits = (state >> 33)
    return most and bits % most + 1 or bits / 0x7fffffff
  end
  local probation = { events = 50, seconds = 0 }
  local units <close> = UnitFolder.new({ ["mm.lua"] = unit { version = 1 } }, {
    probation = probation, quota = QUOTA,
  })
  local effects = Effects.new()
  units.sent = setmetatable({}, { __newindex = function(_, _, sent)
    effects:take(sent.id, sent.value)
  end })
  assert.equal("committed", units:start("mm").verdict)
  local feeding = async.create_task(feed, units, count)
  local verdicts = reload_at_random(units, random, feeding)
  feeding:await()
  async.sleep(5)
  local mm = units.runtime.units.mm
  assert.equal("running", mm.state)
  assert.equal(0, #mm.inbox)
  local late, hung = 0, 0 -- rollbacks
  for _, report in ipairs(units.reports) do
    late = late + (report.verdict == "rolled_back:error" and 1 or 0)
    hung = hung + (report.verdict == "rolled_back:budget" and 1 or 0)
    assert.message(report.error).not_equal("rolled_back:failed", report.verdict)
  end
  assert.is_true(late > 0)
  assert.is_true(hung > 0 or count < 100000) -- a short soak may draw none
  assert.equal(count, mm.run.st.count)
  assert.equal(model(count), mm.run.st.sum)
  assert.is_nil(effects:problem_of(count))
  return verdicts
end

describe("the check of what goes out", function()
  local function problem_of(count, ...)
    local effects = Effects.new()
    for _, sent in ipairs { ... } do
      effects:take(sent[1], sent[2])
    end
    return effects:problem_of(count)
  end

  it("takes each event's own effect, as often as it comes soon", function()
    assert.is_nil(problem_of(3, { "a", 1 }, { "b", 2 }, { "a", 1 }, { "c", 3 }, { "b", 2 }))
  end)

  it("sees what is lost, now or long ago", function()
    assert.equal("event 3 was lost", problem_of(3, { "a", 1 }, { "b", 2 }))
    assert.equal("event 2 was lost", problem_of(3, { "a", 1 }, { "c", 3 }))
    assert.equal("event 1 was lost", problem_of(WINDOW + 2, { "b", 2 }, { "z", WINDOW + 2 }))
  end)

  it("sees another id for the same event, the same for another, and what comes again too late", function()
    assert.matches("effect c of event 1: 1 has that id, and a that event", problem_of(1, { "a", 1 }, { "c", 1 }))
    assert.matches("effect a of event 2: 1 has that id, and a that event", problem_of(2, { "a", 1 }, { "a", 2 }))
    assert.matches("effect a of event 1: ", problem_of(WINDOW + 1, { "a", 1 }, { "z", WINDOW + 1 }, { "a", 1 }))
  end)
end)

describe("a strategy that is reloaded at random", function()
  for seed = 1, tonumber(os.getenv "STROBE_SOAK_SEEDS" or 3) do
    it(("loses and doubles no event (seed %d)"):format(seed), function()
      soak(seed, tonumber(os.getenv "STROBE_SOAK_EVENTS" or 100000))
    end)
  end
end)
