local Random = require "strobe.live.random"
local UnitFolder = require "spec.support.unit_folder"

-- A unit that executes the texts which come, and says what they return, or raise.
local listener = [[
  return { version = 1, subscribe = { "code" }, MORE on_event = function(ctx, st, m)
    local results = table.pack(pcall(assert(load(m.data, "=code")), ctx, st))
    for i = 1, results.n do results[i] = tostring(results[i]) end
    ctx:emit("out", table.concat(results, " "))
  end }]]

local function new_units(more, options)
  local units = UnitFolder.new({ ["mm.lua"] = (listener:gsub("MORE", more or "")) }, options)
  assert.equal("committed", units:start("mm").verdict)
  return units
end

-- What the unit says of a text.
local function say(units, text)
  units:offer("code", text)
  return units.sent[#units.sent].value
end

local function check(cases, more)
  local units <close> = new_units(more)
  for text, expected in pairs(cases) do
    assert.matches(expected, say(units, text), text)
  end
end

describe("a unit's environment", function()
  it("has Lua, without what reaches past the runtime", function()
    local units <close> = new_units()
    for name, value in pairs(_G) do
      local kind = say(units, ("return type(%s)"):format(name))
      local hidden = { io = true, os = true, debug = true, dofile = true, loadfile = true, package = true }
      if hidden[name] then
        assert.equal("true nil", kind, name)
      elseif package.searchpath(name, "") == nil and ({ string = 1, ["function"] = 1 })[type(value)] then
        assert.equal("true " .. type(value), kind, name)
      end
    end
    for _, name in ipairs { "coroutine", "math", "string", "table", "utf8" } do
      assert.equal("true table", say(units, ("return type(%s)"):format(name)))
    end
  end)

  it("lets nobody write a global, by whatever way", function()
    check {
      ["x = 1"] = "false .*the global 'x' was written",
      ["_G.x = 1"] = "the global 'x' was written",
      ["_ENV.print = nil"] = "the global 'print' was written",
      ["rawset(_G, 'x', 1)"] = "the global 'x' was written",
      ["setmetatable(_G, {})"] = "cannot change a protected metatable",
      ["function helper() end"] = "the global 'helper' was written",
      ["local x = 1 return x"] = "true 1",
      ["local _ENV = {} x = 2 return x"] = "true 2",
    }
  end)

  it("lets nobody write what the runtime gives", function()
    check {
      ["string.trim = 1"] = "string.trim was written; it belongs to the runtime",
      ["rawset(table, 'insert', 1)"] = "table.insert was written",
      ["table.insert(math, 1)"] = "math.1 was written",
      ["math.random = 1"] = "math.random was written",
      ["coroutine.wrap = 1"] = "coroutine.wrap was written",
      ["setmetatable(string, {})"] = "cannot change a protected metatable",
      ["getmetatable('').__index = {}"] = "the metatable of strings.__index was written",
      ["getmetatable('').__index.trim = 1"] = "string.trim was written",
      ["require 'strobe.json'.encode = 1"] = "strobe.json.encode was written",
      ["require 'strobe.async'.sleep = 1"] = "async.sleep was written",
      ["require 'strobe.live'.type = 1"] = "live.type was written",
    }
    assert.is_nil(rawget(string, "trim"))
  end)

  it("looks like what it stands for", function()
    check {
      ["return ('x'):rep(3), getmetatable('').__index == string"] = "true xxx true",
      ["local n = 0 for k in pairs(string) do n = n + 1 end return n > 15, string.format('%d', 3)"] = "true true 3",
      ["local t = {} for k, v in pairs(math) do t[k] = v end return t.random == math.random, t.pi == math.pi"]
        = "true true true",
      ["local found for k in pairs(_G) do found = found or k == 'require' end return found"] = "true true",
      ["return require 'strobe.json'.decode '[7]' [1]"] = "true 7",
      ["return rawset({}, 1, 2)[1], select('#', rawget({}, 1))"] = "true 2 1",
    }
  end)

  it("loads text only, with the module's globals or with those that are given", function()
    check {
      ["return load(string.dump(function() end))"] = "true nil attempt to load a binary chunk",
      ["return load('return 1', 'x', 'b')"] = "true nil load: mode 'b': units load text only",
      ["return load('return 1', 'x', 'bt')()"] = "true 1",
      ["return load('return io, type(print)')()"] = "true nil function",
      ["load 'x = 1' ()"] = "the global 'x' was written",
      ["return load('return x', 'x', 't', { x = 5 })()"] = "true 5",
      ["return load('return x', 'x', 't', nil)"] = "true function",
      ["local parts = { 'return ', '8' } return load(function() return table.remove(parts, 1) end)()"] = "true 8",
      ["return load 'x x'"] = "true nil .*syntax error",
    }
  end)

  it("has ctx:random as math.random", function()
    local units <close> = new_units(nil, { seed = 5 })
    local said = say(units, "return math.random(1000000), math.random(), math.random(3, 4)")
    local expected = Random.new(5, "mm", 1, "main")
    assert.equal(("true %s %s %s"):format(expected:draw(1000000), expected:draw(), expected:draw(3, 4)), said)
    local _, a, b = say(units, "local a = math.random(1e9 // 1 | 0) return a, select(2, math.randomseed(1), a)")
      :match "(%S+) (%S+) (%S+)"
    assert.equal(a, b)
    say(units, "return ctx")
    assert.equal("true true", say(units, "local ctx = ... return ctx:random(9) <= 9"))
  end)

  it("has coroutines, which may take their time", function()
    check {
      ["local f = coroutine.wrap(function(a) return coroutine.yield(a + 1) * 2 end) return f(1), f(4)"] = "true 2 8",
      ["local c = coroutine.create(function() error 'x' end) return coroutine.resume(c)"] = "true false .*x",
      ["return coroutine.isyieldable(), coroutine.wrap(coroutine.isyieldable)()"] = "true true true",
      ["coroutine.wrap(5)"] = "coroutine.wrap: a function expected, got number",
    }
  end)

  it("counts no instructions of coroutines that outlive loading", function()
    local units <close> = UnitFolder.new { ["mm.lua"] = [[
      local count = coroutine.wrap(function()
        while true do
          for i = 1, 6e6 do end
          coroutine.yield "counted"
        end
      end)
      local primed = coroutine.wrap(function() coroutine.yield() for i = 1, 6e6 do end return "primed" end)
      primed()
      return { version = 1, subscribe = { "go" }, on_event = function(ctx)
        ctx:emit("out", count())
        ctx:emit("out", primed())
      end }]] }
    assert.equal("committed", units:start("mm").verdict)
    units:offer("go", 1)
    assert.same({ "counted", "primed" }, units:values())
  end)

  it("warns into the log, and tells how much memory there is", function()
    local units <close> = new_units()
    assert.equal("true", say(units, "warn('about ', 'this')"))
    assert.same({ "warning", "about this", { unit = "mm", gen = 1, seq = 1 } }, units.logged[1])
    assert.matches("true %d+", say(units, "return math.tointeger(collectgarbage 'count' // 1)"))
    assert.matches("the collector is everybody's", say(units, "collectgarbage()"))
  end)

  it("has no modules that reach past ctx", function()
    local units <close> = new_units()
    for _, name in ipairs {
      "strobe.net", "strobe.ws", "strobe.http", "strobe.http.client", "strobe.tectonic", "strobe.gpio", "luv", "io",
      "os", "strobe.core.task", "strobe.async.fs", "strobe.live.runtime", "debug", "package",
    } do
      assert.matches("false .*module '" .. name:gsub("%.", "%%.") .. "' reaches past ctx: use a port",
        say(units, ("require '%s'"):format(name)))
    end
    for _, name in ipairs {
      "fs.read_file", "open_connection", "start_server", "create_subprocess_exec", "stdout.write", "get_running_loop",
    } do
      assert.matches("false code:1: async%.[%w_]+: units do not have it; ",
        say(units, ("require 'strobe.async'.%s('x')"):format(name)), name)
    end
    assert.matches("async.run: a unit runs already", say(units, "require 'strobe.async'.run(print)"))
  end)

  it("has them in the make of what is kept", function()
    check {
      ["local ctx = ... return ctx:keep('net', {}, function() return require 'strobe.net' end).connect"]
        = "true function",
      ["local ctx = ... ctx:keep('x', {}, function() return {} end) require 'strobe.net'"] = "false .*reaches past ctx",
      ["local ctx = ... pcall(ctx.keep, ctx, 'y', {}, error) require 'strobe.net'"] = "false .*reaches past ctx",
    }
  end)

  it("has all when the unit says that it is unsafe; then there is no probation, which the report says", function()
    local units <close> = new_units "unsafe = true,"
    for _, text in ipairs {
      "io.open", "os.time", "debug.traceback", "require 'luv'.now", "require 'strobe.net'.connect", "collectgarbage",
      "require 'strobe.async'.get_running_loop",
    } do
      assert.matches("true function", say(units, "return " .. text))
    end
    local report = units:reload "mm"
    assert.equal("committed", report.verdict)
    assert.same({ "unsafe = true: the new code is not on probation" }, report.warnings)
    assert.is_false(units.runtime.units.mm.probation)
  end)

  it("is not unsafe because a comment says so, nor by a value that only running the code shows", function()
    local units <close> = new_units "-- unsafe = true\n"
    assert.equal("true nil", say(units, "return io"))
    local text = listener:gsub("MORE", "unsafe = 1 == 1,")
    assert.equal("rejected:contract", units:reload("mm", text).verdict)
  end)
end)
