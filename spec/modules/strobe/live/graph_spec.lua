local UnitFolder = require "spec.support.unit_folder"
local async = require "strobe.async"
local generations = require "strobe.live.generation"
local quarantine = require "strobe.live.quarantine"

-- A unit which says what f() returns; `head` stands before it.
local function teller(head)
  return head .. [[

    return { version = 1, subscribe = { "go" }, on_event = function(ctx, st, m)
      local results = table.pack(pcall(f, m.data))
      for i = 1, results.n do results[i] = tostring(results[i]) end
      ctx:emit("out", table.concat(results, " "))
    end }]]
end

local function said(units, data)
  units:offer("go", data or 0)
  return units.sent[#units.sent].value
end

local function sorted(list)
  table.sort(list)
  return list
end

local function base_names(paths)
  local names = {}
  for i, path in ipairs(paths) do
    names[i] = path:match "[^/]+$"
  end
  return names
end

describe("the modules of a unit", function()
  it("are executed once each, leaf first, with their name and path", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = teller [[
        local a, b = require 'a', require 'b'
        local function f() return a.say, b.say, a.c == b.c end]],
      ["a.lua"] = "local name, path = ... return { say = name, path = path, c = require 'lib.c' }",
      ["b.lua"] = "return { say = 'b', c = require 'lib.c' }", ["lib/c.lua"] = "return {}",
    }
    assert.same({ "a.lua", "b.lua", "c.lua", "mm.lua" }, sorted(units:start("mm").rebuilt))
    assert.equal("true a b true", said(units))
  end)

  it("are true when they return nothing", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = teller "local a = require 'a' local function f() return a, require 'a' end",
      ["a.lua"] = "local x = 1",
    }
    units:start "mm"
    assert.equal("true true true", said(units))
  end)

  it("belong to their generation, but for those of the process", function()
    local text = teller [[
      local a, json = require 'a', require "strobe.json"
      local function f() a.n = a.n + 1 return a.n, json.encode(a.n) end]]
    local units <close> = UnitFolder.new { ["mm.lua"] = text, ["other.lua"] = text, ["a.lua"] = "return { n = 0 }" }
    units:start "mm"
    units:start "other"
    units:offer("go", 0)
    assert.same({ "true 1 1", "true 1 1" }, units:values())
    units:write("a.lua", "return { n = 10 }")
    units.runtime:reload "mm"
    assert.equal("true 11 11", said(units))
  end)

  it("can be required where a module cannot stand still, and fail there", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = teller [[
        local got
        table.sort({ 1, 2 }, function(a, b) got = require 'a' return a < b end)
        local wrapped = coroutine.wrap(function() return require 'b' end)()
        local missing, message = pcall(require, 'broken')
        local again = pcall(require, 'broken')
        local function f() return got, wrapped, missing, again, require 'a' end]],
      ["a.lua"] = "return 'a'", ["b.lua"] = "return require 'a' .. 'b'", ["broken.lua"] = "require 'a' error 'no'",
    }
    assert.equal("committed", units:start("mm").verdict)
    assert.equal("true a ab false false a", said(units))
  end)

  it("may require each other when they run, though not while they are loaded", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = teller "local a = require 'a' local function f() return a.call() end",
      ["a.lua"] = "local b = require 'b' return { call = function() return b.call() end, name = 'a' }",
      ["b.lua"] = "return { call = function() return require 'a'.name end }",
    }
    assert.equal("committed", units:start("mm").verdict)
    assert.equal("true a", said(units))
  end)

  it("are looked for by a string", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller "local function f() require(5) end" }
    units:start "mm"
    assert.matches("false .*mm.lua:1: require: a module's name expected, got number", said(units))
  end)
end)

describe("a module that is required at run time", function()
  local text = teller "local function f(name) return require(name).value end"

  it("is told, joins the graph, and is reloaded and carried as all others", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text, ["late.lua"] = "return { value = require 'leaf' }",
      ["leaf.lua"] = "return 1", ["other.lua"] = "return { value = 5 }" }
    units:start "mm"
    assert.equal("true 1", said(units, "late"))
    assert.same({ "info", { unit = "mm" } }, { units.logged[1][1], units.logged[1][3] })
    assert.matches("^late_require: .*/late.lua, by .*/mm.lua$", units.logged[1][2])
    units:write("leaf.lua", "return 2")
    local report = units.runtime:reload()[1]
    assert.same({ { "leaf.lua" }, {}, { "late_require: late.lua" } }, { report.files, report.carried, report.warnings })
    assert.equal("true 2", said(units, "late"))
    said(units, "other")
    report = units:reload("mm", text .. " -- saved again")
    assert.equal("committed", report.verdict)
    assert.same({ "late_require: late.lua", "late_require: other.lua" }, report.warnings)
    assert.equal("true 2", said(units, "late"))
    assert.equal("true 5", said(units, "other"))
  end)

  it("is under the rules of loading", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = text }
    units:start "mm"
    for body, message in pairs {
      ["require 'strobe.async'.sleep(1)"] = "cannot wait",
      ["print 'x'"] = "print while the module is loaded",
      ["x = 1"] = "the global 'x' was written",
      ["while true do end"] = "more than 5000000 instructions",
      ["return {"] = "expected",
      [""] = "is empty",
      ["require 'nowhere'"] = "there is no module 'nowhere'",
      ["require 'late'"] = "late.lua %-> .*late.lua",
    } do
      units:write("late.lua", body)
      assert.matches("false .*" .. message, said(units, "late"), body)
    end
    units:write("late.lua", "return { value = 7 }")
    assert.equal("true 7", said(units, "late"))
    assert.matches("there is no module 'nowhere'", said(units, "nowhere"))
    assert.same({ "true 7" }, { units.sent[#units.sent - 1].value })
  end)

  it("is of the graph at work, also when a module that was taken over requires it", function()
    local units <close> = UnitFolder.new {
      ["mm.lua"] = teller "local kept = require 'kept' local function f(name) return kept.get(name) end",
      ["kept.lua"] = "local n = 0 return { get = function(name) n = n + 1 return n .. ' ' .. require(name) end }",
      ["late.lua"] = "return 'old'", ["later.lua"] = "return 'later'",
    }
    units:start "mm"
    assert.equal("true 1 old", said(units, "late"))
    units:write("late.lua", "return 'new'")
    local report = units:reload "mm"
    assert.same({ "late.lua" }, report.files)
    assert.equal("true 1 new", said(units, "late")) -- kept reaches what has changed
    local text_2 = teller "local kept = require 'kept' local function f(name) return kept.get(name), 2 end"
    assert.same({ "kept.lua", "late.lua" }, units:reload("mm", text_2).carried)
    assert.equal("true 2 new 2", said(units, "late"))
    assert.equal("true 3 later 2", said(units, "later"))
    assert.same({ "later.lua" }, base_names(units.runtime.units.mm.run.generation.graph.late))
    units.runtime:rollback "mm"
    assert.equal("true 6 later", said(units, "later")) -- 4 and 5 were processed again
    assert.same({ "late.lua", "later.lua" }, base_names(units.runtime.units.mm.run.generation.graph.late))
  end)
end)

describe("a reload", function()
  it("compiles one file and executes one module in a turn of the loop", function()
    local files = { ["mm.lua"] = teller "local a = require 'm1' local function f() return a end" }
    for i = 1, 9 do
      files[("m%d.lua"):format(i)] = ("return require 'm%d'"):format(i + 1)
    end
    files["m10.lua"] = "return 1"
    local units <close> = UnitFolder.new(files)
    units:start "mm"
    local turns, loaded = 0, {}
    local unit = units.runtime.units.mm
    local generation = generations.load(unit, 2, nil, function()
      turns = turns + 1
      loaded[#loaded + 1] = quarantine.account()
      async.sleep(0)
    end)
    assert.same({ 11 + 2 * 11, {}, 11 }, { turns, loaded, #generation.graph:paths() })
  end)

  it("copies one large state in a turn of the loop, and lets others work", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = teller "local function f() return 'old' end" }
    units:start "mm"
    local turns = 0
    local other <close> = async.TaskGroup()
    local run, task = units.runtime.units.mm.run, nil
    for i = 1, 9000 do
      run.st[i] = {}
    end
    run.freeze = function(self)
      getmetatable(self).freeze(self)
      task = other:create_task(function()
        while true do
          async.sleep(0)
          turns = turns + 1
        end
      end)
    end
    run.thaw = function(self) -- it is exchanged
      task:cancel()
      getmetatable(self).thaw(self)
    end
    assert.equal("committed", units:reload("mm").verdict)
    assert.is_true(turns >= 1, turns)
  end)
end)
