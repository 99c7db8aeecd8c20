local async = require "strobe.async"
local folder = require "spec.support.folder"
local json = require "strobe.json"
local sh = require("spec.support.shell").run
local trace = async.trace

-- What was recorded, decoded.
local function decoded()
  local pieces = {}
  trace.export(function(text)
    pieces[#pieces + 1] = text
  end)
  return json.decode(table.concat(pieces))
end

-- Checks what every recording has to be; returns its events without the metadata, and the names of its rows.
local function check(events)
  local open, arrows, names, timed, last = {}, {}, {}, {}, 0
  for _, e in ipairs(events) do
    assert.equal(1, e.pid)
    if e.ph == "M" then
      names[e.tid] = e.name == "thread_name" and e.args.name or names[e.tid]
    else
      timed[#timed + 1] = e
      assert.is_true(e.ts >= last)
      last = e.ts
      assert.is_string(names[e.tid])
    end
    if e.ph == "B" then
      assert.is_nil(open[e.tid])
      open[e.tid] = e.name
    elseif e.ph == "E" then
      assert.equal(open[e.tid], e.name)
      open[e.tid] = nil
    elseif e.ph == "s" then
      assert.is_nil(arrows[e.id])
      assert.equal("run", open[e.tid])
      arrows[e.id] = true
    elseif e.ph == "f" then
      assert.is_true(arrows[e.id])
      assert.equal("run", open[e.tid])
      arrows[e.id] = nil
    end
  end
  assert.is_nil(next(open))
  assert.is_nil(next(arrows))
  return timed, names
end

local function row_of(names, name)
  for tid, each in pairs(names) do
    if each == name then
      return tid
    end
  end
end

-- The slices and instants of a row, in order.
local function story(events, names, name)
  local parts, tid = {}, row_of(names, name)
  for _, e in ipairs(events) do
    if e.tid == tid and (e.ph == "B" or e.ph == "i") then
      parts[#parts + 1] = e.name
    end
  end
  return table.concat(parts, " ")
end

describe("a recording", function()
  after_each(function()
    trace.stop()
  end)

  it("tells what each task did, in slices that fit into each other", function()
    trace.start()
    local t = async.create_task(function()
      async.sleep(1)
      async.sleep(0)
      async.create_task(async.sleep, 1):await()
    end)
    t:set_name "worker"
    t:await()
    trace.stop()
    local events, names = check(decoded())
    assert.equal("new run sleep run ready run future run returned", story(events, names, "worker"))
    assert.matches("poll timers", story(events, names, "loop"))
  end)

  it("has an arrow from who woke a task to its next run", function()
    trace.start()
    local f = async.Future()
    local sleeper = async.create_task(f.await, f)
    sleeper:set_name "woken"
    local waker = async.create_task(f.set_result, f, 1)
    waker:set_name "waker"
    sleeper:await()
    trace.stop()
    local events, names = check(decoded())
    local from = {}
    for _, e in ipairs(events) do
      if e.ph == "s" then
        from[e.id] = names[e.tid]
      elseif e.ph == "f" and names[e.tid] == "woken" then
        from.woken = from.woken or {}
        table.insert(from.woken, from[e.id])
      end
    end
    assert.equal("waker", from.woken[#from.woken])
  end)

  it("tells how late timers were", function()
    trace.start()
    local late = async.create_task(async.sleep, 1)
    require("strobe.core.time").advance(1.25)
    late:await()
    trace.stop()
    local found
    for _, e in ipairs(check(decoded())) do
      found = found or e.name == "timers" and e.args
    end
    assert.equal(1, found.fired)
    assert.is_number(found.late_us)
  end)

  it("keeps the last events, and counts those it overwrote", function()
    for _, capacity in ipairs { 1, 2, 7, 100 } do
      trace.start { capacity = capacity }
      local list = {}
      for i = 1, 30 do
        list[i] = async.create_task(function()
          for _ = 1, 10 do
            async.sleep(0)
          end
        end)
      end
      async.gather(list)
      local status = trace.stop()
      assert.is_false(status.running)
      assert.equal(capacity, status.events)
      assert.is_true(status.lost > 300)
      local events = decoded()
      assert.equal(status.lost, events[1].args.lost_events)
      check(events)
    end
  end)

  it("may be read while it goes on", function()
    trace.start()
    async.sleep(1)
    check(decoded())
    assert.is_true(trace.status().running)
    async.sleep(1)
    check(decoded())
  end)

  it("begins anew when started again; stopping twice is harmless", function()
    trace.start()
    async.sleep(1)
    trace.start { capacity = 10 }
    assert.is_true(trace.status().events <= 10)
    trace.stop()
    local before = trace.status()
    async.sleep(1)
    assert.same(before, trace.stop())
    check(decoded())
  end)

  it("survives names of every kind", function()
    local all = {}
    for byte = 1, 255 do
      all[byte] = string.char(byte)
    end
    trace.start()
    local names_of_all_kinds = {
      "quote\"back\\slash", "\27[31m\n\0", "ünïcode \u{1F600}", "\xff\xfe", table.concat(all), "",
    }
    for _, name in ipairs(names_of_all_kinds) do
      local t = async.create_task(async.sleep, 0)
      t:set_name(name)
      t:await()
    end
    trace.stop()
    local _, names = check(decoded())
    assert.is_truthy(row_of(names, "quote\"back\\slash"))
    assert.is_truthy(row_of(names, "\\xff\\xfe"))
  end)

  it("holds no task alive", function()
    local weak = setmetatable({}, { __mode = "k" })
    trace.start()
    for _ = 1, 10 do
      local t = async.create_task(function() end)
      weak[t] = true
      t:await()
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil((next(weak)))
    trace.stop()
  end)

  it("tells tasks that were cancelled before they began", function()
    trace.start()
    local t = async.create_task(function() end)
    t:set_name "never"
    t:cancel()
    async.sleep(0)
    async.sleep(0)
    trace.stop()
    local events, names = check(decoded())
    assert.equal("new cancelled", story(events, names, "never"))
  end)

  it("is saved as a file; what goes wrong is told with a code", function()
    local dir <close> = folder.new {}
    trace.start()
    async.sleep(1)
    trace.stop()
    local path = dir.path .. "/trace.json"
    assert.equal(trace.status().events, trace.save(path))
    check(json.decode(assert(io.open(path)):read "a"))
    local saved, message, code = trace.save(dir.path .. "/no/trace.json")
    assert.is_nil(saved)
    assert.matches("no/trace.json: No such file or directory", message)
    assert.equal("ENOENT", code)
  end)

  it("takes a sensible capacity only", function()
    for _, wrong in ipairs { 0, -1, 1.5, "all", 1 << 30 } do
      local ok, message = pcall(trace.start, { capacity = wrong })
      assert.is_false(ok)
      local text = "trace.start: a capacity of 1 to 16777216 events expected, got " .. tostring(wrong)
      assert.matches(text, message, 1, true)
    end
  end)
end)

describe("strobe --trace FILE", function()
  local function traced(code, words)
    local dir <close> = folder.new {}
    local path = dir.path .. "/t.json"
    local output, status = sh(("$S --clock=virtual --trace %s %s $F"):format(path, words or ""), code)
    local file = io.open(path)
    return file and json.decode(file:read "a"), output:gsub("in %S+t.json", "in FILE"), status
  end

  it("records a script to its end", function()
    local events, output, status = traced [[
      local async = require "strobe.async"
      async.create_task(async.sleep, 1):set_name "child"
      async.sleep(2)]]
    assert.equal(0, status)
    assert.matches("^strobe: trace: %d+ events in FILE\n$", output)
    local timed, names = check(events)
    assert.equal("new run sleep run returned", story(timed, names, "child"))
  end)

  it("also one that fails, or leaves by os.exit", function()
    local events, output, status = traced "error 'oh'"
    assert.equal(1, status)
    assert.matches("oh", output)
    check(events)
    events, output, status = traced "os.exit(7)"
    assert.matches("^strobe: trace: ", output)
    assert.equal(7, status)
    check(events)
  end)

  it("says at once when it cannot write there", function()
    local output, status = sh "$S --trace /no/such/folder/t.json -e 'print(1)'"
    assert.equal("strobe: --trace: /no/such/folder/t.json: No such file or directory\n", output)
    assert.equal(2, status)
  end)
end)
